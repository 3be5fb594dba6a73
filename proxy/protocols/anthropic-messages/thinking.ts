// How much a model is to think: from words, tokens or a switch of any client to what a model of this protocol takes, and
// from its own form to words. https://platform.claude.com/docs/en/build-with-claude/thinking

import type { CanonicalRequest, Thinking } from '../../canonical/request.ts';
import type { JsonObject } from '../openai/wire.ts';
import type { DroppedParameter } from '../protocol.ts';
import { type EffortLevel, effortLevels, type ModelProfile } from './models.ts';
import { anthropic } from './wire.ts';

/** Less is refused. */
const budgetMin = 1024;

/** Shares of the output that thinking may take, as Vercel's clients give them (vercel/ai, map-reasoning-to-provider). */
const budgetShares: { readonly [effort: string]: number } = {
  minimal: 0.02,
  low: 0.1,
  medium: 0.3,
  high: 0.6,
  xhigh: 0.9,
  max: 0.9,
};

/** Up to which share of the output a budget counts as this much effort. */
const effortShares: readonly (readonly [number, string])[] = [
  [0.05, 'minimal'],
  [0.2, 'low'],
  [0.45, 'medium'],
  [0.75, 'high'],
];

/** What a request says of thinking. */
export interface ThinkingPlan {
  readonly thinking?: JsonObject;
  readonly effort?: string;
  /** Whether thinking is asked for: it excludes sampling. */
  readonly on: boolean;
  readonly dropped: readonly DroppedParameter[];
}

const off: ThinkingPlan = { on: false, dropped: [] };

/**
 * Decides on thinking. `outputTokensMax` is what the request will allow in all, thinking included; `forcedTool`: a tool
 * call is demanded, which excludes thinking and means more.
 */
export function planThinking(
  request: CanonicalRequest,
  profile: ModelProfile,
  { outputTokensMax, forcedTool }: { readonly outputTokensMax: number; readonly forcedTool: boolean },
): ThinkingPlan {
  const { thinking, reasoningEffort } = request;
  if (request.metadata[anthropic] !== undefined) return asTold(request);
  if (thinking === undefined && reasoningEffort === undefined) return off;
  if (thinking?.type === 'off' || reasoningEffort === 'none') return turnOff(request, profile);
  const asked = nameOf(request);
  const impossible: ThinkingPlan = { on: false, dropped: [{ name: asked }] };
  if (profile.thinking === 'none' || forcedTool) return impossible;
  const effort = reasoningEffort ?? effortOfThinking(thinking, request.maxOutputTokens ?? outputTokensMax);
  if (effort !== undefined && !Object.hasOwn(budgetShares, effort)) return impossible;
  if (profile.thinking === 'adaptive') return adaptive(asked, effort, profile);
  // Without any room for an answer there is none for thinking.
  if (outputTokensMax <= budgetMin) return impossible;
  const share = budgetShares[effort ?? 'medium'] ?? 0;
  const wished = thinking?.type === 'budget' ? thinking.tokens : Math.floor(outputTokensMax * share);
  const tokens = Math.min(Math.max(budgetMin, wished), outputTokensMax - 1);
  return { thinking: { type: 'enabled', budget_tokens: tokens }, on: true, dropped: [] };
}

/** A client of this protocol knows what its model takes. */
function asTold({ thinking, reasoningEffort, metadata }: CanonicalRequest): ThinkingPlan {
  const details = metadata[anthropic]?.['thinking'] as JsonObject | undefined;
  const effort = reasoningEffort === undefined ? {} : { effort: reasoningEffort };
  if (thinking === undefined) return { ...off, ...effort };
  const on = thinking.type !== 'off';
  return { thinking: { ...encodeThinking(thinking), ...details }, ...effort, on, dropped: [] };
}

function encodeThinking(thinking: Thinking): JsonObject {
  switch (thinking.type) {
    case 'off':
      return { type: 'disabled' };
    case 'adaptive':
      return { type: 'adaptive' };
    case 'budget':
      return { type: 'enabled', budget_tokens: thinking.tokens };
  }
}

function turnOff(request: CanonicalRequest, { thinkingOff, efforts }: ModelProfile): ThinkingPlan {
  switch (thinkingOff) {
    case 'unasked':
      return off;
    case 'disabled':
    case 'between_tools':
      return { ...off, thinking: { type: thinkingOff } };
    case 'never': {
      const [least] = efforts;
      return { on: false, ...(least && { effort: least }), dropped: [{ name: nameOf(request), clamped: true }] };
    }
  }
}

/** Newer models leave the text of their thinking out unless it is asked for. */
function adaptive(asked: string, effort: string | undefined, { efforts }: ModelProfile): ThinkingPlan {
  const thinking = { type: 'adaptive', display: 'summarized' };
  if (effort === undefined) return { thinking, on: true, dropped: [] };
  const level = nearest(effort, efforts);
  const dropped = level === effort ? [] : [{ name: asked, clamped: true }];
  return { thinking, ...(level && { effort: level }), on: true, dropped };
}

/** The level itself, else the next higher one, else the highest. */
function nearest(effort: string, levels: readonly EffortLevel[]): EffortLevel | undefined {
  const wanted = effortLevels.findIndex((level) => level === effort);
  return levels.find((level) => effortLevels.indexOf(level) >= wanted) ?? levels.at(-1);
}

function nameOf({ reasoningEffort }: CanonicalRequest): string {
  return reasoningEffort === undefined ? 'thinking' : 'reasoningEffort';
}

/** Thinking as a word, for protocols that take no other; undefined where it says no more than that there may be some. */
export function effortOfThinking(thinking: Thinking | undefined, outputTokensMax: number): string | undefined {
  switch (thinking?.type) {
    case undefined:
    case 'adaptive':
      return undefined;
    case 'off':
      return 'none';
    case 'budget': {
      const share = thinking.tokens / Math.max(1, outputTokensMax);
      return effortShares.find(([upTo]) => share <= upTo)?.[1] ?? 'xhigh';
    }
  }
}
