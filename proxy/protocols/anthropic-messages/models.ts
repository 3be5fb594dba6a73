// What each family of models accepts: data, so that a new family is a new row.
// https://platform.claude.com/docs/en/models/overview, …/build-with-claude/{thinking,effort,structured-outputs} and the
// migration guide of each model, as of November 2026; Vercel's getModelCapabilities (vercel/ai) for those before.

/** Levels of `output_config.effort`, the least first. */
export const effortLevels = ['low', 'medium', 'high', 'xhigh', 'max'] as const;

/** One level. */
export type EffortLevel = (typeof effortLevels)[number];

/** What a model accepts. */
export interface ModelProfile {
  /** The most output tokens, thinking included: what is asked for where the client does not say, since it is required. */
  readonly outputTokensMax: number;
  /** Whether that limit is certain, so that asking for more is bound to fail. */
  readonly limitIsKnown: boolean;
  /** How thinking is asked for: as many tokens, or as the model finds right. */
  readonly thinking: 'none' | 'budget' | 'adaptive';
  /** How it is turned off: by not asking, by one of two words, or not at all. */
  readonly thinkingOff: 'unasked' | 'disabled' | 'between_tools' | 'never';
  readonly efforts: readonly EffortLevel[];
  /** What is accepted of temperature, `top_p` and `top_k`: anything, not temperature and `top_p` at once, or nothing. */
  readonly sampling: 'any' | 'one' | 'none';
  /** Whether a tool call can be demanded. */
  readonly forcedTools: boolean;
  /** Whether a schema can be given for the answer's text and, strictly, for tools. */
  readonly structuredOutputs: boolean;
  /** Whether a system message may stand among the others. */
  readonly systemTurns: boolean;
}

const newest: ModelProfile = {
  outputTokensMax: 128_000,
  limitIsKnown: true,
  thinking: 'adaptive',
  thinkingOff: 'never',
  efforts: effortLevels,
  sampling: 'none',
  forcedTools: false,
  structuredOutputs: true,
  systemTurns: true,
};
const five: ModelProfile = { ...newest, thinkingOff: 'disabled', forcedTools: true };
const fourSix: ModelProfile = {
  ...five,
  efforts: ['low', 'medium', 'high', 'max'],
  sampling: 'one',
  systemTurns: false,
};
const fourFive: ModelProfile = {
  ...fourSix,
  outputTokensMax: 64_000,
  thinking: 'budget',
  thinkingOff: 'unasked',
  efforts: [],
};
const four: ModelProfile = { ...fourFive, structuredOutputs: false };
const old: ModelProfile = { ...four, outputTokensMax: 4096, thinking: 'none' };

/** Not one of Anthropic's: a server that resembles it. */
const foreign: ModelProfile = { ...old, limitIsKnown: false, thinking: 'budget', sampling: 'any' };

/** The first that matches counts. A number that goes on is a date. */
const families: readonly (readonly [RegExp, ModelProfile])[] = [
  [/claude-(?:opus-5-5|(?:fable|mythos)-5-[1-9])(?!\d)/, newest],
  [/claude-sonnet-5-5(?!\d)/, { ...newest, thinkingOff: 'between_tools' }],
  [/claude-(?:fable|mythos)-5/, { ...newest, forcedTools: true }],
  [/claude-mythos/, { ...newest, efforts: fourSix.efforts, forcedTools: true, systemTurns: false }],
  [/claude-(?:opus|sonnet|haiku)-5/, five],
  [/claude-opus-4-8(?!\d)/, five],
  [/claude-opus-4-7(?!\d)/, { ...five, systemTurns: false }],
  [/claude-(?:opus|sonnet)-4-6(?!\d)/, fourSix],
  [/claude-opus-4-5(?!\d)/, { ...fourFive, efforts: ['low', 'medium', 'high'] }],
  [/claude-(?:sonnet|haiku)-4-5(?!\d)/, fourFive],
  [/claude-opus-4-1(?!\d)/, { ...fourFive, outputTokensMax: 32_000 }],
  [/claude-opus-4/, { ...four, outputTokensMax: 32_000 }],
  [/claude-(?:sonnet-4|3-7-sonnet)/, four],
  [/claude-3-5-/, { ...old, outputTokensMax: 8192 }],
  [/claude-(?:3|v?2|instant)/, old],
  // Newer than this table: what the newest want, but nothing is refused on its account.
  [/claude-/, { ...newest, limitIsKnown: false, forcedTools: true }],
];

/** What a model accepts, by its name as any platform spells it: `claude-opus-4-8`, `anthropic/claude-opus-4.8`. */
export function modelProfile(model: string): ModelProfile {
  const name = model.toLowerCase().replaceAll(/(?<=\d)\.(?=\d)/g, '-');
  return families.find(([pattern]) => pattern.test(name))?.[1] ?? foreign;
}
