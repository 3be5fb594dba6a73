// Stream parts → events of a response, as strict as the official client wants them: the response first, items with
// consecutive numbers, every beginning with its end, and the whole response last.

import type { BlockStart, StreamPart, StreamPartOf } from '../../canonical/response.ts';
import { isJsonObject, type JsonObject, parseJson } from '../openai/wire.ts';
import type { AnswerContext, StreamEncoder } from '../protocol.ts';
import { Retelling, type TakenOver } from '../retelling.ts';
import { finalState, type ResponseHead, responseHead, responseObject } from './response-object.ts';
import { CallItem, MessageItem, type OpenItem, ReasoningItem, type Say, summaryBegins } from './open-item.ts';
import { eventName, itemEnd, responses } from './wire.ts';

/** A block that has begun. Its item may wait for the first words, and may be one that it shares with other blocks. */
interface OpenBlock {
  readonly start: BlockStart;
  /** The item that the client already knows it by. */
  readonly known: KnownItem | undefined;
  item: OpenItem | undefined;
}

interface KnownItem {
  readonly id: string;
  readonly index: number;
}

/** Encodes one answer. */
export class ResponseStreamEncoder implements StreamEncoder {
  nextSequence = 0;
  readonly #context: AnswerContext;
  #head: ResponseHead | undefined;
  readonly #blocks = new Map<number, OpenBlock>();
  /** Items that are not written to their end, in their order. */
  #open: OpenItem[] = [];
  readonly #output: JsonObject[] = [];
  #items = 0;
  /** Events of the part that is being written. */
  #frames = '';
  /** What somebody else has begun, and the client need not hear again. */
  #retelling: Retelling | undefined;

  constructor(context: AnswerContext) {
    this.#context = context;
  }

  encode(part: StreamPart): Buffer {
    this.#write(part);
    return this.#take();
  }

  takeOver(parts: readonly StreamPart[], { sequence, told }: TakenOver): Buffer {
    this.nextSequence = sequence;
    this.#retelling = new Retelling(told);
    for (const part of parts) this.#write(part);
    this.#retelling.end();
    return this.#take();
  }

  #take(): Buffer {
    const frames = this.#frames;
    this.#frames = '';
    return Buffer.from(frames);
  }

  #write(part: StreamPart): void {
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
    }
  }

  #start(part: StreamPartOf<'start'>): void {
    this.#head = responseHead(part, this.#context);
    const content = { output: [], usage: undefined, request: this.#context.request };
    const response = JSON.stringify(responseObject(this.#head, { status: 'in_progress' }, content));
    this.#say('response.created', `"response":${response}`);
    this.#say('response.in_progress', `"response":${response}`);
  }

  #startBlock(part: StreamPartOf<'block-start'>): void {
    const { index, block } = part;
    const known = knownItem(part);
    const open: OpenBlock = { start: block, known, item: undefined };
    this.#blocks.set(index, open);
    // Text and thinking begin with their first words: an item with nothing in it says nothing.
    const says = block.type === 'tool-call' || block.type === 'redacted-thinking';
    if (says || known !== undefined) this.#begin(open);
  }

  #delta(part: StreamPartOf<'delta'>): void {
    if (part.text === '') return;
    const block = this.#blocks.get(part.index);
    if (block === undefined) throw new Error('a delta has to come after the start of its block');
    // Text that goes on behind something else is a part, or an item, of its own.
    if (block.item === undefined || (block.item.over && block.start.type !== 'tool-call')) this.#begin(block);
    if (block.item?.over === false) block.item.delta(part, this.#say);
  }

  #endBlock({ index, signature = '' }: StreamPartOf<'block-end'>): void {
    const block = this.#blocks.get(index);
    if (block === undefined) return;
    // Thinking that nobody may read still has to come back.
    if (block.item === undefined && block.start.type === 'thinking' && signature !== '') this.#begin(block);
    block.item?.endBlock(signature, this.#say);
  }

  /** Gives a block its item. Whatever has ended before is written to its end. */
  #begin(block: OpenBlock): void {
    const { start } = block;
    const last = this.#open.at(-1);
    if (
      (start.type === 'text' || start.type === 'refusal') &&
      last instanceof MessageItem &&
      this.#takes(last, block)
    ) {
      last.startPart(start.type, this.#say);
      block.item = last;
      return;
    }
    this.#close((item) => item.ended, 'completed');
    const { index = this.#items, id } = block.known ?? {};
    const place = { responseId: this.#begun().id, index, id };
    this.#items = index + 1;
    block.item =
      start.type === 'tool-call'
        ? new CallItem(place, start)
        : start.type === 'thinking' || start.type === 'redacted-thinking'
          ? new ReasoningItem(place, start)
          : new MessageItem(place);
    this.#open.push(block.item);
    block.item.begin(this.#say);
    if (start.type === 'text' || start.type === 'refusal') (block.item as MessageItem).startPart(start.type, this.#say);
    if (block.item instanceof ReasoningItem && this.#hasSummary(index)) block.item.startSummary(this.#say);
  }

  /** Whether the client has the beginning of a summary, if nothing of it. */
  #hasSummary(item: number): boolean {
    const event = { type: summaryBegins, output_index: item, summary_index: 0 };
    return this.#retelling?.knows(eventName(event)) === true;
  }

  /** Whether a message goes on with a block. */
  #takes({ index }: MessageItem, { known }: OpenBlock): boolean {
    return known === undefined ? this.#retelling?.knows(itemEnd(index)) !== true : known.index === index;
  }

  #close(which: (item: OpenItem) => boolean, lastStatus: 'completed' | 'incomplete'): void {
    const closing = this.#open.filter(which);
    this.#open = this.#open.filter((item) => !which(item));
    for (const item of closing) {
      // What was cut is what came last.
      const status = item.index === this.#items - 1 ? lastStatus : 'completed';
      this.#output[item.index] = item.end(status, this.#say);
    }
  }

  #finish({ reason, usage }: StreamPartOf<'finish'>): void {
    const head = this.#begun();
    const state = finalState(reason);
    this.#close(() => true, state.status === 'incomplete' ? 'incomplete' : 'completed');
    // Who began the answer may have left out a number.
    const output = Object.values(this.#output);
    const content = { output, usage, request: this.#context.request };
    const response = JSON.stringify(responseObject(head, state, content));
    this.#say(`response.${state.status}`, `"response":${response}`);
  }

  /** Official clients read the type from the data, others from the name of the event. */
  readonly #say: Say = (type, members) => {
    if (this.#retelling !== undefined && isToldOf(this.#retelling, type, members)) return;
    this.#frames += `event: ${type}\ndata: {"type":"${type}","sequence_number":${this.nextSequence++},${members}}\n\n`;
  };

  #begun(): ResponseHead {
    if (this.#head === undefined) throw new Error('a stream has to begin with its start');
    return this.#head;
  }
}

/** Of an item that its upstream has ended nothing is left to say, whatever it has called its pieces. */
function isToldOf(retelling: Retelling, type: string, members: string): boolean {
  if (type.endsWith('.delta')) return !retelling.over;
  const json = parseJson(`{${members}}`);
  const place = isJsonObject(json) ? json : {};
  const { output_index: index } = place;
  return (index !== undefined && retelling.knows(itemEnd(index))) || retelling.skips(eventName({ ...place, type }));
}

/** The item that a block is a piece of, where its upstream's own events are passed on. */
function knownItem({ metadata }: StreamPartOf<'block-start'>): KnownItem | undefined {
  const { item_id: id, output_index: index } = metadata?.[responses] ?? {};
  return typeof id === 'string' && typeof index === 'number' ? { id, index } : undefined;
}
