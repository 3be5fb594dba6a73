// What each family of models accepts: data, so that a new family is a new row.
// https://ai.google.dev/gemini-api/docs/models, …/thinking, …/gemini-3, …/structured-output

/** Levels of thinking, the least first. */
export const thinkingLevels = ['minimal', 'low', 'medium', 'high'] as const;

/** One level. */
export type ThinkingLevel = (typeof thinkingLevels)[number];

/** How a model is told how much to think. */
export type ThinkingControl =
  | { readonly type: 'none' }
  /** In tokens. A model whose `min` is not 0 cannot be told not to think. */
  | { readonly type: 'budget'; readonly min: number; readonly lowest: number; readonly max: number }
  | { readonly type: 'level'; readonly levels: readonly ThinkingLevel[] };

/** What a model accepts. */
export interface ModelProfile {
  /** Whether schemas are JSON Schema; elsewhere they are the subset of OpenAPI's that there was before. */
  readonly jsonSchema: boolean;
  /** Whether JSON can be asked for where there are tools. */
  readonly jsonWithTools: boolean;
  /** Whether results of tools may hold images. */
  readonly resultParts: boolean;
  /** Whether calls are refused that come back without a signature. */
  readonly signatures: boolean;
  readonly systemInstruction: boolean;
  readonly penalties: boolean;
  readonly thinking: ThinkingControl;
}

const three: ModelProfile = {
  jsonSchema: true,
  jsonWithTools: true,
  resultParts: true,
  signatures: true,
  systemInstruction: true,
  penalties: true,
  thinking: { type: 'level', levels: thinkingLevels },
};
const twoFive: ModelProfile = {
  ...three,
  jsonWithTools: false,
  resultParts: false,
  signatures: false,
  thinking: { type: 'budget', min: 0, lowest: 1, max: 24_576 },
};
const old: ModelProfile = { ...twoFive, jsonSchema: false, thinking: { type: 'none' } };

/** Newer than this table, or a name that moves: budgets are understood by all that think. */
const unknown: ModelProfile = { ...three, jsonWithTools: true, thinking: twoFive.thinking };

/** The first that matches counts. */
const families: readonly (readonly [RegExp, ModelProfile])[] = [
  [/gemini-3-pro/, { ...three, thinking: { type: 'level', levels: ['low', 'high'] } }],
  [/gemini-(?:[3-9]|\d\d)(?:\.\d+)?-pro/, { ...three, thinking: { type: 'level', levels: ['low', 'medium', 'high'] } }],
  [/gemini-(?:[3-9]|\d\d)(?!\d)/, three],
  [/gemini-2\.5-pro/, { ...twoFive, thinking: { type: 'budget', min: 128, lowest: 128, max: 32_768 } }],
  [/gemini-2\.5-flash-lite/, { ...twoFive, thinking: { type: 'budget', min: 0, lowest: 512, max: 24_576 } }],
  [/gemini-2\.5-flash-(?:image|.*tts)/, { ...twoFive, thinking: { type: 'none' } }],
  [/gemini-2\.5/, twoFive],
  [/gemini-(?:[12]|pro-vision|pro$)/, old],
  [/gemma/, { ...old, systemInstruction: false, penalties: false }],
];

/** What a model accepts, by its name as either service spells it: `gemini-2.5-pro`, `models/gemini-2.5-pro`. */
export function modelProfile(model: string): ModelProfile {
  const name = model.toLowerCase();
  return families.find(([pattern]) => pattern.test(name))?.[1] ?? unknown;
}
