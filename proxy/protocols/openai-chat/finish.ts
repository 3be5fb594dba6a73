// Why an answer ended, in both directions.

import type { FinishReason } from '../../canonical/response.ts';
import type { JsonObject } from '../openai/wire.ts';

/** `model_length` is Mistral's, `eos` Together's. */
const reasons: { readonly [finish: string]: FinishReason } = {
  stop: 'stop',
  eos: 'stop',
  length: 'length',
  model_length: 'length',
  tool_calls: 'tool-calls',
  function_call: 'tool-calls',
  content_filter: 'content-filter',
};

/** How an answer ended. */
export interface Finish {
  readonly reason: FinishReason;
  readonly stopSequence?: string;
}

/** Reads the finish of a choice. Some servers say `stop` after tool calls; that an answer was cut is said as it is. */
export function decodeFinish(choice: JsonObject, calledTools: boolean): Finish {
  const finish = choice['finish_reason'];
  const reason = typeof finish === 'string' && Object.hasOwn(reasons, finish) ? reasons[finish]! : 'other';
  if (reason === 'stop' && calledTools) return { reason: 'tool-calls' };
  // vLLM names the sequence that it stopped at.
  const sequence = choice['stop_reason'];
  if (reason === 'stop' && typeof sequence === 'string') return { reason: 'stop-sequence', stopSequence: sequence };
  return { reason };
}

/** Writes a finish as a client of this protocol knows it. */
export function encodeFinish(reason: FinishReason): string {
  switch (reason) {
    case 'stop':
    case 'stop-sequence':
    case 'pause':
    case 'other':
      return 'stop';
    case 'length':
    case 'context-window':
      return 'length';
    case 'tool-calls':
      return 'tool_calls';
    case 'content-filter':
    case 'refusal':
      return 'content_filter';
  }
}
