// Stream parts → streamed message, as strict as the official client wants it: one beginning, blocks one after the other
// with consecutive numbers, each delta in a block of its kind, one end with the final usage.

import type { BlockStart, StreamPart, StreamPartOf } from '../../canonical/response.ts';
import type { Usage } from '../../canonical/usage.ts';
import { isJsonObject, type JsonObject } from '../openai/wire.ts';
import type { StreamEncoder } from '../protocol.ts';
import { Retelling, type TakenOver } from '../retelling.ts';
import { estimate, type MessageContext, messageDelta, messageHead, toolUse } from './encode-response.ts';
import { encodeUsage } from './usage.ts';
import { encodeEvent, encodeFrame, eventName, kept } from './wire.ts';

/** A block that has begun and is not yet written to its end. */
interface OpenBlock {
  readonly start: StreamPartOf<'block-start'>;
  /** Deltas that came while an earlier block was being written. */
  readonly waiting: StreamPartOf<'delta'>[];
  /** Its number on the wire; undefined until there is something to say in it. */
  number: number | undefined;
  ended: boolean;
  signature: string;
  /** Whether anything was written into it. */
  filled: boolean;
}

/** Encodes one answer. */
export class MessageStreamEncoder implements StreamEncoder {
  readonly #context: MessageContext;
  /** Blocks in the order in which they began. Only the first is being written; calls side by side wait for their turn. */
  readonly #queue: OpenBlock[] = [];
  readonly #blocks = new Map<number, OpenBlock>();
  #usage: Usage | undefined;
  #numbers = 0;
  #calls = false;
  #refusal = false;
  /** What somebody else has begun, and the client need not hear again. */
  #retelling: Retelling | undefined;

  constructor(context: MessageContext) {
    this.#context = context;
  }

  encode(part: StreamPart): Buffer {
    return Buffer.from(this.#encode(part));
  }

  takeOver(parts: readonly StreamPart[], { told }: TakenOver): Buffer {
    this.#retelling = new Retelling(told);
    const untold = parts.map((part) => this.#encode(part)).join('');
    this.#retelling.end();
    return Buffer.from(untold);
  }

  #encode(part: StreamPart): string {
    switch (part.type) {
      case 'start':
        return this.#start(part);
      case 'block-start':
        return this.#startBlock(part);
      case 'delta':
        return this.#delta(part);
      case 'block-end':
        return this.#endBlock(part);
      case 'finish':
        return this.#finish(part);
      case 'error':
        return '';
    }
  }

  #start(part: StreamPartOf<'start'>): string {
    const { usage: ownUsage, ...own } = kept(part);
    this.#usage = part.usage ?? estimate(this.#context);
    const message = {
      ...messageHead(part, this.#context),
      content: [],
      stop_reason: null,
      stop_sequence: null,
      ...own,
      usage: { ...(ownUsage as object | undefined), ...encodeUsage(this.#usage) },
    };
    return this.#tell({ type: 'message_start', message });
  }

  #startBlock(start: StreamPartOf<'block-start'>): string {
    // Only calls are written side by side: whatever else is still open has ended.
    for (const open of this.#queue) if (open.start.block.type !== 'tool-call') open.ended = true;
    const open = { start, waiting: [], number: undefined, ended: false, signature: '', filled: false };
    this.#blocks.set(start.index, open);
    this.#queue.push(open);
    if (start.block.type === 'tool-call') this.#calls = true;
    if (start.block.type === 'refusal') this.#refusal = true;
    return this.#advance();
  }

  #delta(part: StreamPartOf<'delta'>): string {
    const open = this.#blocks.get(part.index);
    if (open === undefined) throw new Error('a delta has to come after the start of its block');
    if (!open.ended) {
      open.waiting.push(part);
      return open === this.#queue[0] ? this.#write(open) : '';
    }
    const { block } = open.start;
    // Text that goes on behind a call is a block of its own; a call that has ended is whole.
    if (block.type === 'tool-call') return '';
    return this.#startBlock({ type: 'block-start', index: part.index, block }) + this.#delta(part);
  }

  #endBlock({ index, signature = '' }: StreamPartOf<'block-end'>): string {
    const open = this.#blocks.get(index);
    if (open === undefined || open.ended) return '';
    open.ended = true;
    open.signature = signature;
    return this.#advance();
  }

  #finish(part: StreamPartOf<'finish'>): string {
    for (const open of this.#queue) open.ended = true;
    const blocks = this.#advance();
    const said = { calls: this.#calls, refusal: this.#refusal };
    const delta = messageDelta(part, said, this.#usage ?? estimate(this.#context));
    return `${blocks}${encodeEvent(delta)}${encodeEvent({ type: 'message_stop' })}`;
  }

  /** Writes what the first block has to say, and what those behind it have, as far as each has ended. */
  #advance(): string {
    let frames = '';
    for (;;) {
      const [first] = this.#queue;
      if (first === undefined) return frames;
      frames += this.#write(first);
      if (!first.ended) return frames;
      frames += this.#close(first);
      this.#queue.shift();
    }
  }

  #write(open: OpenBlock): string {
    // Text and thinking begin with their first words: an empty block before a call would be in its way.
    const wire = wireBlock(open.start) ?? (this.#isTold(open) ? emptyBlock(open.start.block.type) : undefined);
    let frames = wire === undefined || open.number !== undefined ? '' : this.#open(open, wire);
    for (const part of open.waiting) {
      const delta = encodeDelta(open.start.block.type, part);
      if (delta === undefined) continue;
      if (open.number === undefined) frames += this.#open(open, emptyBlock(open.start.block.type));
      frames += this.#say(open, delta);
      open.filled = true;
    }
    open.waiting.length = 0;
    return frames;
  }

  #open(open: OpenBlock, contentBlock: JsonObject): string {
    open.number = this.#numbers++;
    return this.#tell({ type: 'content_block_start', index: open.number, content_block: contentBlock });
  }

  /** Whether the client has the beginning of the block that is the next to be written. */
  #isTold({ number }: OpenBlock): boolean {
    if (this.#retelling === undefined || number !== undefined) return false;
    return this.#retelling.knows(eventName({ type: 'content_block_start', index: this.#numbers }));
  }

  /** A beginning or an end. */
  #tell(event: JsonObject & { readonly type: string }): string {
    return this.#retelling?.skips(eventName(event)) === true ? '' : encodeEvent(event);
  }

