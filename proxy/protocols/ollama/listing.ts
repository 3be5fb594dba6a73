// The operations of this API that are about models and the server itself. Many clients ask for them before anything
// else, and go by what they find.

import { createHash } from 'node:crypto';

import { ClientError } from '../../canonical/client-error.ts';
import type { JsonObject } from '../openai/wire.ts';
import type { ListedModel, LocalAnswer, LocalOperation, LocalRequest } from '../protocol.ts';
import { openBody } from './settings.ts';
import { toTimestamp } from './wire.ts';

/** All operations that are answered here. */
export const ollamaLocalOperations: readonly LocalOperation[] = [
  // How clients find out that the server is there.
  {
    path: '/',
    methods: ['GET', 'HEAD'],
    answer: () => ({ contentType: 'text/plain; charset=utf-8', body: Buffer.from('Ollama is running') }),
  },
  { path: '/api/version', methods: ['GET', 'HEAD'], answer: () => toJson({ version }) },
  { path: '/api/tags', methods: ['GET', 'HEAD'], answer: ({ models }) => toJson({ models: models().map(toListed) }) },
  { path: '/api/ps', methods: ['GET'], answer: ({ models }) => toJson({ models: models().map(toRunning) }) },
  { path: '/api/show', methods: ['POST'], answer: show },
];

/** The version of the API that all of this is: clients compare it, number by number, with the one that they need. */
const version = '0.40.0';

/** There is no file with a format and a family; clients print them, or look for parameters of that family. */
const architecture = 'sluice';

/** Until when every model is as good as loaded: what servers say of those that are never unloaded. */
const forever = '2318-01-01T00:00:00Z';

/** What the configuration says that a model can do, in this API's words. */
const capabilityNames: { readonly [capability: string]: string } = {
  Tools: 'tools',
  Vision: 'vision',
  Reasoning: 'thinking',
};

/** Editors offer only models that take tools: where nobody has said what a model can do, it is worth a try. */
const capabilitiesUnsaid = ['completion', 'tools'];

function toCapabilities({ capabilities }: ListedModel): readonly string[] {
  if (capabilities === undefined) return capabilitiesUnsaid;
  return ['completion', ...capabilities.flatMap((name) => capabilityNames[name] ?? [])];
}

/** Editors want `model_info` and `capabilities`, and tools among the latter. */
function show({ body, models }: LocalRequest): LocalAnswer {
  const name = readShownModel(body);
  const model = models().find(({ id }) => id === name);
  if (model === undefined) throw new ClientError('model_not_found', { message: `model '${name}' not found` });
  const { createdAt, maxContextTokens } = model;
  return toJson({
    modelfile: `FROM ${name}`,
    parameters: '',
    template: '{{ .Prompt }}',
    details,
    model_info: {
      'general.architecture': architecture,
      'general.basename': name,
      ...(maxContextTokens !== undefined && { [`${architecture}.context_length`]: maxContextTokens }),
    },
    capabilities: toCapabilities(model),
    modified_at: toTimestamp(createdAt * 1000),
  });
}

/** Clients of old call it `name`. */
function readShownModel(body: Buffer): string {
  const reader = openBody(body);
  return reader.text('model') ?? reader.requiredText('name');
}

const details = {
  parent_model: '',
  format: '',
  family: architecture,
  families: [architecture],
  parameter_size: '',
  quantization_level: '',
};

function toListed(model: ListedModel): JsonObject {
  const { id, createdAt } = model;
  return {
    name: id,
    model: id,
    modified_at: toTimestamp(createdAt * 1000),
    size: 0,
    // The command line prints its first twelve characters, and breaks where there are fewer.
    digest: createHash('sha256').update(id).digest('hex'),
    details,
    capabilities: toCapabilities(model),
  };
}

function toRunning(model: ListedModel): JsonObject {
  return { ...toListed(model), expires_at: forever, size_vram: 0, context_length: model.maxContextTokens ?? 0 };
}

function toJson(value: JsonObject): LocalAnswer {
  return { contentType: 'application/json', body: Buffer.from(JSON.stringify(value)) };
}
