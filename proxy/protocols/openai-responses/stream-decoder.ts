// Events of a response → stream parts, as far as another answer may have to go on with them: text, thinking, refusals and
// calls of tools, each with the item that the client knows it by.

import type { BlockStart, FinishReason, StreamPart, StreamPartOf } from '../../canonical/response.ts';
import { Judged } from '../judged.ts';
import { StreamJudge } from '../openai/stream-judge.ts';
import { isJsonObject, type JsonObject } from '../openai/wire.ts';
import { withDefined } from '../openai-chat/wire.ts';
import type { DecodedFrame, OpenStreamDecoder, StreamDecoder } from '../protocol.ts';
import { readEvent } from './pass-through.ts';
import { eventName, responses } from './wire.ts';

const none: readonly StreamPart[] = [];

/** A block that has begun and not ended. */
interface OpenBlock {
  readonly index: number;
  readonly type: BlockStart['type'];
}

/** Decodes one answer. */
export class ResponseStreamDecoder extends Judged<StreamJudge> implements StreamDecoder {
  readonly #fallbackId: string;
  readonly told: Set<string> | undefined;
  /** Blocks by what they are a piece of: an item, or a part of one. */
  readonly #blocks = new Map<string, OpenBlock>();
  #count = 0;
  #started = false;
  #calls = false;
  #over = false;

  constructor({ fallbackId, headers = {}, passedOn = false }: Parameters<OpenStreamDecoder>[0]) {
    super(new StreamJudge(readEvent, { hideUsage: false, headers }));
    this.#fallbackId = fallbackId;
    this.told = passedOn ? new Set() : undefined;
  }

  decode(frame: Buffer): DecodedFrame {
    const { verdict, json } = this.judge.read(frame);
    if (this.#over) return { verdict, parts: none };
    if (verdict === 'error' && this.error !== undefined) {
      this.#over = true;
      return { verdict, parts: [{ type: 'error', signal: this.error }] };
    }
    return { verdict, parts: json === undefined ? none : this.#parts(json) };
  }

  /** The event that ends an answer says everything that is to come. */
  end(): readonly StreamPart[] {
    return none;
  }

  #parts(event: JsonObject): readonly StreamPart[] {
    const { type } = event;
    if (typeof type === 'string' && !type.endsWith('.delta')) this.told?.add(eventName(event));
    switch (type) {
      case 'response.created':
      case 'response.in_progress':
        return this.#start(event['response']);
      case 'response.output_item.added':
        return this.#startItem(event);
      case 'response.content_part.added':
        return this.#startPart(event);
      case 'response.output_text.delta':
        return this.#delta(event, 'text');
      case 'response.refusal.delta':
        return this.#delta(event, 'refusal');
      case 'response.reasoning_summary_text.delta':
      case 'response.reasoning_text.delta':
      case 'response.function_call_arguments.delta':
        return this.#itemDelta(event);
      case 'response.output_text.annotation.added':
        return this.#text(partKey(event), event, { metadata: { [responses]: { annotation: event['annotation'] } } });
      case 'response.content_part.done':
        return this.#end(partKey(event), {});
      case 'response.output_item.done':
        return this.#endItem(event);
      case 'response.completed':
      case 'response.incomplete':
        return this.#finish(event['response']);
      default:
        // Sound, and what is yet to come.
        return typeof type === 'string' && type.endsWith('.delta')
          ? this.#ensure(type, { type: 'carried' }, event)
          : none;
    }
  }

  /** Some servers do not say that they begin. */
  #start(response: unknown): readonly StreamPart[] {
    if (this.#started) return none;
    this.#started = true;
    const { id, model, created_at: createdAt } = isJsonObject(response) ? response : {};
    return [
      {
        type: 'start',
        id: typeof id === 'string' && id !== '' ? id : this.#fallbackId,
        model: typeof model === 'string' ? model : '',
        ...(typeof createdAt === 'number' && { createdAt }),
      },
    ];
  }

  /** A message begins with a text: that it has another part is told later. Everything else is a block by itself. */
  #startItem(event: JsonObject): readonly StreamPart[] {
    const item = isJsonObject(event['item']) ? event['item'] : {};
    const place = { ...event, item_id: item['id'] };
    if (item['type'] === 'message')
      return this.#ensure(partKey({ ...event, content_index: 0 }), { type: 'text' }, place);
    const block = blockOf(item);
    if (block.type === 'tool-call') this.#calls = true;
    return this.#ensure(itemKey(event), block, place);
  }