  /** A delta. */
  #say({ number }: OpenBlock, delta: string): string {
    return this.#retelling?.over === false ? '' : deltaFrame(number, delta);
  }

  #close(open: OpenBlock): string {
    const { type } = open.start.block;
    let frames = '';
    // An empty one would take the place of one that somebody else has given.
    const signs = open.signature !== '' || (open.number !== undefined && this.#retelling === undefined);
    if (type === 'thinking' && signs) {
      if (open.number === undefined) frames += this.#open(open, emptyBlock(type));
      frames += this.#say(open, JSON.stringify({ type: 'signature_delta', signature: open.signature }));
    }
    if (type === 'tool-call' && !open.filled) {
      frames += this.#say(open, JSON.stringify({ type: 'input_json_delta', partial_json: '{}' }));
    }
    if (open.number === undefined) return frames;
    return frames + this.#tell({ type: 'content_block_stop', index: open.number });
  }
}

/** Blocks that have something to say as soon as they begin. */
function wireBlock(start: StreamPartOf<'block-start'>): JsonObject | undefined {
  const { block } = start;
  const { wire, ...own } = kept(start);
  if (isJsonObject(wire)) return wire;
  switch (block.type) {
    case 'tool-call':
      return { ...toolUse(block.id, block.tool), ...own };
    case 'redacted-thinking':
      return { type: 'redacted_thinking', data: block.data, ...own };
    case 'text':
    case 'thinking':
    case 'refusal':
    case 'carried':
      return undefined;
  }
}

function emptyBlock(type: BlockStart['type']): JsonObject {
  return type === 'thinking' ? { type, thinking: '', signature: '' } : { type: 'text', text: '' };
}

/** The delta as JSON; undefined where it says nothing. */
function encodeDelta(type: BlockStart['type'], part: StreamPartOf<'delta'>): string | undefined {
  const { delta } = kept(part);
  if (isJsonObject(delta)) return JSON.stringify(delta);
  if (part.text === '') return undefined;
  const text = JSON.stringify(part.text);
  switch (type) {
    case 'text':
    case 'refusal':
      return `{"type":"text_delta","text":${text}}`;
    case 'thinking':
      return `{"type":"thinking_delta","thinking":${text}}`;
    case 'tool-call':
      return `{"type":"input_json_delta","partial_json":${text}}`;
    // They come whole.
    case 'redacted-thinking':
    case 'carried':
      return undefined;
  }
}

/** A delta in a block. Nearly all of a stream is deltas: their frame is put together by hand. */
function deltaFrame(number: number | undefined, delta: string): string {
  return encodeFrame('content_block_delta', `{"type":"content_block_delta","index":${number},"delta":${delta}}`);
}
