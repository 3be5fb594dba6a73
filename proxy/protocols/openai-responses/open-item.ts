// One item of a streamed answer's output, from its beginning to its end.

import type { BlockStart, StreamPart } from '../../canonical/response.ts';
import type { JsonObject } from '../openai/wire.ts';
import { logprobsOf } from './logprobs.ts';
import { callItem, encodePart, itemId, type ItemStatus, messageItem, type Part, reasoningItem } from './output-item.ts';
import { carry } from './reasoning.ts';

type Delta = Extract<StreamPart, { type: 'delta' }>;

/** Writes an event: its type, and the JSON of its own members without braces. */
export type Say = (type: string, members: string) => void;

/** Where an item is. */
export interface Place {
  readonly responseId: string;
  readonly index: number;
  /** The id that the client already knows the item by; left out: one of our own. */
  readonly id?: string | undefined;
}

/** An item that is being written. */
export interface OpenItem {
  readonly index: number;
  /** Whether its blocks have ended, so that it may be written to its end before another begins. */
  readonly ended: boolean;
  /** Whether it is written to its end. */
  readonly over: boolean;
  begin(say: Say): void;
  delta(part: Delta, say: Say): void;
  endBlock(signature: string, say: Say): void;
  /** Writes the end, and gives the whole item. */
  end(status: 'completed' | 'incomplete', say: Say): JsonObject;
}

abstract class Item {
  readonly index: number;
  readonly id: string;
  ended = false;
  over = false;
  /** What most events of the item begin with. */
  protected readonly place: string;

  constructor(kind: 'msg' | 'rs' | 'fc', { responseId, index, id }: Place) {
    this.index = index;
    this.id = id ?? itemId(kind, responseId, index);
    this.place = `"item_id":${JSON.stringify(this.id)},"output_index":${index}`;
  }

  begin(say: Say): void {
    say(
      'response.output_item.added',
      `"output_index":${this.index},"item":${JSON.stringify(this.item('in_progress'))}`,
    );
  }

  end(status: 'completed' | 'incomplete', say: Say): JsonObject {
    this.over = true;
    const item = this.item(status);
    say('response.output_item.done', `"output_index":${this.index},"item":${JSON.stringify(item)}`);
    return item;
  }

  protected abstract item(status: ItemStatus): JsonObject;
}

/** Text and refusals, each block a part of its own. */
export class MessageItem extends Item implements OpenItem {
  readonly #parts: Part[] = [];
  #type: Part['type'] = 'text';
  #text = '';
  #logprobs: unknown[] = [];
  /** Number of the part that is being written; undefined between two of them. */
  #part: number | undefined;

  constructor(place: Place) {
    super('msg', place);
  }

  startPart(type: Part['type'], say: Say): void {
    this.#endPart(say);
    this.#type = type;
    this.#part = this.#parts.length;
    this.ended = false;
    const empty = encodePart(type === 'text' ? { type, text: '', logprobs: [] } : { type, text: '' });
    say('response.content_part.added', `${this.#where()},"part":${JSON.stringify(empty)}`);
  }

  delta(part: Delta, say: Say): void {
    this.#text += part.text;
    const text = `${this.#where()},"delta":${JSON.stringify(part.text)}`;
    if (this.#type === 'refusal') {
      say('response.refusal.delta', text);
      return;
    }
    const logprobs = logprobsOf(part);
    for (const entry of logprobs) this.#logprobs.push(entry);
    say('response.output_text.delta', `${text},"logprobs":${logprobs.length === 0 ? '[]' : JSON.stringify(logprobs)}`);
  }

  endBlock(_signature: string, say: Say): void {
    this.#endPart(say);
    this.ended = true;
  }

  override end(status: 'completed' | 'incomplete', say: Say): JsonObject {
    this.#endPart(say);
    return super.end(status, say);
  }

  #endPart(say: Say): void {
    if (this.#part === undefined) return;
    const [type, text, logprobs] = [this.#type, this.#text, this.#logprobs];
    const part: Part = type === 'text' ? { type, text, logprobs } : { type, text };
    const json = JSON.stringify(text);
    if (type === 'refusal') say('response.refusal.done', `${this.#where()},"refusal":${json}`);
    else say('response.output_text.done', `${this.#where()},"text":${json},"logprobs":${JSON.stringify(logprobs)}`);
    say('response.content_part.done', `${this.#where()},"part":${JSON.stringify(encodePart(part))}`);
    this.#parts.push(part);
    this.#part = undefined;
    this.#text = '';
    this.#logprobs = [];
  }

  #where(): string {
    return `${this.place},"content_index":${this.#part}`;
  }

  protected item(status: ItemStatus): JsonObject {
    return messageItem(this.id, this.#parts, status);
  }
}

/** The event that begins a summary. */
export const summaryBegins = 'response.reasoning_summary_part.added';

/** Thinking, as the summary that clients show. */
export class ReasoningItem extends Item implements OpenItem {
  #text = '';
  /** Whether there is a summary: it begins with its first words. */
  #summed = false;
  #encrypted: string | undefined;
  readonly #where: string;

  constructor(place: Place, start: Extract<BlockStart, { type: 'thinking' | 'redacted-thinking' }>) {
    super('rs', place);
    this.#where = `${this.place},"summary_index":0`;
    if (start.type === 'redacted-thinking') this.#encrypted = carry({ redacted: start.data });
  }

  startSummary(say: Say): void {
    if (!this.#summed) say(summaryBegins, `${this.#where},"part":${summary('')}`);
    this.#summed = true;
  }

  delta({ text }: Delta, say: Say): void {
    this.startSummary(say);
    this.#text += text;
    say('response.reasoning_summary_text.delta', `${this.#where},"delta":${JSON.stringify(text)}`);
  }

  endBlock(signature: string): void {
    this.ended = true;
    this.#encrypted ??= carry({ signature });
  }

  override end(status: 'completed' | 'incomplete', say: Say): JsonObject {
    if (this.#summed) {
      say('response.reasoning_summary_text.done', `${this.#where},"text":${JSON.stringify(this.#text)}`);
      say('response.reasoning_summary_part.done', `${this.#where},"part":${summary(this.#text)}`);
    }
    return super.end(status, say);
  }

  /** Thinking has no state of its own. What is encrypted is told at the end only. */
  protected item(status: ItemStatus): JsonObject {
    return status === 'in_progress' ? reasoningItem(this.id, '') : reasoningItem(this.id, this.#text, this.#encrypted);
  }
}

function summary(text: string): string {
  return JSON.stringify({ type: 'summary_text', text });
}

/** A call of a tool. Several may be open side by side. */
export class CallItem extends Item implements OpenItem {
  readonly #call: { readonly id: string; readonly tool: string };
  #input = '';

  constructor(place: Place, start: Extract<BlockStart, { type: 'tool-call' }>) {
    super('fc', place);
    this.#call = { id: start.id, tool: start.tool };
  }

  delta({ text }: Delta, say: Say): void {
    this.#input += text;
    say('response.function_call_arguments.delta', `${this.place},"delta":${JSON.stringify(text)}`);
  }

  endBlock(): void {
    this.ended = true;
  }

  override end(status: 'completed' | 'incomplete', say: Say): JsonObject {
    const { arguments: input } = this.item(status);
    const whole = `${this.place},"name":${JSON.stringify(this.#call.tool)},"arguments":${JSON.stringify(input)}`;
    say('response.function_call_arguments.done', whole);
    return super.end(status, say);
  }

  protected item(status: ItemStatus): JsonObject {
    return callItem(this.id, { ...this.#call, input: this.#input }, status);
  }
}
