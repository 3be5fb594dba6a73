/** LLMProvider: a configured place to send requests. */
import { z } from 'zod';
import { className } from './class-name.ts';
import { conditions, observedGeneration } from './conditions.ts';
import { apiVersion } from './group.ts';
import type { Immutable } from './immutable.ts';
import { limits } from './limits.ts';
import { mapOf } from './lists.ts';
import { objectMetaSchema } from './object-meta.ts';
import { endpointSchema, tlsSchema } from './provider-endpoint.ts';
import { providerModelsSchema } from './provider-models.ts';
import { providerTypes, vendorMembers, vendorRules } from './provider-vendors.ts';
import { withRules } from './rule.ts';
import { integer, text, url, urlPath } from './scalars.ts';
import { providerTimeoutsSchema } from './timeouts.ts';

const keyPoolSchema = z.strictObject({
  strategy: z
    .enum(['RoundRobin', 'LeastUsed', 'Weighted', 'PriorityOrder'])
    .default('RoundRobin')
    .describe('How a key is chosen among those that are usable.'),
  stickiness: z
    .enum(['None', 'Conversation', 'Client'])
    .optional()
    .describe(
      "What stays on the same key as long as that is usable, for the vendor's prompt cache; None where left out.",
    ),
});

const credentialsSchema = withRules(
  z.strictObject({
    type: z
      .enum(['KeyPool', 'None', 'Passthrough', 'Workload'])
      .default('KeyPool')
      .describe(
        "KeyPool uses the LLMKeys that name this provider, None sends none, Passthrough sends the client's own, Workload uses the cloud identity of the proxy (Bedrock and VertexAI without an endpoint of their own, in namespaces with the label sluice.dev/workload-identity: true).",
      ),
    keyPool: keyPoolSchema.optional().describe('How keys of the pool are used; only where type is KeyPool.'),
  }),
  [
    {
      cel: "!has(self.keyPool) || self.type == 'KeyPool'",
      message: 'keyPool must be left out unless type is KeyPool',
      fieldPath: '.keyPool',
      holds: ({ type, keyPool }) => keyPool === undefined || type === 'KeyPool',
    },
  ],
);

const probeSchema = withRules(
  z.strictObject({
    path: urlPath().describe('Path of the endpoint that is asked with GET, appended to its base URL.'),
    periodSeconds: integer(1, 3600).default(30).describe('Time between two probes.'),
    timeoutSeconds: integer(1, 300).optional().describe('Longest time for an answer; the period where left out.'),
    unhealthyAfterMillis: integer(1, 300_000)
      .optional()
      .describe('An answer that takes longer than this counts as a failure.'),
  }),
  [
    {
      cel: '!has(self.timeoutSeconds) || self.timeoutSeconds <= self.periodSeconds',
      message: 'timeoutSeconds must not be greater than periodSeconds',
      fieldPath: '.timeoutSeconds',
      holds: ({ timeoutSeconds, periodSeconds }) => timeoutSeconds === undefined || timeoutSeconds <= periodSeconds,
    },
  ],
);

const attributeName = '^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$';

const attributesSchema = withRules(mapOf(text({ max: 63 }), 16), [
  {
    cel: `self.all(name, name.matches("${attributeName}"))`,
    message:
      'names of attributes must be letters, digits, "-", "_" and ".", at most 63, beginning and ending with a letter or digit',
    holds: (attributes) => Object.keys(attributes).every((name) => new RegExp(attributeName).test(name)),
  },
]);

/** `spec` of an LLMProvider. */
export const llmProviderSpecSchema = withRules(
  z.strictObject({
    className: className(),
    type: z.enum(providerTypes).describe('Vendor; decides protocol, default base URL, authentication and quirks.'),
    endpoint: endpointSchema
      .optional()
      .describe(
        'Where the provider is reached; must be given for LMStudio, Ollama, OpenAICompatible and VLLM, and for AzureOpenAI without azure.resource; others have a default.',
      ),
    ...vendorMembers,
    credentials: credentialsSchema.prefault({}).describe('What proves to the provider who is asking.'),
    models: providerModelsSchema
      .optional()
      .describe('Models that the provider offers; any model where left out or empty.'),
    attributes: attributesSchema.optional().describe('Facts that policies of routes ask for, such as residency: eu.'),
    limits: limits('the whole provider'),
    timeouts: providerTimeoutsSchema
      .optional()
      .describe('How long to wait for what; nothing takes longer than totalSeconds, whether that is given or not.'),
    health: z
      .strictObject({ probe: probeSchema.describe('A request made again and again by one of the proxies.') })
      .optional()
      .describe('Active checks; without them only real requests tell whether the provider works.'),
    tls: tlsSchema.optional().describe('How the certificate of the endpoint is checked.'),
    egressProxyURL: url().optional().describe('HTTP proxy through which the provider is reached.'),
  }),
  vendorRules,
);

/** `status` of an LLMProvider. */
export const llmProviderStatusSchema = z.strictObject({
  observedGeneration: observedGeneration(),
  conditions: conditions(),
  keys: z
    .strictObject({
      usable: integer(0, 100_000).describe('Number of LLMKeys of the pool that are usable.'),
      total: integer(0, 100_000).describe('Number of LLMKeys that name this provider.'),
    })
    .optional()
    .describe('Keys of the pool.'),
  summary: z
    .strictObject({ keys: text({ max: 32 }).optional().describe('Usable and all keys, as 2/3.') })
    .optional()
    .describe('What kubectl get shows and cannot put together itself.'),
});

/** A whole LLMProvider. */
export const llmProviderSchema = z.strictObject({
  apiVersion: z.literal(apiVersion),
  kind: z.literal('LLMProvider'),
  metadata: objectMetaSchema,
  spec: llmProviderSpecSchema,
  status: llmProviderStatusSchema.optional(),
});

/** An LLMProvider with its defaults filled in. */
export type LLMProvider = Immutable<z.output<typeof llmProviderSchema>>;
