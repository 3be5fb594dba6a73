// Why an answer ended. https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html

import type { FinishReason } from '../../canonical/response.ts';

const reasons: { readonly [stop: string]: FinishReason } = {
  end_turn: 'stop',
  stop_sequence: 'stop-sequence',
  tool_use: 'tool-calls',
  max_tokens: 'length',
  model_context_window_exceeded: 'context-window',
  guardrail_intervened: 'content-filter',
  content_filtered: 'content-filter',
  refusal: 'refusal',
  pause_turn: 'pause',
};

/** What an answer says beside its stop reason. */
export interface Said {
  /** It calls tools of the client's. */
  readonly calls: boolean;
  /** It calls the tool that stands in for a response format. */
  readonly json: boolean;
}

/** Reads a stop reason. Some models end their turn after tool calls; that an answer was cut is said as it is. */
export function decodeStopReason(stop: unknown, { calls, json }: Said): FinishReason {
  const reason = typeof stop === 'string' && Object.hasOwn(reasons, stop) ? reasons[stop]! : 'other';
  if (reason === 'stop' && calls) return 'tool-calls';
  return reason === 'tool-calls' && json && !calls ? 'stop' : reason;
}

/** Whether such an end is a failure in the shape of a success: the model wrote what nobody can read. */
export function isFailedStop(stop: unknown): stop is string {
  return stop === 'malformed_model_output' || stop === 'malformed_tool_use';
}

/** Whether such an end is the work of a filter: the answer may well be empty. */
export function isFiltered(stop: unknown): boolean {
  const reason = decodeStopReason(stop, { calls: false, json: false });
  return reason === 'content-filter' || reason === 'refusal';
}
