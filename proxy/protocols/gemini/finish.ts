// Why an answer ended. https://ai.google.dev/api/generate-content#FinishReason

import type { FinishReason } from '../../canonical/response.ts';
import type { JsonObject } from '../openai/wire.ts';
import { blockReasonOf, candidatesOf, textOf } from './wire.ts';

/** Failures in the shape of a success: the model wrote a call that is none, or could not stop calling. */
const failed: ReadonlySet<string> = new Set([
  'MALFORMED_FUNCTION_CALL',
  'UNEXPECTED_TOOL_CALL',
  'TOO_MANY_TOOL_CALLS',
  'MISSING_THOUGHT_SIGNATURE',
  'MALFORMED_RESPONSE',
]);

const filtered: ReadonlySet<string> = new Set([
  'SAFETY',
  'RECITATION',
  'LANGUAGE',
  'BLOCKLIST',
  'PROHIBITED_CONTENT',
  'SPII',
  'MODEL_ARMOR',
  'IMAGE_SAFETY',
  'IMAGE_PROHIBITED_CONTENT',
  'IMAGE_RECITATION',
  'IMAGE_OTHER',
]);

/** Why a candidate ended, in the protocol's words; undefined while it has not. */
export function finishReasonOf(candidate: JsonObject): string | undefined {
  const reason = textOf(candidate['finishReason']);
  return reason === '' || reason === 'FINISH_REASON_UNSPECIFIED' ? undefined : reason;
}

/** Whether such an end is a failure. */
export function isFailedFinish(reason: string): boolean {
  return failed.has(reason);
}

/** Whether an answer, or a chunk of one, was cut or kept back by a filter. */
export function isFiltered(json: JsonObject): boolean {
  if (blockReasonOf(json) !== undefined) return true;
  return candidatesOf(json).some((candidate) => filtered.has(finishReasonOf(candidate) ?? ''));
}

/** Reads a reason. There is none for calls of tools: they end like everything else. */
export function decodeFinish(reason: string | undefined, calledTools: boolean): FinishReason {
  if (reason === 'MAX_TOKENS') return 'length';
  if (reason !== undefined && filtered.has(reason)) return 'content-filter';
  if (calledTools) return 'tool-calls';
  return reason === 'STOP' ? 'stop' : 'other';
}
