// How much a model is to think: from words, tokens or a switch of any client to what a model of this protocol takes.
// https://ai.google.dev/gemini-api/docs/thinking

import type { CanonicalRequest } from '../../canonical/request.ts';
import type { JsonObject } from '../openai/wire.ts';
import type { DroppedParameter, UpstreamModel } from '../protocol.ts';
import { type ModelProfile, type ThinkingControl, type ThinkingLevel, thinkingLevels } from './models.ts';

/** `thinkingConfig`, if there is anything to say, and what cannot be said. */
export interface ThinkingPlan {
  readonly config: JsonObject | undefined;
  readonly dropped: readonly DroppedParameter[];
}

const silent: ThinkingPlan = { config: undefined, dropped: [] };

/** Shares of the output that thinking may take, as Vercel's clients give them (vercel/ai, map-reasoning-to-provider). */
const budgetShares: { readonly [effort: string]: number } = {
  minimal: 0.02,
  low: 0.1,
  medium: 0.3,
  high: 0.6,
  xhigh: 0.9,
  max: 0.9,
};

/** The most output tokens of the models that count thinking in tokens. */
const outputTokensMax = 65_536;
/** Less is hardly thinking, where there is room for as much. */
const budgetMin = 1024;

/** Most tokens of thinking that each level stands for; above the last one it is the highest. */
const levelTokens: readonly (readonly [tokensMax: number, level: ThinkingLevel])[] = [
  [1024, 'minimal'],
  [4096, 'low'],
  [16_384, 'medium'],
];

/** Decides on thinking. */
export function planThinking(request: CanonicalRequest, profile: ModelProfile, model: UpstreamModel): ThinkingPlan {
  const { thinking, reasoningEffort } = request;
  if (thinking === undefined && reasoningEffort === undefined) return silent;
  const name = reasoningEffort === undefined ? 'thinking' : 'reasoningEffort';
  const isOff = thinking?.type === 'off' || reasoningEffort === 'none';
  const thinks = model.capabilities?.includes('Reasoning') !== false;
  const control: ThinkingControl = thinks ? profile.thinking : { type: 'none' };
  switch (control.type) {
    case 'none':
      return isOff ? silent : { config: undefined, dropped: [{ name }] };
    case 'level':
      return isOff ? leastLevel(control.levels, name) : planLevel(request, control.levels, name);
    case 'budget':
      if (!isOff) return planBudget(request, control, { name, model });
      return { config: { thinkingBudget: control.min }, dropped: control.min > 0 ? [{ name, clamped: true }] : [] };
  }
}

/** These models cannot be told not to think. */
function leastLevel([least]: readonly ThinkingLevel[], name: string): ThinkingPlan {
  return { config: { thinkingLevel: least?.toUpperCase() }, dropped: [{ name, clamped: true }] };
}

function planLevel(
  { thinking, reasoningEffort }: CanonicalRequest,
  levels: readonly ThinkingLevel[],
  name: string,
): ThinkingPlan {
  if (reasoningEffort === undefined && thinking?.type !== 'budget') {
    return { config: { includeThoughts: true }, dropped: [] };
  }
  const tokens = thinking?.type === 'budget' ? thinking.tokens : 0;
  const wished = reasoningEffort ?? levelTokens.find(([tokensMax]) => tokens <= tokensMax)?.[1] ?? 'high';
  const level = nearest(wished, levels);
  const dropped = level === reasoningEffort ? [] : [{ name, clamped: true }];
  return { config: { includeThoughts: true, thinkingLevel: level.toUpperCase() }, dropped };
}

/** The level itself, else the next higher one, else the highest: words above it mean that too. */
function nearest(wished: string, levels: readonly ThinkingLevel[]): ThinkingLevel {
  const place = thinkingLevels.findIndex((level) => level === wished);
  const highest = levels.at(-1) ?? 'high';
  return place === -1 ? highest : (levels.find((level) => thinkingLevels.indexOf(level) >= place) ?? highest);
}

function planBudget(
  { thinking, reasoningEffort, maxOutputTokens }: CanonicalRequest,
  { lowest, max }: Extract<ThinkingControl, { type: 'budget' }>,
  { name, model }: { readonly name: string; readonly model: UpstreamModel },
): ThinkingPlan {
  const clamp = (tokens: number): number => Math.min(max, Math.max(lowest, tokens));
  if (reasoningEffort === undefined) {
    if (thinking?.type !== 'budget') return { config: { includeThoughts: true, thinkingBudget: -1 }, dropped: [] };
    const tokens = clamp(thinking.tokens);
    const dropped = tokens === thinking.tokens ? [] : [{ name, clamped: true }];
    return { config: { includeThoughts: true, thinkingBudget: tokens }, dropped };
  }
  const share = budgetShares[reasoningEffort];
  if (share === undefined) return { config: { includeThoughts: true }, dropped: [{ name }] };
  // The limit is for thinking and answer together: both must find room in it.
  const limit = maxOutputTokens ?? model.maxOutputTokens ?? outputTokensMax;
  const tokens = Math.max(Math.floor(limit * share), Math.min(budgetMin, Math.floor(limit / 2)));
  return { config: { includeThoughts: true, thinkingBudget: clamp(tokens) }, dropped: [] };
}
