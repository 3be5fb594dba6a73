// What an upstream's error answer means: ordered rules, the first that holds decides. `row` is the row of the decision
// table in failure.md. Data only; classify.ts applies it to answers, to error frames and to errors in a 200.

import type { FailureClass, FailureScope } from '../canonical/failure.ts';
import type { ProviderType } from '../config/schema.ts';
import * as names from './error-names.ts';
import * as prose from './error-prose.ts';

/** One rule. All given conditions must hold. */
export interface ClassifierRule {
  readonly row: number;
  readonly class: FailureClass;
  /** Where the class's usual traits do not fit. */
  readonly scope?: FailureScope;
  readonly counts?: boolean;
  readonly providers?: readonly ProviderType[];
  readonly status?: readonly number[] | '3xx' | '4xx' | '5xx';
  /** Names of the error in lower case: codes, types, reasons. */
  readonly names?: ReadonlySet<string>;
  /** On the error's prose in lower case. Linear: bounded repetitions only. */
  readonly text?: RegExp;
  readonly markup?: true;
}

/** The rules, most specific first. Every status that HTTP can carry meets one of them. */
export const classifierRules: readonly ClassifierRule[] = [
  // A request larger than a whole minute's limit never passes. Resting the key for it would let one client stop all.
  { row: 7, class: 'RateLimit', scope: 'none', status: [413], names: names.rate },
  { row: 7, class: 'RateLimit', scope: 'none', status: [429], text: prose.tooLargeForLimitStart },

  // Faults of the client's, whatever the status: Together says 403 to long contexts, OpenRouter to filtered content,
  // local servers say 500.
  { row: 19, class: 'ContentFilter', status: '4xx', names: names.content },
  { row: 19, class: 'ContentFilter', status: [400, 403, 422, 451], text: prose.content },
  { row: 18, class: 'ContextLength', names: names.context },
  { row: 18, class: 'ContextLength', status: [400, 403, 413, 422, 500], text: prose.context },

  // Another vendor's limit of an aggregator's: its words about quotas and money are not about our key.
  { row: 8, class: 'Overloaded', status: [429], providers: ['OpenRouter'], text: prose.providerErrorStart },

  // Google says RESOURCE_EXHAUSTED to everything. Its quotas are per model: one model's must not cost the key the others.
  { row: 9, class: 'Quota', status: [429], names: names.googleExhausted, text: prose.googleMoney },
  { row: 9, class: 'Quota', scope: 'key-model', status: [429], names: names.googleExhausted, text: prose.googleDaily },
  { row: 9, class: 'Quota', scope: 'key-model', status: [429], names: names.googleExhaustedQuota },
  { row: 9, class: 'Quota', scope: 'key-model', providers: ['Gemini', 'VertexAI'], names: names.googleQuota },
  {
    row: 8,
    class: 'Overloaded',
    providers: ['VertexAI'],
    names: names.googleExhausted,
    text: prose.vertexCapacityStart,
  },
  { row: 8, class: 'Overloaded', status: [429], names: names.googleExhausted, text: prose.capacity },
  { row: 7, class: 'RateLimit', names: names.googleExhausted },

  // Money.
  { row: 9, class: 'Quota', status: [402] },
  { row: 9, class: 'Quota', status: '4xx', names: names.money },
  { row: 9, class: 'Quota', status: [403, 429], text: prose.money },
  { row: 9, class: 'Quota', status: [400, 412], text: prose.moneyStart },

  // 429 that is not about our limits, then those that are.
  { row: 8, class: 'Overloaded', status: [429], names: names.capacity },
  { row: 8, class: 'Overloaded', status: [429], text: prose.capacity },
  { row: 8, class: 'Overloaded', status: [429], providers: ['Mistral'], names: names.mistralCapacity },
  { row: 8, class: 'Overloaded', status: [498], providers: ['Groq'] },
  { row: 7, class: 'RateLimit', scope: 'key', status: [429], text: prose.wholeAccount },
  { row: 7, class: 'RateLimit', status: [429] },
  { row: 7, class: 'RateLimit', status: [400, 403], names: names.rate },

  // Keys.
  { row: 15, class: 'Permission', status: [400, 401, 403], names: names.notPermitted },
  { row: 15, class: 'Permission', status: [400], text: prose.notPermittedStart },
  { row: 15, class: 'Permission', status: [400], providers: ['Bedrock'], text: prose.notAllowedStart },
  { row: 14, class: 'Authentication', status: [401] },
  { row: 14, class: 'Authentication', status: '4xx', names: names.badKey },
  { row: 14, class: 'Authentication', status: [400, 403], text: prose.badKeyStart },
  {
    row: 14,
    class: 'Authentication',
    status: [400, 401, 403],
    providers: ['Cloudflare'],
    names: names.cloudflareBadKey,
  },
  { row: 14, class: 'Authentication', status: [498], providers: ['Cohere'] },
  // A refusal of our address, by Azure or by something in front of the vendor, is no key's fault, nor the client's.
  { row: 15, class: 'Permission', scope: 'backend', counts: true, status: [403], names: names.network },
  { row: 15, class: 'Permission', scope: 'backend', counts: true, status: [400], text: prose.countryStart },
  { row: 15, class: 'Permission', scope: 'backend', counts: true, status: [403], text: prose.network },
  { row: 15, class: 'Permission', scope: 'backend', counts: true, status: [403], markup: true },
  { row: 15, class: 'Permission', status: [403] },

  // Models.
  { row: 17, class: 'BadRequest', status: [404], text: prose.noResourceStart },
  // The model is there, but cannot do what this request wants: others may, and the next request may not want it.
  { row: 16, class: 'ModelNotFound', scope: 'none', status: [404], text: prose.noEndpointStart },
  { row: 16, class: 'ModelNotFound', scope: 'none', status: [501], names: names.notSupported },
  { row: 16, class: 'ModelNotFound', status: [404, 410] },
  { row: 16, class: 'ModelNotFound', status: [400, 422], names: names.noModel },
  { row: 16, class: 'ModelNotFound', status: [400, 422], text: prose.noModelStart },
  { row: 16, class: 'ModelNotFound', status: [400], providers: ['Cloudflare'], names: names.cloudflareNoModel },
  { row: 16, class: 'ModelNotFound', status: [400], providers: ['Mistral'], names: names.mistralNoModel },

  // What is left of 4xx.
  {
    row: 10,
    class: 'ServerError',
    status: [400],
    providers: ['NvidiaNIM', 'HuggingFace', 'LMStudio'],
    text: prose.brokenModel,
  },
  { row: 13, class: 'Timeout', status: [408] },
  { row: 13, class: 'ServerError', counts: false, status: [409, 425] },
  { row: 13, class: 'ServerError', counts: false, status: [400], names: names.conflict },
  { row: 13, class: 'ServerError', status: [424] },
  { row: 21, class: 'TooLarge', status: [413] },
  // An egress proxy's own refusal, and "you have left" said to someone who is still here.
  { row: 10, class: 'ServerError', status: [407, 499] },
  { row: 17, class: 'BadRequest', status: '4xx' },

  { row: 12, class: 'Overloaded', status: [529] },
  { row: 11, class: 'Overloaded', status: [503] },
  { row: 11, class: 'Overloaded', status: '5xx', names: names.overloaded },
  { row: 10, class: 'ServerError', status: '5xx' },

  { row: 22, class: 'InvalidResponse', status: '3xx' },
  // A success gets here only where a route counts it among its failures, and nothing else is HTTP.
  { row: 23, class: 'InvalidResponse' },
];
