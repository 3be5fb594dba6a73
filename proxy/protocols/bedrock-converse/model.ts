// What the vendors of the models on Bedrock accept beyond what Converse has in common for all.

import { type ModelProfile, modelProfile } from '../anthropic-messages/models.ts';

/** What one model accepts. */
export interface ConverseModel {
  /** Set for Claude: what it takes of Anthropic's own parameters. */
  readonly claude: ModelProfile | undefined;
  /** Whether the request may say up to where a cache is to reach; others refuse it. */
  readonly cachePoints: boolean;
  /** Whether a call can be demanded. */
  readonly forcedTools: boolean;
  /** Whether a schema can be given for the text of the answer. */
  readonly structuredOutputs: boolean;
}

/** What a model accepts, by its id, or the ARN or id of a profile that names it: `eu.anthropic.claude-…`. */
export function converseModel(model: string): ConverseModel {
  const claude = /claude/i.test(model) ? modelProfile(model) : undefined;
  return {
    claude,
    cachePoints: claude !== undefined || /amazon\.nova/i.test(model),
    forcedTools: claude?.forcedTools ?? true,
    structuredOutputs: claude?.structuredOutputs ?? false,
  };
}
