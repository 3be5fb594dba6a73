/** LLMRoute: what clients ask for, and what may answer. */
import { z } from 'zod';
import { className } from './class-name.ts';
import { conditions, observedGeneration } from './conditions.ts';
import { apiVersion } from './group.ts';
import type { Immutable } from './immutable.ts';
import { limits } from './limits.ts';
import { listMap } from './lists.ts';
import { objectMetaSchema } from './object-meta.ts';
import { configMapRefSchema } from './references.ts';
import { accessSchema } from './route-access.ts';
import { backendNameSchema, backendsSchema } from './route-backend.ts';
import { failoverClasses, failoverSchema } from './route-failover.ts';
import { matchesSchema } from './route-match.ts';
import { requirementsSchema, strategies, strategyMembers, strategyRules } from './route-policy.ts';
import { withRules } from './rule.ts';
import { integer, label, modelName, patterned, text, timestamp } from './scalars.ts';
import { ruleTimeoutsSchema } from './timeouts.ts';

/** First segments that belong to the protocols and to Ollama clients, never to a route. */
export const reservedPathSegments = ['v1', 'openai', 'anthropic', 'api', 'ping', 'version'] as const;

const reservedPath = `^/(${reservedPathSegments.join('|')})(/[-A-Za-z0-9._~/]*)?$`;

const pathSchema = withRules(
  patterned(
    /^(\/[A-Za-z0-9]([-A-Za-z0-9._~]*[A-Za-z0-9])?)+$/,
    128,
    'a path such as /azure or /team/chat, without "/" at its end',
  ),
  [
    {
      cel: `!self.matches('${reservedPath}')`,
      message: `the first segment of path must not be one of ${reservedPathSegments.join(', ')}`,
      holds: (path) => !new RegExp(reservedPath).test(path),
    },
  ],
);

const publicModelSchema = z.strictObject({
  name: modelName().describe('Public name of the model, or the beginning of it.'),
  type: z.enum(['Exact', 'Prefix']).default('Exact').describe('Whether the whole name or its beginning is compared.'),
});

const ruleSchema = withRules(
  z.strictObject({
    name: label().describe('Name of the rule, unique in the route.'),
    matches: matchesSchema
      .optional()
      .describe('Alternatives of which one must hold; a rule without them takes everything and must be last.'),
    backends: backendsSchema.describe('Places that may answer.'),
    strategy: z.enum(strategies).default('Random').describe('How backends of the same priority are ordered.'),
    ...strategyMembers,
    require: requirementsSchema.optional().describe('What backends must fulfil; the others are left out.'),
    prefer: requirementsSchema
      .optional()
      .describe('What backends should fulfil; those that do are asked before the others of their priority.'),
    failover: failoverSchema.prefault({}).describe('What happens when a backend fails.'),
    timeouts: ruleTimeoutsSchema.optional().describe('Timeouts that differ from those of the provider.'),
  }),
  strategyRules,
);

// 16 rules of 32 backends: 512 candidates are compiled in milliseconds, and the CEL cost stays far below its limit.
const rulesSchema = withRules(listMap(ruleSchema, ['name'], { min: 1, max: 16 }), [
  {
    cel: 'self.filter(rule, !has(rule.matches)).size() <= (self.map(rule, has(rule.matches))[size(self) - 1] ? 0 : 1)',
    message: 'a rule without matches takes everything, so it must be the last one',
    holds: (rules) => rules.every(({ matches }, index) => matches !== undefined || index === rules.length - 1),
  },
]);

const cacheSchema = z.strictObject({
  ttlSeconds: integer(1, 604_800).default(60).describe('How long an answer is kept.'),
  scope: z
    .enum(['Key', 'Tenant', 'Route'])
    .default('Key')
    .describe('Who shares answers: one client key, one tenant, or everybody who may use the route.'),
  maxEntries: integer(1, 1_000_000).optional().describe('Most answers kept for this route.'),
  mode: z.enum(['Exact']).optional().describe('Exact answers from the cache only if the whole request is the same.'),
});

const promptSchema = z.strictObject({
  systemPrepend: text({ min: 1, max: 16_384 })
    .optional()
    .describe('Text put before the system prompt of every request.'),
  templateRef: configMapRefSchema.optional().describe('Entry of a ConfigMap with a text around the prompt.'),
  language: patterned(/^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/, 35, 'a language tag such as de or pt-BR')
    .optional()
    .describe('Language in which models are told to answer.'),
});

/** `spec` of an LLMRoute. */
export const llmRouteSpecSchema = withRules(
  z.strictObject({
    className: className(),
    path: pathSchema
      .optional()
      .describe('URL prefix of the route; a segment with the name of a backend after it pins that backend.'),
    models: listMap(publicModelSchema, ['name', 'type'], { max: 64 })
      .optional()
      .describe('Public names of models that the route answers for on the common paths.'),
    protocol: z
      .enum(['OpenAIChat', 'OpenAICompletions', 'OpenAIResponses', 'OpenAIEmbeddings', 'AnthropicMessages', 'Ollama'])
      .default('OpenAIChat')
      .describe('Protocol of requests that arrive on the bare path.'),
    rules: rulesSchema.describe('Rules of which the first that matches a request serves it.'),
    cache: cacheSchema.optional().describe('Keeps answers for requests that come again; none are kept where left out.'),
    access: accessSchema.prefault({}).describe('Who may use the route.'),
    limits: limits('the whole route'),
    prompt: promptSchema.optional().describe('What is added to every prompt.'),
  }),
  [
    {
      cel: 'has(self.path) || (has(self.models) && size(self.models) > 0)',
      message: 'at least one of path and models must be given',
      holds: ({ path, models = [] }) => path !== undefined || models.length > 0,
    },
  ],
);

const backendStatusSchema = z.strictObject({
  name: backendNameSchema.describe('Name of the backend.'),
  state: z.enum(['Enabled', 'Disabled']).describe('Whether requests are sent to the backend.'),
  reason: z
    .enum([...failoverClasses, 'Probe', 'Manual'])
    .optional()
    .describe('Class of the failure that disabled it, Probe for a failed probe of its provider, or Manual.'),
  until: timestamp().optional().describe('When it returns; not before somebody enables it where left out.'),
});

/** `status` of an LLMRoute. */
export const llmRouteStatusSchema = z.strictObject({
  observedGeneration: observedGeneration(),
  conditions: conditions(),
  backends: listMap(backendStatusSchema, ['name'], { max: 64 })
    .optional()
    .describe('Backends that are disabled, and others as far as there is room.'),
  summary: z
    .strictObject({
      backends: text({ max: 32 }).optional().describe('Usable and all backends, as 2/3.'),
      models: text({ max: 256 }).optional().describe('Public model names, cut where there are many.'),
      strategies: text({ max: 256 }).optional().describe('Strategies of the rules.'),
    })
    .optional()
    .describe('What kubectl get shows and cannot put together itself.'),
});

/** A whole LLMRoute. */
export const llmRouteSchema = z.strictObject({
  apiVersion: z.literal(apiVersion),
  kind: z.literal('LLMRoute'),
  metadata: objectMetaSchema,
  spec: llmRouteSpecSchema,
  status: llmRouteStatusSchema.optional(),
});

/** An LLMRoute with its defaults filled in. */
export type LLMRoute = Immutable<z.output<typeof llmRouteSchema>>;
