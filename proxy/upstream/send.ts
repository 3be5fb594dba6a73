// Sends one request to an upstream and reports what comes back, as events. No deadline, no judgement, no retry.

import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import type { SignalHeaders } from '../canonical/failure.ts';
import { type ConnectionFault, toConnectionFault } from './fault.ts';
import type { Sender } from './pool.ts';

/** A request as it goes out. */
export interface OutgoingRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: Buffer | undefined;
}

/** Hears what an upstream answers: `head`, then `data`, then `end`; or `failed` at any time. Nothing after the last. */
export interface AnswerListener {
  head(status: number, headers: SignalHeaders): void;
  data(chunk: Buffer): void;
  end(): void;
  failed(fault: ConnectionFault): void;
}

/** A request under way. */
export interface Sending {
  /** Stops it: the connection is closed, and the listener hears nothing more. */
  abort(): void;
  /** Stops reading until `resume`: the upstream feels it as backpressure. */
  pause(): void;
  resume(): void;
}

/** Sends a request over a pool, or a connection of its own. */
export function send(sender: Sender, request: OutgoingRequest, listener: AnswerListener): Sending {
  const exchange = new UpstreamExchange(listener);
  sender.dispatch(
    {
      method: request.method,
      path: request.path,
      headers: request.headers,
      body: request.body ?? null,
      idempotent: false,
      blocking: false,
    },
    exchange,
  );
  return exchange;
}

const aborted = new Error('the gateway stopped this request');

class UpstreamExchange implements Dispatcher.DispatchHandler, Sending {
  readonly #listener: AnswerListener;
  #controller: Dispatcher.DispatchController | undefined;
  #answered = false;
  #over = false;

  constructor(listener: AnswerListener) {
    this.#listener = listener;
  }

  abort(): void {
    if (this.#over) return;
    this.#over = true;
    this.#controller?.abort(aborted);
  }

  pause(): void {
    this.#controller?.pause();
  }

  resume(): void {
    this.#controller?.resume();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#over) controller.abort(aborted);
  }

  onResponseStarted(): void {
    this.#answered = true;
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    // They are parts of what was read with them, up to 64 KiB, which they would keep until the answer ends.
    controller.rawHeaders = null;
    // Informational answers (100, 103) are not the answer.
    if (this.#over || status < 200) return;
    this.#answered = true;
    this.#listener.head(status, joinRepeated(headers));
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#over) this.#listener.data(chunk);
  }

  onResponseEnd(): void {
    if (this.#over) return;
    this.#over = true;
    try {
      this.#listener.end();
    } catch (cause) {
      // As undici has it where a head or data could not be taken: whoever waits for the end must hear of one.
      this.#listener.failed({ fault: 'reset', staleSocket: false, cause });
    }
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#over) return;
    this.#over = true;
    this.#listener.failed(toConnectionFault(error, this.#answered));
  }
}

/** Repeated headers come as lists; the rooms that read them know only strings. */
function joinRepeated(headers: IncomingHttpHeaders): SignalHeaders {
  for (const name in headers) {
    const value = headers[name];
    if (Array.isArray(value)) headers[name] = value.join(', ');
  }
  return headers as SignalHeaders;
}
