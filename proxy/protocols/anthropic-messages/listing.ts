// Listings of models and counts of tokens, as clients of this protocol ask for them.
// https://platform.claude.com/docs/en/api/models-list, …/messages-count-tokens

import { ClientError } from '../../canonical/client-error.ts';
import type { ListedModel } from '../protocol.ts';

/** Models on a page, where the client does not say, and at most. */
const limitDefault = 20;
const limitMax = 1000;

/** The answer to `GET /v1/models`; the query says which page of it. Throws ClientError for one that there is not. */
export function encodeModelList(models: readonly ListedModel[], query = new URLSearchParams()): Buffer {
  const { shown, more } = cut(models, query);
  const data = shown.map(toWireModel);
  const [first, last] = [shown.at(0)?.id ?? null, shown.at(-1)?.id ?? null];
  return Buffer.from(JSON.stringify({ data, has_more: more, first_id: first, last_id: last }));
}

/** The answer to `GET /v1/models/{id}`. An unknown id is a ClientError `model_not_found`. */
export function encodeModel(model: ListedModel): Buffer {
  return Buffer.from(JSON.stringify(toWireModel(model)));
}

/** The answer to `POST /v1/messages/count_tokens`. */
export function encodeTokenCount(inputTokens: number): Buffer {
  return Buffer.from(JSON.stringify({ input_tokens: Math.max(1, Math.ceil(inputTokens)) }));
}

/** The page behind one model, or the one that ends before another. */
function cut(models: readonly ListedModel[], query: URLSearchParams): { shown: readonly ListedModel[]; more: boolean } {
  const limit = readLimit(query.get('limit'));
  const end = find(models, 'before_id', query);
  if (end !== undefined) {
    const from = Math.max(0, end - limit);
    return { shown: models.slice(from, end), more: from > 0 };
  }
  const from = (find(models, 'after_id', query) ?? -1) + 1;
  return { shown: models.slice(from, from + limit), more: from + limit < models.length };
}

function readLimit(limit: string | null): number {
  if (limit === null) return limitDefault;
  const value = Number(limit);
  if (!Number.isInteger(value) || value < 1 || value > limitMax) {
    throw new ClientError('invalid_request', { message: `limit must be a number from 1 to ${limitMax}.` });
  }
  return value;
}

/** Where the model is that a page begins or ends at; undefined if the query names none. */
function find(models: readonly ListedModel[], name: string, query: URLSearchParams): number | undefined {
  const id = query.get(name);
  if (id === null) return undefined;
  const index = models.findIndex((model) => model.id === id);
  if (index === -1) throw new ClientError('invalid_request', { message: `${name} is not the id of a model.` });
  return index;
}

/** Of models behind a gateway little more is known than their names; the API says so with null. */
function toWireModel({ id, createdAt, maxContextTokens }: ListedModel): object {
  return {
    type: 'model',
    id,
    display_name: id,
    created_at: new Date(createdAt * 1000).toISOString().replace('.000Z', 'Z'),
    capabilities: null,
    max_input_tokens: maxContextTokens ?? null,
    max_tokens: null,
    lifecycle: 'active',
    deprecated_at: null,
    retires_at: null,
    line: null,
  };
}
