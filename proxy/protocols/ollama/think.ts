// `think` in both directions: a switch, or a level.

import type { CanonicalRequest } from '../../canonical/request.ts';
import type { MemberReader } from '../member-reader.ts';
import type { DroppedParameter, UpstreamModel } from '../protocol.ts';

type ThinkMembers = Partial<Pick<CanonicalRequest, 'thinking' | 'reasoningEffort'>>;

/** Levels by what the canonical request calls them. The server has no names for the least and the second most. */
const levels: { readonly [effort: string]: string | false } = {
  none: false,
  minimal: 'low',
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'max',
  max: 'max',
};

/** Reads `think`. The switch says no more than that: how much is for the model to decide. */
export function decodeThink(reader: MemberReader): ThinkMembers {
  const think = reader.any('think');
  if (think === undefined) return {};
  if (typeof think === 'boolean') return { thinking: { type: think ? 'adaptive' : 'off' } };
  if (typeof think !== 'string' || !Object.hasOwn(levels, think)) {
    throw reader.refuse('think', 'must be true, false, low, medium, high or max.');
  }
  return levels[think] === false ? { thinking: { type: 'off' } } : { reasoningEffort: think };
}

/** What to say, if anything, and what cannot be said. */
export interface Think {
  readonly think: boolean | string | undefined;
  readonly dropped: readonly DroppedParameter[];
}

/** Writes `think`. Words are more exact than a switch; a budget in tokens is no more than a switch here. */
export function encodeThink({ thinking, reasoningEffort }: ThinkMembers, { capabilities }: UpstreamModel): Think {
  if (thinking?.type === 'off' || reasoningEffort === 'none') return { think: false, dropped: [] };
  const effort = reasoningEffort === undefined ? [] : [{ name: 'reasoningEffort' }];
  // The server refuses requests that want a model to think which does not.
  if (capabilities?.includes('Reasoning') === false) {
    return { think: undefined, dropped: [...effort, ...(thinking?.type === 'budget' ? [{ name: 'thinking' }] : [])] };
  }
  const isKnown = reasoningEffort !== undefined && Object.hasOwn(levels, reasoningEffort);
  if (isKnown) return { think: levels[reasoningEffort], dropped: [] };
  const budget = thinking?.type === 'budget' ? [{ name: 'thinking', clamped: true }] : [];
  return { think: thinking === undefined ? undefined : true, dropped: [...effort, ...budget] };
}
