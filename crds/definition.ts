/** The three CustomResourceDefinitions, without their schemas: names, columns, and what a person sees of them. */
import type { z } from 'zod';
import { type Kind, plurals } from './group.ts';
import { llmKeySpecSchema, llmKeyStatusSchema } from './llm-key.ts';
import { llmProviderSpecSchema, llmProviderStatusSchema } from './llm-provider.ts';
import { llmRouteSpecSchema, llmRouteStatusSchema } from './llm-route.ts';

/** A column of `kubectl get`; priority 1 shows it only with `-o wide`. */
export interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'date';
  readonly jsonPath: string;
  readonly description: string;
  readonly priority?: 1;
}

/** What a CustomResourceDefinition says about one kind. */
export interface KindDefinition {
  readonly kind: Kind;
  readonly plural: string;
  readonly shortName: string;
  readonly description: string;
  readonly spec: z.ZodType;
  readonly status: z.ZodType;
  readonly columns: readonly PrinterColumn[];
  readonly selectableFields: readonly string[];
}

const ready = condition('Ready', 'status', 'Whether everything about the object is in order.');
const readyReason = { ...condition('Ready', 'reason', 'Why it is not ready.'), name: 'Reason', priority: 1 } as const;
const className = column('Class', '.spec.className', 'Installation that reconciles the object.', 1);
// Without a priority this would be the last column that kubectl adds by itself if there were no others.
const age: PrinterColumn = {
  name: 'Age',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
  description: 'Time since the object was made.',
};

/** All kinds, in the order of their files. */
export const kindDefinitions: readonly KindDefinition[] = [
  {
    kind: 'LLMProvider',
    plural: plurals.LLMProvider,
    shortName: 'llmp',
    description: 'LLMProvider is a place to which requests for language models are sent.',
    spec: llmProviderSpecSchema.describe('Desired state.'),
    status: llmProviderStatusSchema.describe('Observed state, written by the operator.'),
    columns: [
      column('Type', '.spec.type', 'Vendor.'),
      column('Keys', '.status.summary.keys', 'Usable and all keys of the pool.'),
      ready,
      age,
      readyReason,
      className,
    ],
    selectableFields: [],
  },
  {
    kind: 'LLMRoute',
    plural: plurals.LLMRoute,
    shortName: 'llmr',
    description: 'LLMRoute says what clients ask for, and what may answer.',
    spec: llmRouteSpecSchema.describe('Desired state.'),
    status: llmRouteStatusSchema.describe('Observed state, written by the operator.'),
    columns: [
      column('Path', '.spec.path', 'URL prefix of the route.'),
      column('Models', '.status.summary.models', 'Public names of models.'),
      column('Backends', '.status.summary.backends', 'Usable and all backends.'),
      ready,
      age,
      column('Strategy', '.status.summary.strategies', 'How backends are ordered.', 1),
      readyReason,
      className,
    ],
    selectableFields: [],
  },
  {
    kind: 'LLMKey',
    plural: plurals.LLMKey,
    shortName: 'llmk',
    description: 'LLMKey is a key: what it opens, and how much may be used with it.',
    spec: llmKeySpecSchema.describe('Desired state.'),
    status: llmKeyStatusSchema.describe('Observed state, written by the operator.'),
    columns: [
      column('Type', '.spec.type', 'Upstream or Client.'),
      column('Provider', '.spec.upstream.providerRef.name', 'Provider whose pool the key joins.'),
      column('Tenant', '.status.tenant', 'Tenant that the key proves.'),
      condition('Usable', 'status', 'Whether requests are made or let in with the key.'),
      // Not of type date: kubectl would show a time in the future as <invalid>.
      column('Expires', '.spec.expirationTime', 'When the key stops being usable.'),
      age,
      readyReason,
      column('Secret', '.status.secretName', 'Secret that holds the key.', 1),
    ],
    selectableFields: ['.spec.type'],
  },
];

function column(name: string, jsonPath: string, description: string, priority?: 1): PrinterColumn {
  return { name, type: 'string', jsonPath, description, ...(priority === undefined ? {} : { priority }) };
}

function condition(type: string, member: 'status' | 'reason', description: string): PrinterColumn {
  return column(type, `.status.conditions[?(@.type=="${type}")].${member}`, description);
}
