/** One place that may answer: a provider with a model, or another route. */
import { z } from 'zod';
import { listMap, listSet, mapOf } from './lists.ts';
import { localRouteRefSchema, providerRefSchema } from './references.ts';
import { withRules } from './rule.ts';
import { integer, modelName, patterned } from './scalars.ts';

/** A backend is pinned by `/route/<backend name>/…`, so it must not look like the beginning of an operation. */
export const reservedBackendNames = [
  'v1',
  'chat',
  'completions',
  'responses',
  'embeddings',
  'models',
  'messages',
  'api',
  'audio',
  'images',
  'files',
] as const;

const reserved: ReadonlySet<string> = new Set(reservedBackendNames);

/** Name of a backend. */
export const backendNameSchema = withRules(
  patterned(
    /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/,
    63,
    'lower-case letters, digits, "-" and ".", beginning and ending with a letter or digit',
  ),
  [
    {
      cel: `!(self in [${reservedBackendNames.map((name) => `'${name}'`).join(', ')}])`,
      message: `the name of a backend must not be one of ${reservedBackendNames.join(', ')}: it stands in paths`,
      holds: (name) => !reserved.has(name),
    },
  ],
);

const parameterName = () => patterned(/^[A-Za-z_][-A-Za-z0-9_.]*$/, 64, 'the name of a parameter');

const parametersSchema = z.strictObject({
  // Values are JSON of any shape, which CEL cannot see; the size of the whole object is bounded by the API server.
  set: mapOf(
    z.unknown().meta({ 'x-kubernetes-preserve-unknown-fields': true, description: 'Value of the parameter, as JSON.' }),
    32,
  )
    .optional()
    .describe('Parameters of the request that are added or replaced, by name.'),
  remove: listSet(parameterName(), { max: 32 }).optional().describe('Parameters of the request that are left out.'),
});

/** `spec.rules[].backends[]`. */
export const backendSchema = withRules(
  z.strictObject({
    name: backendNameSchema.describe(
      'Name of the backend, by which it is pinned, disabled and shown; the same name in two rules means the same backend.',
    ),
    providerRef: providerRefSchema.optional().describe('Provider that answers.'),
    routeRef: localRouteRefSchema.optional().describe('Route whose backends answer.'),
    model: modelName()
      .optional()
      .describe("Model of the provider, as in its list of models; the client's own choice where left out."),
    weight: integer(0, 1_000_000)
      .optional()
      .describe('Share of requests among backends of the same priority; 1 where left out, 0 for a spare.'),
    priority: integer(0, 100).optional().describe('Backends with a lower number are asked first; 0 where left out.'),
    parameters: parametersSchema.optional().describe('Changes to the parameters of the request.'),
  }),
  [
    {
      cel: 'has(self.providerRef) != has(self.routeRef)',
      message: 'exactly one of providerRef and routeRef must be given',
      holds: ({ providerRef, routeRef }) => (providerRef === undefined) !== (routeRef === undefined),
    },
    {
      cel: '!has(self.model) || !has(self.routeRef)',
      message: 'model must be left out with routeRef: the backends of that route name their own',
      fieldPath: '.model',
      holds: ({ model, routeRef }) => model === undefined || routeRef === undefined,
    },
    {
      cel: '!has(self.parameters) || !has(self.routeRef)',
      message: 'parameters must be left out with routeRef: the backends of that route have their own',
      fieldPath: '.parameters',
      holds: ({ parameters, routeRef }) => parameters === undefined || routeRef === undefined,
    },
  ],
);

/** `spec.rules[].backends`. 32 in each of 16 rules: a full disable book still fits on one screen of the console. */
export const backendsSchema = listMap(backendSchema, ['name'], { min: 1, max: 32 });
