// How much a model is to think. https://docs.cohere.com/docs/reasoning

import type { CanonicalRequest } from '../../canonical/request.ts';
import type { JsonObject } from '../openai/wire.ts';
import type { DroppedParameter, UpstreamModel } from '../protocol.ts';

/** `thinking`, if there is anything to say, and what cannot be said. */
export interface ThinkingPlan {
  readonly thinking: JsonObject | undefined;
  readonly dropped: readonly DroppedParameter[];
}

/** Others refuse to be told. */
const reasoningModels = /reasoning/i;

/** The most output tokens of those models, thinking included. */
const outputTokensMax = 32_768;

/** Shares of the output that thinking may take, as Vercel's clients give them (vercel/ai, map-reasoning-to-provider). */
const budgetShares: { readonly [effort: string]: number } = {
  minimal: 0.02,
  low: 0.1,
  medium: 0.3,
  high: 0.6,
  xhigh: 0.9,
  max: 0.9,
};

/** Decides on thinking. */
export function planThinking(request: CanonicalRequest, model: UpstreamModel): ThinkingPlan {
  const { thinking, reasoningEffort } = request;
  if (thinking === undefined && reasoningEffort === undefined) return { thinking: undefined, dropped: [] };
  const isOff = thinking?.type === 'off' || reasoningEffort === 'none';
  const name = reasoningEffort === undefined ? 'thinking' : 'reasoningEffort';
  const thinks = model.capabilities?.includes('Reasoning') ?? reasoningModels.test(request.model);
  // A model that does not think has nothing to switch off.
  if (!thinks) return { thinking: undefined, dropped: isOff ? [] : [{ name }] };
  if (isOff) return { thinking: { type: 'disabled' }, dropped: [] };
  const enabled = { type: 'enabled' };
  if (reasoningEffort === undefined) {
    const budget = thinking?.type === 'budget' ? { token_budget: thinking.tokens } : {};
    return { thinking: { ...enabled, ...budget }, dropped: [] };
  }
  const share = Object.hasOwn(budgetShares, reasoningEffort) ? budgetShares[reasoningEffort] : undefined;
  if (share === undefined) return { thinking: enabled, dropped: [{ name }] };
  // The limit is for thinking and answer together: both must find room in it.
  const limit = request.maxOutputTokens ?? model.maxOutputTokens ?? outputTokensMax;
  return { thinking: { ...enabled, token_budget: Math.max(1, Math.floor(limit * share)) }, dropped: [] };
}
