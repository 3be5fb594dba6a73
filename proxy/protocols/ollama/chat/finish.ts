// Why an answer of the server ended.

import type { FinishReason } from '../../../canonical/response.ts';
import type { JsonObject } from '../../openai/wire.ts';

/** Reads the reason: `stop` after calls of tools too, and in servers of old no word at all. */
export function decodeFinish(json: JsonObject, calledTools: boolean): FinishReason {
  const reason = json['done_reason'] ?? 'stop';
  if (reason === 'length') return 'length';
  if (reason === 'stop' || reason === '') return calledTools ? 'tool-calls' : 'stop';
  return 'other';
}
