// A client of a simulation: asks one proxy once, takes what comes, and may leave in the middle.

import type { Exchange, OutgoingHeaders, ReplyStream } from '../../../proxy/ingress/exchange.ts';
import type { VirtualTime } from './virtual-time.ts';

/** What a client asks for. */
export interface Wish {
  readonly marker: string;
  readonly stream: boolean;
  /** The name of the backend that it insists on. */
  readonly pin: string | undefined;
  /** It takes a while before it reads on, each time that much has come. */
  readonly slowMs: number;
}

/** The exchange of one request, as the ingress would make it. */
export class SimulatedExchange implements Exchange {
  readonly id: string;
  readonly method = 'POST';
  readonly path: string;
  readonly query = '';
  readonly headers = { 'content-type': 'application/json' };
  readonly body: Buffer;
  readonly remoteAddress = '192.0.2.7';
  readonly receivedAtMs: number;
  readonly wish: Wish;
  readonly arrivedMs: number;
  started = false;
  status = 0;
  text = '';
  /** How often the answer was ended, and whether its connection was cut. */
  ends = 0;
  cut = false;
  /** What was written after the end, or by whom it should not have been. */
  misuse: string | undefined;
  leftMs: number | undefined;
  /** Virtual milliseconds. */
  endedMs: number | undefined;
  handled = false;
  readonly #controller = new AbortController();
  readonly #time: VirtualTime;
  #ready: (() => void) | undefined;

  constructor(wish: Wish, receivedAtMs: number, time: VirtualTime) {
    this.wish = wish;
    this.id = wish.marker;
    this.path = wish.pin === undefined ? '/chat/chat/completions' : `/chat/${wish.pin}/chat/completions`;
    const { stream, marker } = wish;
    this.body = Buffer.from(JSON.stringify({ model: 'chat', stream, messages: [{ role: 'user', content: marker }] }));
    this.receivedAtMs = receivedAtMs;
    this.arrivedMs = time.nowMs;
    this.#time = time;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get isOver(): boolean {
    return this.ends > 0 || this.cut || this.leftMs !== undefined;
  }

  /** There is always room: limits of the ingress are not what is simulated. */
  hold(): boolean {
    return true;
  }

  leave(): void {
    if (this.isOver) return;
    this.leftMs = this.#time.nowMs;
    this.#controller.abort('client-left');
    this.#ready?.();
  }

  /** The proxy stops and waits no longer. */
  drain(): void {
    if (!this.isOver) this.#controller.abort('drain-deadline');
  }

  reply(status: number, _headers: OutgoingHeaders, body: Uint8Array): void {
    if (this.leftMs !== undefined) return;
    if (this.started) this.misuse = 'a reply after a reply';
    this.started = true;
    this.status = status;
    this.text = Buffer.from(body).toString();
    this.#end();
  }

  stream(status: number): ReplyStream {
    if (this.started) this.misuse = 'a stream after an answer';
    let waits = false;
    return {
      write: (chunk) => {
        if (this.leftMs !== undefined) return true;
        this.#write(status, chunk);
        waits = this.wish.slowMs > 0;
        return !waits;
      },
      onDrain: (ready) => {
        this.#ready = () => {
          this.#ready = undefined;
          ready();
        };
        this.#time.after(waits ? this.wish.slowMs : 0, () => this.#ready?.());
      },
      end: (last) => {
        if (this.leftMs !== undefined) return;
        if (last !== undefined) this.#write(status, last);
        else this.started = true;
        this.status = status;
        this.#end();
      },
      destroy: () => {
        this.cut = true;
        this.endedMs ??= this.#time.nowMs;
      },
    };
  }

  #write(status: number, chunk: Uint8Array): void {
    if (this.ends > 0 || this.cut) this.misuse = 'bytes after the end';
    this.started = true;
    this.status = status;
    this.text += Buffer.from(chunk).toString();
  }

  #end(): void {
    this.ends += 1;
    this.endedMs ??= this.#time.nowMs;
  }
}

/** What a client has got. */
export interface Received {
  readonly words: readonly string[];
  /** It looks like a whole answer: a 200 with its end. */
  readonly looksWhole: boolean;
  /** The code of an error, as a status or inside the stream. */
  readonly error: string | undefined;
}

/** Reads what has come as a client would. */
export function receivedBy({ status, text, wish, ends, cut }: SimulatedExchange): Received {
  if (status !== 200 || !(wish.stream || text.includes('"choices"'))) {
    return { words: [], looksWhole: false, error: status === 0 ? undefined : (codeOf(text) ?? String(status)) };
  }
  if (!wish.stream) {
    const { choices } = JSON.parse(text) as { readonly choices: readonly [{ message: { content: string } }] };
    return { words: toWords(choices[0].message.content), looksWhole: ends > 0 && !cut, error: undefined };
  }
  let said = '';
  let finished = false;
  let error: string | undefined;
  for (const line of text.split('\n')) {
    if (line === 'data: [DONE]') finished = true;
    if (!line.startsWith('data: {')) continue;
    const { choices, error: told } = JSON.parse(line.slice(6)) as StreamedChunk;
    said += choices?.[0]?.delta?.content ?? '';
    if (told !== undefined) error = told.code ?? 'no code';
  }
  return { words: toWords(said), looksWhole: finished && error === undefined, error };
}

interface StreamedChunk {
  readonly choices?: readonly { readonly delta?: { readonly content?: string } }[];
  readonly error?: { readonly code: string | null };
}

function toWords(text: string): readonly string[] {
  return text.split(' ').filter((word) => word !== '');
}

function codeOf(text: string): string | undefined {
  return /"code":"(\w+)"/.exec(text)?.[1];
}
