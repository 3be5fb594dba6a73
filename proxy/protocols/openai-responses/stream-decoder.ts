// Events of a response → stream parts, as far as another answer may have to go on with them: text, thinking, refusals and
// calls of tools, each with the item that the client knows it by.

import type { SignalHeaders } from '../../canonical/failure.ts';
import type { BlockStart, FinishReason, StreamPart } from '../../canonical/response.ts';
import { Judged } from '../judged.ts';
import { StreamJudge } from '../openai/stream-judge.ts';
import { isJsonObject, type JsonObject } from '../openai/wire.ts';
import { withDefined } from '../openai-chat/wire.ts';
import type { DecodedFrame, StreamDecoder } from '../protocol.ts';
import { readEvent } from './pass-through.ts';
import { responses } from './wire.ts';

const none: readonly StreamPart[] = [];

/** Decodes one answer. */
export class ResponseStreamDecoder extends Judged<StreamJudge> implements StreamDecoder {
  readonly #fallbackId: string;
  /** Blocks by what they are a piece of: an item, or a part of one. */
  readonly #blocks = new Map<string, number>();
  #started = false;
  #calls = false;
  #over = false;

  constructor(options: { readonly fallbackId: string; readonly headers?: SignalHeaders }) {
    super(new StreamJudge(readEvent, { hideUsage: false, ...options }));
    this.#fallbackId = options.fallbackId;
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
    switch (event['type']) {
      case 'response.created':
      case 'response.in_progress':
        return this.#start(event['response']);
      case 'response.output_item.added':
        return this.#startItem(event);
      case 'response.output_text.delta':
        return this.#delta(event, { type: 'text' });
      case 'response.refusal.delta':
        return this.#delta(event, { type: 'refusal' });
      case 'response.reasoning_summary_text.delta':
      case 'response.reasoning_text.delta':
      case 'response.function_call_arguments.delta':
        return this.#itemDelta(event);
      case 'response.content_part.done':
        return this.#end(partKey(event), undefined);
      case 'response.output_item.done':
        return this.#endItem(event);
      case 'response.completed':
      case 'response.incomplete':
        return this.#finish(event['response']);
      default:
        return none;
    }
  }

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

  /** Messages begin with their parts; everything else is a block by itself. */
  #startItem(event: JsonObject): readonly StreamPart[] {
    const item = isJsonObject(event['item']) ? event['item'] : {};
    if (item['type'] === 'message') return none;
    const block = blockOf(item);
    if (block.type === 'tool-call') this.#calls = true;
    return [this.#begin(itemKey(event), block, { item_id: item['id'], output_index: event['output_index'] })];
  }

  #delta(event: JsonObject, block: BlockStart): readonly StreamPart[] {
    const key = partKey(event);
    const place = { item_id: event['item_id'], output_index: event['output_index'] };
    const begin = this.#blocks.has(key) ? none : [this.#begin(key, block, place)];
    const logprobs = event['logprobs'];
    const beside = Array.isArray(logprobs) && logprobs.length > 0 ? { logprobs } : undefined;
    const metadata = beside && { [responses]: beside };
    return [...begin, this.#text(key, event, withDefined({ metadata }))];
  }

  #itemDelta(event: JsonObject): readonly StreamPart[] {
    const key = itemKey(event);
    return this.#blocks.has(key) ? [this.#text(key, event, {})] : none;
  }

  #text(key: string, { delta }: JsonObject, details: Pick<StreamPart & { type: 'delta' }, 'metadata'>): StreamPart {
    return {
      type: 'delta',
      index: this.#blocks.get(key) ?? 0,
      text: typeof delta === 'string' ? delta : '',
      ...details,
    };
  }

  #begin(key: string, block: BlockStart, place: JsonObject): StreamPart {
    const index = this.#blocks.size;
    this.#blocks.set(key, index);
    return { type: 'block-start', index, block, metadata: { [responses]: place } };
  }

  #endItem(event: JsonObject): readonly StreamPart[] {
    const item = isJsonObject(event['item']) ? event['item'] : {};
    const encrypted = item['encrypted_content'];
    return this.#end(itemKey(event), typeof encrypted === 'string' ? encrypted : undefined);
  }

  #end(key: string, signature: string | undefined): readonly StreamPart[] {
    const index = this.#blocks.get(key);
    return index === undefined ? none : [{ type: 'block-end', index, ...withDefined({ signature }) }];
  }

  #finish(response: unknown): readonly StreamPart[] {
    this.#over = true;
    const details = isJsonObject(response) ? response['incomplete_details'] : undefined;
    const why = isJsonObject(details) ? details['reason'] : undefined;
    return [{ type: 'finish', reason: this.#reason(why), ...withDefined({ usage: this.usage }) }];
  }

  #reason(why: unknown): FinishReason {
    if (why === 'content_filter') return 'content-filter';
    if (why === 'max_output_tokens') return 'length';
    return this.#calls ? 'tool-calls' : 'stop';
  }
}

function blockOf({ type, call_id: id, name }: JsonObject): BlockStart {
  if (type === 'reasoning') return { type: 'thinking' };
  if (type === 'function_call' && typeof id === 'string' && typeof name === 'string') {
    return { type: 'tool-call', id, tool: name };
  }
  // What the vendor does by itself (searches, code) has no form here, and nobody else could go on with it.
  return { type: 'redacted-thinking', data: '' };
}

function itemKey(event: JsonObject): string {
  return String(event['output_index']);
}

function partKey(event: JsonObject): string {
  return `${String(event['output_index'])}/${String(event['content_index'])}`;
}
