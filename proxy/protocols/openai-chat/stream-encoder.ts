// Stream parts → chat completions stream, as strict as the official client wants it: one role first, ids and names once
// per call, consecutive indexes, one finish, usage only for those who asked, and the closing marker.

import type { BlockStart, StreamPart } from '../../canonical/response.ts';
import type { JsonObject } from '../openai/wire.ts';
import type { AnswerContext, StreamEncoder } from '../protocol.ts';
import { answerHead, encodeThinking, encodeUsage } from './encode-response.ts';
import { encodeFinish } from './finish.ts';
import { kept } from './wire.ts';

const nothing = Buffer.alloc(0);

/** Encodes one answer. */
export class ChatStreamEncoder implements StreamEncoder {
  readonly #context: AnswerContext;
  /** What every chunk begins with; undefined until the start. */
  #head: string | undefined;
  readonly #blocks = new Map<number, BlockStart>();
  /** Position of each tool call among the calls, by its block. */
  readonly #calls = new Map<number, number>();

  constructor(context: AnswerContext) {
    this.#context = context;
  }

  encode(part: StreamPart): Buffer {
    switch (part.type) {
      case 'start':
        return this.#start(part);
      case 'block-start':
        this.#blocks.set(part.index, part.block);
        return part.block.type === 'tool-call' ? this.#startCall(part.index, part.block, kept(part)) : nothing;
      case 'delta':
        return this.#delta(part);
      case 'finish':
        return this.#finish(part);
      case 'block-end':
      case 'error':
        return nothing;
    }
  }

  #start(part: Extract<StreamPart, { type: 'start' }>): Buffer {
    const usage = this.#context.wantsUsage ? { usage: null } : {};
    const head = { ...kept(part), ...answerHead(part, this.#context), object: 'chat.completion.chunk', ...usage };
    this.#head = JSON.stringify(head).slice(0, -1);
    return Buffer.from(this.#chunk({ role: 'assistant', content: '', refusal: null }));
  }

  #startCall(index: number, { id, tool }: Extract<BlockStart, { type: 'tool-call' }>, own: JsonObject): Buffer {
    const position = this.#calls.size;
    this.#calls.set(index, position);
    // Signatures that the model wants back travel with the call.
    const call = { ...own, index: position, id, type: 'function', function: { name: tool, arguments: '' } };
    return Buffer.from(this.#chunk({ tool_calls: [call] }));
  }

  #delta(part: Extract<StreamPart, { type: 'delta' }>): Buffer {
    const { logprobs, ...own } = kept(part);
    return Buffer.from(this.#chunk({ ...own, ...this.#encodeText(part.index, part.text) }, logprobs));
  }

  #encodeText(index: number, text: string): JsonObject {
    const type = this.#blocks.get(index)?.type ?? 'text';
    switch (type) {
      case 'text':
        return { content: text };
      case 'thinking':
        return encodeThinking(text);
      case 'refusal':
        return { refusal: text };
      // They have no form here.
      case 'redacted-thinking':
      case 'carried':
        return {};
      case 'tool-call':
        return { tool_calls: [{ index: this.#calls.get(index) ?? 0, function: { arguments: text } }] };
    }
  }

  #finish({ reason, usage }: Extract<StreamPart, { type: 'finish' }>): Buffer {
    const chunks = [this.#chunk({}, undefined, encodeFinish(reason))];
    if (this.#context.wantsUsage && usage !== undefined) chunks.push(this.#usageChunk(encodeUsage(usage)));
    return Buffer.from(`${chunks.join('')}data: [DONE]\n\n`);
  }

  /** The head is put together once: most of every chunk is the same. */
  #chunk(delta: JsonObject, logprobs: unknown = null, finish: string | null = null): string {
    const choice = JSON.stringify({ index: 0, delta, logprobs, finish_reason: finish });
    return `data: ${this.#begun()},"choices":[${choice}]}\n\n`;
  }

  #usageChunk(usage: JsonObject): string {
    return `data: ${this.#begun().replace(/,"usage":null$/, '')},"choices":[],"usage":${JSON.stringify(usage)}}\n\n`;
  }

  #begun(): string {
    if (this.#head === undefined) throw new Error('a stream has to begin with its start');
    return this.#head;
  }
}
