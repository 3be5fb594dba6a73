// What a scripted upstream may do with a request: whole answers, streams, and ways to break either at any byte.

import { gzipSync } from 'node:zlib';
import type { Script, UpstreamExchange } from './upstream.ts';
import { type AnswerFields, encodeChunk, encodeHead, lastChunk } from './upstream-wire.ts';

/** How an answer is sent. */
export interface AnswerOptions {
  readonly status?: number;
  readonly headers?: AnswerFields;
  /** `length` is the default; `close` is HTTP/1.0, where the end of the connection is the end of the answer. */
  readonly framing?: 'length' | 'chunked' | 'close';
  readonly gzip?: boolean;
  /** Before the first byte. */
  readonly afterMs?: number;
}

/** Sends a whole answer; an object as JSON. */
export function answer(body: object | string | Buffer, options: AnswerOptions = {}): Script {
  const { status = 200, framing = 'length', gzip = false, afterMs = 0 } = options;
  const isBytes = typeof body === 'string' || Buffer.isBuffer(body);
  const plain = isBytes ? Buffer.from(body as string) : Buffer.from(JSON.stringify(body));
  const bytes = gzip ? gzipSync(plain) : plain;
  const headers: Record<string, string | readonly string[]> = {
    'content-type': 'application/json',
    ...(gzip ? { 'content-encoding': 'gzip' } : {}),
    ...(framing === 'length' ? { 'content-length': String(bytes.length) } : {}),
    ...(framing === 'chunked' ? { 'transfer-encoding': 'chunked' } : {}),
    ...options.headers,
  };
  const framed = framing === 'chunked' ? Buffer.concat([encodeChunk(bytes), lastChunk]) : bytes;
  const wire = Buffer.concat([encodeHead(status, headers, framing === 'close' ? '1.0' : '1.1'), framed]);
  return async (exchange) => {
    if (afterMs > 0) await exchange.wait(afterMs);
    await exchange.send(wire);
    if (framing === 'close') exchange.end();
  };
}

/** How a stream is sent. */
export interface StreamOptions {
  readonly headers?: AnswerFields;
  /** Before the first frame, after the head; and between frames. */
  readonly firstAfterMs?: number;
  readonly gapMs?: number;
}

/** Sends server-sent events, one chunk each, as they are given. */
export function stream(
  frames: readonly string[],
  { headers, firstAfterMs = 0, gapMs = 0 }: StreamOptions = {},
): Script {
  const head = streamHead(headers);
  const chunks = frames.map(encodeChunk);
  const unhurried = gapMs > 0 || firstAfterMs > 0;
  const whole = unhurried ? undefined : Buffer.concat([head, ...chunks, lastChunk]);
  return async (exchange) => {
    if (whole !== undefined) return exchange.send(whole);
    await exchange.send(head);
    for (const [index, chunk] of chunks.entries()) {
      await exchange.wait(index === 0 ? firstAfterMs : gapMs);
      await exchange.send(chunk);
    }
    await exchange.send(lastChunk);
  };
}

/** The head of a stream. */
export function streamHead(headers: AnswerFields = {}): Buffer {
  return encodeHead(200, { 'content-type': 'text/event-stream', 'transfer-encoding': 'chunked', ...headers });
}

/** Sends bytes as they are. */
export function bytes(wire: Uint8Array | string): Script {
  return (exchange) => exchange.send(wire);
}

/** How an answer stops in the middle. */
export type Stop = 'end' | 'reset' | 'stall';

/** Stops after so many bytes of the answer, head included. */
export function stopAfter(byteCount: number, stop: Stop, script: Script): Script {
  return async (exchange) => {
    let left = byteCount;
    const { promise: stopped, resolve: tellStopped } = Promise.withResolvers<void>();
    const send = async (chunk: Uint8Array | string): Promise<void> => {
      const wire = Buffer.from(chunk as string);
      if (left > 0) await exchange.send(wire.subarray(0, left));
      left -= wire.length;
      if (left > 0) return;
      tellStopped();
      await exchange.closed;
    };
    const over = async (): Promise<void> => script({ ...exchange, send });
    await Promise.race([over(), stopped]);
    if (left <= 0) await stopNow(exchange, stop);
  };
}

/** Stops at once. */
export function stopAtOnce(stop: Stop): Script {
  return (exchange) => stopNow(exchange, stop);
}

async function stopNow(exchange: UpstreamExchange, stop: Stop): Promise<void> {
  if (stop === 'end') exchange.end();
  else if (stop === 'reset') exchange.reset();
  await exchange.closed;
}

/** Sends every byte by itself. */
export function byteByByte(script: Script, gapMs = 0): Script {
  return inPieces(1, script, gapMs);
}

/** Sends so many bytes at a time, which end anywhere. */
export function inPieces(byteCount: number, script: Script, gapMs = 0): Script {
  return (exchange) => {
    const send = async (chunk: Uint8Array | string): Promise<void> => {
      const wire = Buffer.from(chunk as string);
      for (let at = 0; at < wire.length; at += byteCount) {
        await exchange.send(wire.subarray(at, at + byteCount));
        await exchange.wait(gapMs);
      }
    };
    return script({ ...exchange, send });
  };
}

/** The first script for the first request, and so on; the last for all that follow. */
export function inTurn(...scripts: readonly [Script, ...Script[]]): Script {
  let turn = 0;
  return (exchange) => {
    const script = scripts[Math.min(turn, scripts.length - 1)] ?? scripts[0];
    turn += 1;
    return script(exchange);
  };
}