  #startPart(event: JsonObject): readonly StreamPart[] {
    const type = isJsonObject(event['part']) ? event['part']['type'] : undefined;
    if (type === 'output_text') return this.#ensure(partKey(event), { type: 'text' }, event);
    return type === 'refusal' ? this.#ensure(partKey(event), { type }, event) : none;
  }

  #delta(event: JsonObject, type: 'text' | 'refusal'): readonly StreamPart[] {
    const key = partKey(event);
    const begin = this.#ensure(key, { type }, event);
    const logprobs = event['logprobs'];
    const beside = Array.isArray(logprobs) && logprobs.length > 0 ? { logprobs } : undefined;
    const metadata = beside && { [responses]: beside };
    return [...begin, ...this.#text(key, event, withDefined({ metadata }))];
  }

  #itemDelta(event: JsonObject): readonly StreamPart[] {
    return this.#text(itemKey(event), event, {});
  }

  #text(
    key: string,
    { delta }: JsonObject,
    details: Pick<StreamPart & { type: 'delta' }, 'metadata'>,
  ): readonly StreamPart[] {
    const block = this.#blocks.get(key);
    if (block === undefined) return none;
    return [{ type: 'delta', index: block.index, text: typeof delta === 'string' ? delta : '', ...details }];
  }

  /** Begins a block, unless it is there. Where it is the client knows as well, if the events are passed on. */
  #ensure(key: string, block: BlockStart, { item_id, output_index }: JsonObject): readonly StreamPart[] {
    if (this.#blocks.get(key)?.type === block.type) return none;
    const index = this.#count++;
    this.#blocks.set(key, { index, type: block.type });
    const metadata = this.told && { [responses]: { item_id, output_index } };
    return [...this.#start({}), { type: 'block-start', index, block, ...withDefined({ metadata }) }];
  }

  /** Ends an item, with whatever of it the upstream has not ended. */
  #endItem(event: JsonObject): readonly StreamPart[] {
    const item = isJsonObject(event['item']) ? event['item'] : {};
    const encrypted = item['encrypted_content'];
    const signature = typeof encrypted === 'string' ? encrypted : undefined;
    const parts = [...this.#blocks.keys()].filter((key) => key.startsWith(partsOf(event)));
    return [...parts, itemKey(event)].flatMap((key) => this.#end(key, withDefined({ signature })));
  }

  #end(key: string, details: Pick<StreamPartOf<'block-end'>, 'signature'>): readonly StreamPart[] {
    const block = this.#blocks.get(key);
    this.#blocks.delete(key);
    return block === undefined ? none : [{ type: 'block-end', index: block.index, ...details }];
  }

  #finish(response: unknown): readonly StreamPart[] {
    this.#over = true;
    const details = isJsonObject(response) ? response['incomplete_details'] : undefined;
    const why = isJsonObject(details) ? details['reason'] : undefined;
    return [
      ...this.#start(response),
      { type: 'finish', reason: this.#reason(why), ...withDefined({ usage: this.usage }) },
    ];
  }

  #reason(why: unknown): FinishReason {
    if (why === 'content_filter') return 'content-filter';
    if (why === 'max_output_tokens') return 'length';
    return this.#calls ? 'tool-calls' : 'stop';
  }
}

function blockOf({ type, call_id: id, name, encrypted_content: data }: JsonObject): BlockStart {
  if (type === 'reasoning') {
    return typeof data === 'string' && data !== '' ? { type: 'redacted-thinking', data } : { type: 'thinking' };
  }
  if (type === 'function_call' && typeof id === 'string' && typeof name === 'string') {
    return { type: 'tool-call', id, tool: name };
  }
  // Searches, code: nobody else could go on with it.
  return { type: 'carried' };
}

function itemKey(event: JsonObject): string {
  return String(event['output_index']);
}

function partKey(event: JsonObject): string {
  return partsOf(event) + String(event['content_index']);
}

/** What the keys of all parts of an item begin with. */
function partsOf(event: JsonObject): string {
  return `${itemKey(event)}/`;
}
