// What a request wants of a model is compared with what the configuration says of it, before anything is sent: who cannot do
// it is passed over, and if nobody can, the client is told what it is.

import { describe, expect, it } from 'vitest';
import type { ModelConfig } from '../../../proxy/config/schema.ts';
import { chat } from '../../support/chat.ts';
import { ask, errorOf, type PlainAnswer } from '../../support/client.ts';
import { backend, provider } from '../../support/config.ts';
import { answer } from '../../support/scripts.ts';
import { openStage, type Stage, type StageOptions } from '../../support/stage.ts';
import type { Script } from '../../support/upstream.ts';

type Declared = Partial<Pick<ModelConfig, 'capabilities' | 'maxContextTokens'>>;

/** Backends in the order of their names, each with one model of which this is said. */
function stageOf<Name extends string>(
  models: Readonly<Record<Name, Declared>>,
  options: StageOptions & { readonly scripts?: Partial<Record<Name, Script>> } = {},
): Promise<Stage<Name>> {
  const names = Object.keys(models) as Name[];
  const scripts = Object.fromEntries(names.map((name) => [name, options.scripts?.[name] ?? chat(name)]));
  return openStage(scripts as Record<Name, Script>, {
    ...options,
    rule: { backends: names.map((name, priority) => backend(name, { priority, model: 'm' })), ...options.rule },
    draft: (usual) => ({
      ...usual,
      providers: usual.providers.map(({ id, baseURL }) => {
        const name = id.slice(id.indexOf('/') + 1) as Name;
        return provider(name, baseURL, { models: [{ name: 'm', upstreamName: 'm', ...models[name] }] });
      }),
    }),
  });
}

const said = (...content: readonly object[]): object => {
  return { model: 'chat', messages: [{ role: 'user', content: [{ type: 'text', text: 'one' }, ...content] }] };
};
const picture = { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } };
const tool = { type: 'function', function: { name: 'f', parameters: { type: 'object', properties: {} } } };
const schema = { name: 's', schema: { type: 'object', properties: {} } };

