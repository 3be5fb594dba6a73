// One upstream answer: held back and judged until it is sure to be one (its first content, or all of it), then passed
// on. Before that it can fail without the client knowing; after it, a failure is told to the client.

import type { AttemptOutcome } from '../canonical/attempt.ts';
import { BytePieces } from '../canonical/byte-pieces.ts';
import type { Clock } from '../canonical/clock.ts';
import type { FailureSignal, SignalHeaders, TransportFault } from '../canonical/failure.ts';
import type { Usage } from '../canonical/usage.ts';
import type { StreamTap } from '../protocols/protocol.ts';
import { type Phase, type PhaseFacts, phaseOf } from './answer-phase.ts';
import { type AnswerTimeouts, Deadlines, type Expiry } from './deadlines.ts';
import { type ContentDecoder, createContentDecoder } from './content-decoding.ts';
import { serverSentEvents } from './sse-frames.ts';
import { type Passage, StreamReader } from './stream-reader.ts';

/** Error bodies: no vendor says why later than here. */
const errorBodyMax = 64 * 1024;
/** How long an error may take to explain itself: the request is to go on elsewhere. */
const errorBodyMs = 5_000;
/** Answers up to this size are held whole, so that a cut one can still fail over (failure.md, rule 11). */
const wholeBodyMax = 8 * 1024 * 1024;
/**
 * Answers in another protocol than the client's have to be held whole whatever their size; the largest are vectors for
 * two thousand inputs, as numbers in words.
 */
const rewrittenBodyMax = 64 * 1024 * 1024;
/** Frames before the first content are pings and preambles: a stream of so many is not an answer. */
const heldFramesMax = 1024 * 1024;

/** Takes an answer that was committed. */
export interface AnswerSink {
  chunk(bytes: Buffer): void;
  end(): void;
  /** The answer broke after content was passed on. `deadline`: the time for the whole request is over. */
  failed(cause: FailureSignal | 'deadline'): void;
}

/** Controls of the request behind an answer. */
export interface AnswerSource {
  abort(): void;
  pause(): void;
  resume(): void;
}

/** What an answer needs to know of its request. */
export interface AnswerSettings extends PhaseFacts {
  readonly clock: Clock;
  readonly timeouts: AnswerTimeouts;
  /** Unix milliseconds at which the time for the whole request is over. */
  readonly deadlineAtMs: number;
  readonly hideUsage: boolean;
  /** Hears of frames that were dropped because they are malformed. */
  readonly onMalformed: () => void;
}

/** Reads one answer. Its listener methods take events of an upstream; `outcome` resolves once. */
export class Answer {
  readonly outcome: Promise<AttemptOutcome>;
  status = 0;
  headers: SignalHeaders = {};
  /** Unix milliseconds of the first content; undefined before. */
  firstContentAtMs: number | undefined;
  /** What has been read of the answer and not yet been passed on. */
  readonly #held = new BytePieces();
  #settle: ((outcome: AttemptOutcome) => void) | undefined;
  #phase: Phase = 'head';
  #committed = false;
  #sink: AnswerSink | undefined;
  /** What happened between the commit and the sink. */
  #ended: 'end' | FailureSignal | 'deadline' | undefined;
  #source: AnswerSource | undefined;
  #decoder: ContentDecoder | undefined;
  /** Why nothing is read: the client takes nothing, or the decoder has enough to do. */
  #clientWaits = false;
  #decoderWaits = false;
  #reader: StreamReader | undefined;
  #tap: StreamTap | undefined;
  #usage: Usage | undefined;
  readonly #settings: AnswerSettings;
  readonly #deadlines: Deadlines;

