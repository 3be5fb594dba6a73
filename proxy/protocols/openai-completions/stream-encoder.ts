// Stream parts → legacy completions stream: text, one finish, usage only for those who asked, and the closing marker.

import type { StreamPart } from '../../canonical/response.ts';
import type { JsonObject } from '../openai/wire.ts';
import { encodeUsage } from '../openai-chat/encode-response.ts';
import type { AnswerContext, StreamEncoder } from '../protocol.ts';
import { answerHead, choice, encodeFinish } from './encode-response.ts';

/** Encodes one answer. */
export class CompletionStreamEncoder implements StreamEncoder {
  readonly #context: AnswerContext;
  #head: JsonObject | undefined;
  /** Blocks whose text is shown: thinking has no place here. */
  readonly #shown = new Set<number>();

  constructor(context: AnswerContext) {
    this.#context = context;
  }

  encode(part: StreamPart): Buffer {
    return Buffer.from(this.#encode(part));
  }

  #encode(part: StreamPart): string {
    switch (part.type) {
      case 'start':
        this.#head = answerHead(part, this.#context);
        return '';
      case 'block-start':
        if (part.block.type === 'text' || part.block.type === 'refusal') this.#shown.add(part.index);
        return '';
      case 'delta':
        return part.text !== '' && this.#shown.has(part.index) ? this.#chunk([choice(part.text, null)]) : '';
      case 'finish':
        return this.#finish(part);
      case 'block-end':
      case 'error':
        return '';
    }
  }

  #finish({ reason, usage }: Extract<StreamPart, { type: 'finish' }>): string {
    const last = this.#chunk([choice('', encodeFinish(reason))]);
    const { wantsUsage } = this.#context;
    const counted = wantsUsage && usage !== undefined ? this.#chunk([], encodeUsage(usage)) : '';
    return `${last}${counted}data: [DONE]\n\n`;
  }

  #chunk(choices: readonly JsonObject[], usage: JsonObject | null = null): string {
    if (this.#head === undefined) throw new Error('a stream has to begin with its start');
    const counted = this.#context.wantsUsage ? { usage } : {};
    return `data: ${JSON.stringify({ ...this.#head, choices, ...counted })}\n\n`;
  }
}
