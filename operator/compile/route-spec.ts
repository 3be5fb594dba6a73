// Parts of an LLMRoute, as people write them.

import type { LLMRoute } from '../../crds/llm-route.ts';

/** A rule of a route. */
export type RuleSpec = LLMRoute['spec']['rules'][number];
/** A backend of a rule. */
export type BackendSpec = RuleSpec['backends'][number];
