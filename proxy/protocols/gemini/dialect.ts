// The two services that speak this protocol, and what differs there: data that a provider gives to the codec.

import { type ModelProfile, modelProfile } from './models.ts';
import type { Service } from './signature.ts';

/** What one service accepts. */
export interface GeminiDialect {
  /** Whose signatures it takes. */
  readonly service: Service;
  /** Whether calls and results have ids. Elsewhere they belong together by their names and their order. */
  readonly callIds: boolean;
  readonly logprobsMax: number;
  /** What a model accepts. */
  readonly profile: (model: string) => ModelProfile;
}

/** https://ai.google.dev/api */
export const geminiDialect: GeminiDialect = {
  service: 'gemini',
  callIds: true,
  logprobsMax: 5,
  profile: modelProfile,
};

/** https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference */
export const vertexDialect: GeminiDialect = {
  service: 'vertex',
  callIds: false,
  logprobsMax: 20,
  profile: modelProfile,
};

/** Every dialect that a provider may name. */
export const geminiDialects = {
  gemini: geminiDialect,
  vertex: vertexDialect,
} as const satisfies { readonly [name: string]: GeminiDialect };

/** The name of a dialect. */
export type GeminiDialectName = keyof typeof geminiDialects;
