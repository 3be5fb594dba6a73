// Why an answer ended, in both directions.

import type { FinishReason } from '../../canonical/response.ts';

const reasons: { readonly [stop: string]: FinishReason } = {
  end_turn: 'stop',
  stop_sequence: 'stop-sequence',
  tool_use: 'tool-calls',
  max_tokens: 'length',
  model_context_window_exceeded: 'context-window',
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

/** Reads a stop reason. Servers that resemble Anthropic's say `end_turn` after tool calls. */
export function decodeStopReason(stop: unknown, { calls, json }: Said): FinishReason {
  const reason = typeof stop === 'string' && Object.hasOwn(reasons, stop) ? reasons[stop]! : 'other';
  if (reason === 'stop' && calls) return 'tool-calls';
  if (reason === 'tool-calls' && json && !calls) return 'stop';
  return reason;
}

/** Writes a finish as a client of this protocol knows it. That an answer was cut counts for more than what it calls. */
export function encodeStopReason(reason: FinishReason, said: { calls: boolean; refusal: boolean }): string {
  switch (reason) {
    case 'stop':
    case 'other':
      if (said.calls) return 'tool_use';
      return said.refusal ? 'refusal' : 'end_turn';
    case 'stop-sequence':
      return 'stop_sequence';
    case 'tool-calls':
      return 'tool_use';
    case 'length':
      return 'max_tokens';
    case 'context-window':
      return 'model_context_window_exceeded';
    case 'content-filter':
    case 'refusal':
      return 'refusal';
    case 'pause':
      return 'pause_turn';
  }
}
