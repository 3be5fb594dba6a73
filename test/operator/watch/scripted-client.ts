// A client of an API server that says what a test has it say: lists, refusals, and watches that are held open.

import type { KubeCall, KubeClient } from '../../../operator/kube/client.ts';
import { KubeError } from '../../../operator/kube/kube-error.ts';
import type { KubeObject } from '../../../operator/kube/object.ts';

/** What a list, or the beginning of a watch, is answered with; undefined opens the watch. */
export type Said = object | KubeError | undefined;

/** A watch that is open. */
export interface OpenWatch {
  readonly call: KubeCall;
  say(...events: readonly object[]): void;
  /** Ends it in good order, or not. */
  end(error?: Error): void;
  readonly ended: boolean;
}

/** The client. */
export class ScriptedClient implements KubeClient {
  /** `list`, or `watch FROM`, in their order. */
  readonly asked: string[] = [];
  readonly lists: KubeCall[] = [];
  readonly watches: OpenWatch[] = [];
  list: (call: KubeCall) => Said | Promise<Said> = () => listOf('1');
  watch: () => Said = () => undefined;

  async call<T>(call: KubeCall): Promise<T> {
    this.asked.push('list');
    this.lists.push(call);
    const said = await this.list(call);
    if (said instanceof Error) throw said;
    return said as T;
  }

  async stream(call: KubeCall & { readonly signal: AbortSignal }): Promise<AsyncIterable<Uint8Array>> {
    this.asked.push(`watch ${call.query?.['resourceVersion']}`);
    const said = this.watch();
    if (said instanceof Error) throw said;
    const watch = openWatch(call);
    this.watches.push(watch);
    return watch.chunks;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** The watch that was opened last. */
  get last(): OpenWatch {
    const watch = this.watches.at(-1);
    if (watch === undefined) throw new Error('nothing is watched');
    return watch;
  }
}

function openWatch(
  call: KubeCall & { readonly signal: AbortSignal },
): OpenWatch & { readonly chunks: AsyncIterable<Uint8Array> } {
  let ended = false;
  let push: (chunk: string) => void = () => undefined;
  let close: () => void = () => undefined;
  let fail: (error: unknown) => void = () => undefined;
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      push = (chunk) => controller.enqueue(Buffer.from(chunk));
      close = () => controller.close();
      fail = (error) => controller.error(error);
    },
  });
  const end = (settle: () => void): void => {
    if (!ended) settle();
    ended = true;
  };
  call.signal.addEventListener('abort', () => end(() => fail(call.signal.reason)));
  return {
    call,
    chunks: stream,
    say: (...events) => push(events.map((event) => `${JSON.stringify(event)}\n`).join('')),
    end: (error) => end(() => (error === undefined ? close() : fail(error))),
    get ended() {
      return ended;
    },
  };
}

/** A list of objects as of a version. */
export function listOf(resourceVersion: string, items: readonly KubeObject[] = [], next?: string): object {
  return { metadata: { resourceVersion, ...(next === undefined ? {} : { continue: next }) }, items };
}

/** An object of a version. */
export function object(name: string, version: number, value: unknown = name): KubeObject {
  return { metadata: { namespace: 'a', name, resourceVersion: String(version) }, value };
}

/** A refusal. */
export function refusal(status: number, reason = '', retryAfterMs?: number): KubeError {
  return new KubeError(`answered ${status} ${reason}`, { status, reason, retryAfterMs });
}
