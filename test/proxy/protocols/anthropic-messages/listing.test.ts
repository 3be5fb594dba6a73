import { describe, expect, test } from 'vitest';

import {
  encodeModel,
  encodeModelList,
  encodeTokenCount,
} from '../../../../proxy/protocols/anthropic-messages/listing.ts';
import { ask, clientOf, versions } from './sdk.ts';

const models = [
  { id: 'claude-opus-4-8', createdAt: 1_780_000_000, maxContextTokens: 1_000_000 },
  { id: 'gpt-5', createdAt: 1_780_000_001 },
  { id: 'meta/llama', createdAt: 1_780_000_002 },
];

const headers = { 'content-type': 'application/json' };

function list(query: string): { ids: string[]; more: boolean; first: unknown; last: unknown } {
  const json = JSON.parse(encodeModelList(models, new URLSearchParams(query)).toString()) as {
    data: { id: string }[];
    has_more: boolean;
    first_id: unknown;
    last_id: unknown;
  };
  return { ids: json.data.map(({ id }) => id), more: json.has_more, first: json.first_id, last: json.last_id };
}

describe('the listing of models', () => {
  test.each(versions)('[150] is what %s expects', async (version) => {
    const { client } = clientOf(version, { body: encodeModelList(models), headers });
    const page = await client.models.list();
    expect(page.data.map(({ id }) => id)).toEqual(['claude-opus-4-8', 'gpt-5', 'meta/llama']);
    expect(page).toMatchObject({ has_more: false, first_id: 'claude-opus-4-8', last_id: 'meta/llama' });
    expect(page.data[0]).toMatchObject({
      type: 'model',
      display_name: 'claude-opus-4-8',
      created_at: '2026-05-28T20:26:40Z',
      max_input_tokens: 1_000_000,
    });
    const one = clientOf(version, { body: encodeModel(models[2]!), headers }).client.models.retrieve('meta/llama');
    await expect(one).resolves.toMatchObject({ type: 'model', id: 'meta/llama', max_input_tokens: null });
  });

  test.each([
    ['', { ids: ['claude-opus-4-8', 'gpt-5', 'meta/llama'], more: false }],
    ['limit=2', { ids: ['claude-opus-4-8', 'gpt-5'], more: true }],
    ['limit=2&after_id=gpt-5', { ids: ['meta/llama'], more: false, first: 'meta/llama', last: 'meta/llama' }],
    ['limit=1&before_id=meta%2Fllama', { ids: ['gpt-5'], more: true }],
    ['before_id=gpt-5', { ids: ['claude-opus-4-8'], more: false }],
    ['before_id=claude-opus-4-8', { ids: [], more: false, first: null, last: null }],
  ])('has the page ?%s', (query, expected) => {
    expect(list(query)).toMatchObject(expected);
  });

  test.each(['limit=0', 'limit=1001', 'limit=x', 'after_id=none', 'before_id=none'])('refuses ?%s', (query) => {
    expect(() => list(query)).toThrow(/must be a number|is not the id of a model/);
  });
});

test.each(versions)('a count of tokens is what %s expects, and never 0', async (version) => {
  const { client } = clientOf(version, { body: encodeTokenCount(14.2), headers });
  await expect(client.messages.countTokens({ model: ask.model, messages: ask.messages })).resolves.toMatchObject({
    input_tokens: 15,
  });
  expect(encodeTokenCount(0).toString()).toBe('{"input_tokens":1}');
});
