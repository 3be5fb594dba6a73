// Why an answer ended. https://docs.cohere.com/reference/chat#response.body.finish_reason

import type { FinishReason } from '../../canonical/response.ts';

const reasons: { readonly [finish: string]: FinishReason } = {
  COMPLETE: 'stop',
  STOP_SEQUENCE: 'stop-sequence',
  MAX_TOKENS: 'length',
  TOOL_CALL: 'tool-calls',
  ERROR_TOXIC: 'content-filter',
};

/** Failures in the shape of a success. */
const failed: ReadonlySet<string> = new Set(['ERROR', 'TIMEOUT']);

/** Whether such an end is a failure. */
export function isFailedFinish(reason: string): boolean {
  return failed.has(reason);
}

/** Reads a reason. Which stop sequence it was nobody says. */
export function decodeFinish(reason: string, calledTools: boolean): FinishReason {
  const finish = Object.hasOwn(reasons, reason) ? reasons[reason]! : 'other';
  return calledTools && (finish === 'stop' || finish === 'other') ? 'tool-calls' : finish;
}
