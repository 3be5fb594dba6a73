// Another answer in the place of one that broke: read by its own protocol, and written on where the first one ended, so
// that the client sees one message. Ids, model and numbers of the first go on.

import type { FailureSignal, SignalHeaders } from '../canonical/failure.ts';
import type { StreamPart, StreamPartOf } from '../canonical/response.ts';
import { addUsage, type Usage } from '../canonical/usage.ts';
import { ChatTap } from './lane-chat.ts';
import { Overlap } from './overlap.ts';
import type {
  AnswerProtocol,
  DecodedFrame,
  OpenStreamDecoder,
  Prefill,
  StreamDecoder,
  StreamEncoder,
  StreamFormat,
} from './protocol.ts';
import { TextLimit } from './text-limit.ts';
import { TextGuess } from './tokens/text-guess.ts';
import type { Transcript } from './transcript.ts';

/** What going on with an answer needs. */
export interface ContinuationSettings {
  /** What the client has. Notes what it is given from now on. */
  readonly transcript: Transcript;
  /** How the model was asked to go on; undefined: it was asked from the start. */
  readonly prefill: Prefill | undefined;
  readonly format: StreamFormat | undefined;
  readonly openDecoder: OpenStreamDecoder;
  /** A writer that has written nothing yet, of the client's protocol. */
  readonly encoder: StreamEncoder;
  /** The number of the next event, where the protocol numbers its events. */
  readonly nextSequence: number;
  readonly fallbackId: string;
  /** What answers before this one have used. */
  readonly usageBefore: Usage;
  /** What this one has used, where its upstream does not say; given the tokens of what it has said. */
  readonly estimateUsage: (outputTokens: number) => Usage;
}

/** The failure of an answer that says something else than the client already has: nobody is to blame. */
export const divergence: FailureSignal = {
  type: 'invalid',
  detail: 'the answer differs from what the client already has',
  body: '',
  headers: {},
};

/** Reads an answer as the rest of another one. */
export function createContinuation(settings: ContinuationSettings): AnswerProtocol {
  const { transcript, encoder, nextSequence, format, openDecoder, fallbackId } = settings;
  return {
    streamFormat: format,
    rewrites: true,
    // The client reads a stream: what is none is no answer.
    readAnswer: (_body, headers = {}) => {
      const signal: FailureSignal = { type: 'invalid', detail: 'the answer is not a stream', body: '', headers };
      return { usage: undefined, signal, empty: true };
    },
    tap({ headers = {} }) {
      const untold = takeOver(encoder, transcript, nextSequence);
      const decoder = new ContinuedDecoder(openDecoder({ fallbackId, headers }), headers, settings);
      return new ChatTap(decoder, encoder, { headers, transcript, untold });
    },
  };
}

/** What the client has was written by somebody else: it is written again, to know what comes next. */
function takeOver(encoder: StreamEncoder, { parts, told }: Transcript, sequence: number): Buffer | undefined {
  if (encoder.takeOver !== undefined) return encoder.takeOver(parts, { sequence, told });
  for (const part of parts) encoder.encode(part);
  return undefined;
}

/** Gives the parts of an answer that go on with another one. */
class ContinuedDecoder implements StreamDecoder {
  readonly #inner: StreamDecoder;
  readonly #settings: ContinuationSettings;
  readonly #overlap: Overlap;
  /** Blocks of this answer as they are numbered for the client; undefined: the client is not shown it. */
  readonly #blocks = new Map<number, number | undefined>();
  readonly #texts = new Set<number>();
  #next: number;
  /** The block of text that the broken answer was writing, while nothing else has begun. */
  #open: number | undefined;
  readonly #begun: boolean;
  /** Of all that it says, whatever of it the client is shown. */
  readonly #limit: TextLimit;
  readonly #said = new TextGuess();
  /** It cannot be gone on with. */
  #failed = false;

  constructor(inner: StreamDecoder, headers: SignalHeaders, settings: ContinuationSettings) {
    const { transcript, prefill } = settings;
    this.#inner = inner;
    this.#limit = new TextLimit(headers);
    this.#settings = settings;
    this.#overlap = overlapOf(transcript.text, prefill);
    this.#begun = transcript.text !== '';
    this.#next = transcript.nextBlock;
    this.#open = transcript.openText;
  }

  get usage(): Usage | undefined {
    // An answer that differs is left before it tells.
    return this.#inner.usage ?? (this.#failed ? this.#settings.estimateUsage(this.#said.tokens) : undefined);
  }

  get finished(): boolean {
    return this.#inner.finished;
  }

  get done(): boolean {
    return this.#inner.done;
  }

  get error(): FailureSignal | undefined {
    return this.#inner.error;
  }

