/** LLMKey: a key, what it may open, and how much. */
import { z } from 'zod';
import { className } from './class-name.ts';
import { conditions, observedGeneration } from './conditions.ts';
import { apiVersion } from './group.ts';
import type { Immutable } from './immutable.ts';
import { clientSchema } from './key-client.ts';
import { limits } from './limits.ts';
import { listSet } from './lists.ts';
import { objectMetaSchema } from './object-meta.ts';
import { localProviderRefSchema, secretRefSchema } from './references.ts';
import { withRules } from './rule.ts';
import { headerToken, integer, labelText, modelPattern, objectName, timestamp } from './scalars.ts';

const upstreamSchema = z.strictObject({
  providerRef: localProviderRefSchema.describe('Provider whose pool this key joins.'),
  models: listSet(modelPattern(), { max: 64 })
    .optional()
    .describe('Models that the key opens, each a name or a beginning with "*"; all where left out or empty.'),
  weight: integer(0, 1_000_000).optional().describe('Share of requests with the strategy Weighted; 1 where left out.'),
  priority: integer(0, 1000).optional().describe('Place in the strategy PriorityOrder, 0 first; 0 where left out.'),
  organization: headerToken(128)
    .optional()
    .describe('Organization that the vendor charges, where the vendor knows such a thing.'),
  project: headerToken(128)
    .optional()
    .describe('Project that the vendor charges, where the vendor knows such a thing.'),
});

const keyType = withRules(z.enum(['Upstream', 'Client']), [
  // Only the API server sees the previous object, so zod has no part in this.
  { cel: 'self == oldSelf', message: 'type cannot be changed; make a new object' },
]);

/** `spec` of an LLMKey. */
export const llmKeySpecSchema = withRules(
  z.strictObject({
    className: className(),
    type: keyType.describe('Upstream opens a provider to the proxies; Client opens routes to a client.'),
    state: z
      .enum(['Enabled', 'Disabled'])
      .default('Enabled')
      .describe('Disabled takes the key out of service at once.'),
    expirationTime: timestamp().optional().describe('When the key stops being usable; never where left out.'),
    secretRef: secretRefSchema
      .optional()
      .describe('Where the key itself is; needed for Upstream, and for Client where client.generate is left out.'),
    limits: limits('this key'),
    upstream: upstreamSchema
      .optional()
      .describe('What an Upstream key belongs to; present if and only if type is Upstream.'),
    client: clientSchema.optional().describe('What a Client key may open; present if and only if type is Client.'),
  }),
  [
    {
      cel: "(self.type == 'Upstream') == has(self.upstream)",
      message: 'upstream must be given where type is Upstream, and nowhere else',
      fieldPath: '.upstream',
      holds: ({ type, upstream }) => (type === 'Upstream') === (upstream !== undefined),
    },
    {
      cel: "(self.type == 'Client') == has(self.client)",
      message: 'client must be given where type is Client, and nowhere else',
      fieldPath: '.client',
      holds: ({ type, client }) => (type === 'Client') === (client !== undefined),
    },
    {
      cel: "self.type != 'Upstream' || has(self.secretRef)",
      message: 'secretRef must be given where type is Upstream',
      fieldPath: '.secretRef',
      holds: ({ type, secretRef }) => type !== 'Upstream' || secretRef !== undefined,
    },
    {
      cel: '!has(self.client) || has(self.secretRef) != has(self.client.generate)',
      message: 'exactly one of secretRef and client.generate must be given where type is Client',
      fieldPath: '.client',
      holds: ({ client, secretRef }) =>
        client === undefined || (secretRef === undefined) !== (client.generate === undefined),
    },
  ],
);

/** `status` of an LLMKey. */
export const llmKeyStatusSchema = z.strictObject({
  observedGeneration: observedGeneration(),
  conditions: conditions(),
  tenant: labelText().optional().describe('Tenant that the key proves.'),
  secretName: objectName().optional().describe('Secret that holds the key.'),
  lastRotationTime: timestamp().optional().describe('When the operator last made a new key.'),
});

/** A whole LLMKey. */
export const llmKeySchema = z.strictObject({
  apiVersion: z.literal(apiVersion),
  kind: z.literal('LLMKey'),
  metadata: objectMetaSchema,
  spec: llmKeySpecSchema,
  status: llmKeyStatusSchema.optional(),
});

/** An LLMKey with its defaults filled in. */
export type LLMKey = Immutable<z.output<typeof llmKeySchema>>;