  constructor(settings: AnswerSettings) {
    this.#settings = settings;
    const { clock, timeouts, deadlineAtMs, stream } = settings;
    this.outcome = new Promise((resolve) => (this.#settle = resolve));
    const firstMs = stream ? timeouts.firstContentMs : timeouts.responseMs;
    this.#deadlines = new Deadlines(clock, { firstMs, idleMs: timeouts.idleMs, deadlineAtMs }, (expiry) =>
      this.#expired(expiry),
    );
  }

  /** The request that this is the answer to. */
  set source(source: AnswerSource) {
    this.#source = source;
    if (this.#phase === 'over') source.abort();
  }

  /** Tokens, as far as the upstream has said. */
  get usage(): Usage | undefined {
    return this.#tap?.usage ?? this.#usage;
  }

  /** Whether all of the answer is here: it can be sent with its length. */
  get whole(): boolean {
    return this.#ended === 'end';
  }

  /** The number that an event of our own would have in the stream, where the protocol numbers its events. */
  get nextSequence(): number {
    return this.#tap?.nextSequence ?? 0;
  }

  /** Whether nothing more is heard of it. */
  get over(): boolean {
    return this.#phase === 'over';
  }

  /** Whether frames are passed on one by one, so that something may be said between them. */
  get framed(): boolean {
    return this.#reader !== undefined;
  }

  /** Takes what was held. */
  takeBody(): Buffer {
    return this.#held.take();
  }

  /** Passes on what was held, and from then on everything as it comes. */
  attach(sink: AnswerSink): void {
    this.#sink = sink;
    // One write is one packet: what was held goes out together.
    if (this.#held.bytes > 0) sink.chunk(this.takeBody());
    if (this.#ended === undefined) return;
    if (this.#ended === 'end') sink.end();
    else sink.failed(this.#ended);
  }

  /** The client is slow: nothing is read, and no time counts against the upstream. */
  pause(): void {
    this.#deadlines.suspend();
    this.#decoder?.pause();
    this.#clientWaits = true;
    this.#source?.pause();
  }

  resume(): void {
    this.#deadlines.resume();
    this.#decoder?.resume();
    this.#clientWaits = false;
    this.#readOn();
  }

  /** Stops the request; nothing more is heard of it. */
  abort(): void {
    this.#finish();
    this.#source?.abort();
    if (!this.#committed) this.#settle?.({ type: 'aborted' });
  }

  /** The request could not even be sent. */
  reject(signal: FailureSignal): void {
    if (this.#phase === 'head') this.#fail(signal);
  }

  // Events of the upstream.

  head(status: number, headers: SignalHeaders): void {
    if (this.#phase !== 'head') return;
    this.status = status;
    this.headers = headers;
    this.#phase = phaseOf(status, headers['content-type'], this.#settings);
    if (this.#phase === 'stream') {
      this.#deadlines.headersOfStream();
      this.#openStream();
    } else if (this.#phase === 'error') {
      this.#deadlines.last(errorBodyMs);
    } else {
      this.#deadlines.progress();
    }
    try {
      this.#decoder = createContentDecoder(headers['content-encoding'], {
        data: (chunk) => this.#read(chunk),
        end: () => this.#complete(),
        broken: (cause) => this.#broke({ type: 'truncated', cause }),
        ready: () => {
          this.#decoderWaits = false;
          this.#readOn();
        },
      });
    } catch (error) {
      this.#broke(this.#invalid(error instanceof Error ? error.message : String(error)));
    }
  }

  data(chunk: Buffer): void {
    if (this.#decoder === undefined) {
      this.#read(chunk);
    } else if (!this.#decoder.push(chunk)) {
      this.#decoderWaits = true;
      this.#source?.pause();
    }
  }

  end(): void {
    if (this.#decoder === undefined) this.#complete();
    else this.#decoder.end();
  }

  failed({ fault, staleSocket, cause }: { fault: TransportFault; staleSocket: boolean; cause: unknown }): void {
    if (this.#phase === 'over') return;
    if (this.#phase === 'head') this.#fail({ type: 'transport', fault, cause }, staleSocket);
    else if (this.#phase === 'error') this.#complete();
    else if (this.#phase === 'stream') this.#completeStream(cause);
    else this.#broke({ type: 'truncated', cause });
  }

  // Reading.

  #readOn(): void {
    if (!this.#clientWaits && !this.#decoderWaits) this.#source?.resume();
  }

  #openStream(): void {
    const { protocol, hideUsage, onMalformed } = this.#settings;
    if (protocol === undefined) return;
    const format = protocol.streamFormat ?? serverSentEvents;
    this.#tap = protocol.tap({ hideUsage, headers: this.headers });
    this.#reader = new StreamReader(this.#tap, { format, headers: this.headers, onMalformed });
  }

  #read(chunk: Buffer): void {
    switch (this.#phase) {
      case 'head':
      case 'over':
        return;
      case 'error':
        this.#held.push(chunk);
        if (this.#held.bytes >= errorBodyMax) this.#complete();
        return;
      case 'whole':
        this.#deadlines.progress();
        if (this.#committed) this.#pass(chunk);
        else this.#hold(chunk);
        return;
      case 'opaque':
        this.#deadlines.progress();
        this.#pass(chunk);
        this.#commit();
        return;
      case 'stream':
        if (this.#reader !== undefined) this.#readStream(this.#reader.read(chunk));
    }
  }

  #hold(chunk: Buffer): void {
    this.#held.push(chunk);
    if (this.#settings.protocol?.rewrites !== true) {
      if (this.#held.bytes > wholeBodyMax) this.#commit();
    } else if (this.#held.bytes > rewrittenBodyMax) {
      this.#broke(this.#invalid('the answer is too large to be written in another protocol'));
    }
  }

  #readStream({ bytes, content, shown, failure }: Passage): void {
    // Content right before an error was not sent yet, so that the request can still fail over.
    if (failure !== undefined && !this.#committed) {
      this.#broke(failure);
      return;
    }
    for (const piece of bytes) this.#pass(piece);
    if (content) this.#deadlines.progress();
    if (shown) {
      this.#commit();
    } else if (!this.#committed && this.#held.bytes > heldFramesMax) {
      this.#broke(this.#invalid('too many frames without content'));
    }
    if (failure !== undefined) this.#broke(failure);
  }

  /** The last byte has come. */
  #complete(): void {
    switch (this.#phase) {
      case 'over':
        return;
      case 'head':
        this.#broke(this.#invalid('no answer'));
        return;
      case 'error': {
        const body = this.#held.take().toString('utf8', 0, errorBodyMax);
        this.#fail({ type: 'answer', status: this.status, headers: this.headers, body });
        this.#source?.abort();
        return;
      }
      case 'whole':
        this.#completeWhole();
        return;
      case 'stream':
        this.#completeStream();
        return;
      case 'opaque':
        this.#succeed('committed');
    }
  }

  #completeWhole(): void {
    if (this.#committed) {
      this.#succeed('committed');
      return;
    }
    if (this.#settings.stream) {
      this.#broke(this.#invalid('the answer is not a stream'));
      return;
    }
    const body = this.#held.whole();
    const reading = this.#settings.protocol?.readAnswer(body, this.headers);
    this.#usage = reading?.usage;
    if (reading?.body !== undefined) {
      this.#held.clear();
      this.#held.push(reading.body);
    }
    if (reading?.signal !== undefined) this.#broke(reading.signal);
    else this.#succeed(reading?.empty === true ? 'empty' : 'committed');
  }

  #completeStream(cause?: unknown): void {
    // A fault of ours while it was opened.
    if (this.#reader === undefined) return this.#broke({ type: 'truncated', cause });
    this.#readStream(this.#reader.end(cause));
    if (this.#phase === 'stream') this.#succeed(this.#tap?.empty === true && !this.#committed ? 'empty' : 'committed');
  }

  #expired(expiry: Expiry): void {
    if (this.#tap?.finished === true || (this.#phase === 'error' && expiry !== 'deadline')) {
      // All that matters has been said; of an error the status alone says most.
      this.#complete();
    } else if (expiry === 'deadline') {
      this.#over({ type: 'deadline' }, 'deadline');
    } else {
      const signal: FailureSignal = { type: 'transport', fault: expiry, cause: undefined };
      this.#over({ type: 'failed', signal, staleSocket: false }, signal);
    }
    this.#source?.abort();
  }

  // Passing on.

  #pass(chunk: Buffer): void {
    if (this.#sink === undefined) this.#held.push(chunk);
    else this.#sink.chunk(chunk);
  }

  #commit(): void {
    if (this.#committed) return;
    this.#committed = true;
    this.firstContentAtMs = this.#settings.clock.now();
    this.#settle?.({ type: 'committed' });
  }

  #succeed(type: 'committed' | 'empty'): void {
    this.#finish();
    this.#ended = 'end';
    if (type === 'committed') this.#commit();
    else this.#settle?.({ type, signal: this.#invalid('an empty answer') });
    this.#sink?.end();
  }

  #broke(signal: FailureSignal): void {
    this.#over({ type: 'failed', signal, staleSocket: false }, signal);
    this.#source?.abort();
  }

  #fail(signal: FailureSignal, staleSocket = false): void {
    this.#over({ type: 'failed', signal, staleSocket }, signal);
  }

  /** Before the commit the failover hears of it, after it the sink. */
  #over(outcome: AttemptOutcome, afterCommit: FailureSignal | 'deadline'): void {
    if (this.#phase === 'over') return;
    this.#finish();
    if (!this.#committed) {
      this.#settle?.(outcome);
      return;
    }
    this.#ended = afterCommit;
    this.#sink?.failed(afterCommit);
  }

  #finish(): void {
    this.#phase = 'over';
    this.#deadlines.stop();
    this.#decoder?.destroy();
  }

  #invalid(detail: string): FailureSignal {
    const body = this.#held.whole().toString('utf8', 0, 1024);
    return { type: 'invalid', detail, body, headers: this.headers };
  }
}