  /** A model that has nothing to add has gone on to the end. */
  get empty(): boolean {
    return this.#settings.prefill === undefined && !this.#begun && this.#inner.empty;
  }

  get nextSequence(): number {
    return 0;
  }

  decode(frame: Buffer): DecodedFrame {
    const { verdict, parts } = this.#inner.decode(frame);
    return { verdict, parts: this.#map(parts) };
  }

  end(): readonly StreamPart[] {
    return this.#map(this.#inner.end());
  }

  #map(parts: readonly StreamPart[]): readonly StreamPart[] {
    if (this.#failed) return [];
    return parts.flatMap((part) => (this.#failed ? [] : this.#mapPart(part)));
  }

  #mapPart(part: StreamPart): readonly StreamPart[] {
    switch (part.type) {
      case 'start':
        return [];
      case 'block-start':
        return this.#begin(part);
      case 'delta':
        return this.#add(part);
      case 'block-end':
        return this.#endBlock(part);
      case 'finish':
        return this.#finish(part);
      case 'error':
        return [part];
    }
  }

  #begin(part: StreamPartOf<'block-start'>): readonly StreamPart[] {
    const { type } = part.block;
    if (type === 'text') {
      this.#texts.add(part.index);
      return [];
    }
    // What it thought about what the client already has is of no use to it.
    if (type === 'thinking' || type === 'redacted-thinking') return [];
    // The same goes for what it did meanwhile.
    if (type === 'carried') return this.#overlap.over ? [...this.#close(), this.#number(part)] : [];
    return [...this.#seam(), ...(this.#failed ? [] : [...this.#close(), this.#number(part)])];
  }

  #add(part: StreamPartOf<'delta'>): readonly StreamPart[] {
    const endless = this.#limit.add(part.text);
    if (endless !== undefined) return this.#fail(endless);
    this.#said.add(part.text);
    if (!this.#texts.has(part.index)) {
      const index = this.#blocks.get(part.index);
      return index === undefined ? [] : [{ ...part, index }];
    }
    const fresh = this.#overlap.take(part.text);
    if (fresh === undefined) return this.#fail(divergence);
    // What stands beside the text is new where all of that is.
    const beside = part.text === '' && part.metadata !== undefined && this.#overlap.over;
    return fresh === '' && !beside ? [] : this.#text(part, fresh);
  }

  #text({ index: own, metadata }: StreamPartOf<'delta'>, text: string): readonly StreamPart[] {
    const begin: StreamPart[] = [];
    let index = this.#blocks.get(own);
    if (index === undefined) {
      const open = this.#open;
      if (open === undefined) begin.push(this.#number({ type: 'block-start', index: own, block: { type: 'text' } }));
      else this.#blocks.set(own, open);
      this.#open = undefined;
      index = this.#blocks.get(own) ?? 0;
    }
    return [...begin, { type: 'delta', index, text, ...(metadata && { metadata }) }];
  }

  #endBlock(part: StreamPartOf<'block-end'>): readonly StreamPart[] {
    const index = this.#blocks.get(part.index);
    return index === undefined ? [] : [{ ...part, index }];
  }

  #finish(part: StreamPartOf<'finish'>): readonly StreamPart[] {
    const seam = this.#seam();
    if (this.#failed) return seam;
    const own = part.usage ?? this.#settings.estimateUsage(this.#said.tokens);
    return [...seam, ...this.#close(), { ...part, usage: addUsage(this.#settings.usageBefore, own) }];
  }

  /** Something else than text begins: the text up to here is all that there is to compare. */
  #seam(): readonly StreamPart[] {
    const held = this.#overlap.end();
    if (held === undefined) return this.#fail(divergence);
    return held === '' ? [] : this.#text({ type: 'delta', index: -1, text: '' }, held);
  }

  #fail(signal: FailureSignal): readonly StreamPart[] {
    this.#failed = true;
    return [{ type: 'error', signal }];
  }

  /** Ends the text of the broken answer where nothing was added to it. */
  #close(): readonly StreamPart[] {
    const index = this.#open;
    this.#open = undefined;
    return index === undefined ? [] : [{ type: 'block-end', index }];
  }

  #number(part: StreamPartOf<'block-start'>): StreamPart {
    const index = this.#next++;
    this.#blocks.set(part.index, index);
    return { ...part, index };
  }
}

function overlapOf(text: string, prefill: Prefill | undefined): Overlap {
  switch (prefill) {
    case undefined:
      return new Overlap(text, 'ends');
    case 'echoed':
      return new Overlap(text, 'is-new');
    case 'trimmed':
      return new Overlap(text.slice(text.trimEnd().length), 'goes-on');
    case 'exact':
      return new Overlap('', 'goes-on');
  }
}