const wishes: readonly (readonly [string, string, object])[] = [
  ['Tools', 'chat/completions', { ...said(), tools: [tool] }],
  ['Vision', 'chat/completions', said(picture)],
  ['Documents', 'chat/completions', said({ type: 'file', file: { file_data: 'data:application/pdf;base64,AAAA' } })],
  ['Audio', 'chat/completions', said({ type: 'input_audio', input_audio: { format: 'wav', data: 'AAAA' } })],
  ['JSONSchema', 'chat/completions', { ...said(), response_format: { type: 'json_schema', json_schema: schema } }],
  ['Reasoning', 'chat/completions', { ...said(), reasoning_effort: 'low' }],
  [
    'Vision',
    'messages',
    {
      model: 'chat',
      max_tokens: 9,
      messages: [
        {
          role: 'user',
          content: [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' } }],
        },
      ],
    },
  ],
  [
    'Tools',
    'responses',
    { model: 'chat', input: 'one', tools: [{ type: 'function', name: 'f', parameters: { type: 'object' } }] },
  ],
];

const messageOf = (answered: PlainAnswer): string => errorOf(answered).message;

describe.each(wishes)('a request that wants %s, by %s,', (need, path, body) => {
  it('goes to the first model that has it, or of which nothing is said', async () => {
    await using stage = await stageOf({ a: { capabilities: ['Prefill'] }, b: { capabilities: [need] }, c: {} });
    const answered = await ask(`${stage.gateway.url}/v1/${path}`, { body });
    expect([answered.status, answered.headers['x-sluice-backend']]).toEqual([200, 'b']);
    expect(stage.upstreams.a.requests).toHaveLength(0);
    await using silent = await stageOf({ a: { capabilities: [] }, c: {} });
    expect((await ask(`${silent.gateway.url}/v1/${path}`, { body })).headers['x-sluice-backend']).toBe('c');
  });

  it('is refused where no model has it, by its name, and nobody is asked', async () => {
    await using stage = await stageOf({ a: { capabilities: [] }, b: { capabilities: ['Prefill'] } });
    const answered = await ask(`${stage.gateway.url}/v1/${path}`, { body });
    expect(answered.status).toBe(400);
    expect(answered.headers).toMatchObject({ 'x-should-retry': 'false', 'x-sluice-error': 'unsupported_capability' });
    expect(messageOf(answered)).toBe(`The request needs what no model of the route has: ${need}.`);
    expect([...stage.upstreams.a.requests, ...stage.upstreams.b.requests]).toEqual([]);
    const pinned = await ask(`${stage.gateway.url}/chat/a/${path}`, { body });
    expect(pinned.status).toBe(400);
  });
});

describe('a request', () => {
  it('that wants nothing goes to models that can do nothing', async () => {
    await using stage = await stageOf({ a: { capabilities: [] } });
    expect((await ask(stage.chatURL, { body: said() })).status).toBe(200);
    const off = { ...said(), reasoning_effort: 'none', tools: [], response_format: { type: 'json_object' } };
    expect((await ask(stage.chatURL, { body: off })).status).toBe(200);
  });

  it('that wants two things which no model has both of is told so', async () => {
    await using stage = await stageOf({ a: { capabilities: ['Tools'] }, b: { capabilities: ['Vision'] } });
    const answered = await ask(stage.chatURL, { body: { ...said(picture), tools: [tool] } });
    expect(messageOf(answered)).toBe('The request needs Tools, Vision, and no model of the route has all of it.');
  });

  it('does not fail over to a model that cannot do it', async () => {
    await using stage = await stageOf(
      { a: { capabilities: ['Tools'] }, b: { capabilities: [] } },
      { scripts: { a: answer('', { status: 500 }) } },
    );
    const answered = await ask(stage.chatURL, { body: { ...said(), tools: [tool] } });
    expect([answered.status, answered.headers['x-sluice-error']]).toEqual([502, 'upstream_error']);
    expect(stage.upstreams.b.requests).toHaveLength(0);
    // Now that one is out: that is no reason to say that nobody could.
    const later = await ask(stage.chatURL, { body: { ...said(), tools: [tool] } });
    expect(later.status).toBe(502);
  });
});

/** Plain words: about as many tokens. */
const words = (count: number): object => {
  return { model: 'chat', messages: [{ role: 'user', content: 'word '.repeat(count).trim() }] };
};

describe('a request that is longer than a context', () => {
  const models = { small: { maxContextTokens: 1000 }, large: { maxContextTokens: 100_000 } };

  it('by more than a tenth is not sent there while another can take it', async () => {
    await using stage = await stageOf(models);
    for (const [count, name] of [
      [900, 'small'],
      [1050, 'small'],
      [1200, 'large'],
    ] as const) {
      const answered = await ask(stage.chatURL, { body: words(count) });
      expect([answered.status, count, answered.headers['x-sluice-backend']]).toEqual([200, count, name]);
    }
  });

  it('is sent there if nobody else is there, or has been asked: only the model knows', async () => {
    await using stage = await stageOf(models, { scripts: { large: answer('', { status: 500 }) } });
    const first = await ask(stage.chatURL, { body: words(1200) });
    expect(first.headers['x-sluice-error']).toBe('upstream_error');
    expect(stage.upstreams.small.requests).toHaveLength(0);
    const later = await ask(stage.chatURL, { body: words(1200) });
    expect([later.status, later.headers['x-sluice-backend']]).toEqual([200, 'small']);
  });

  it('is sent to those of whom nothing is said', async () => {
    await using stage = await stageOf({ small: models.small, other: {} });
    expect((await ask(stage.chatURL, { body: words(1200) })).headers['x-sluice-backend']).toBe('other');
  });
});
