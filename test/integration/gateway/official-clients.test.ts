// The official OpenAI clients, unmodified but for their base URL, find in the gateway what they find at OpenAI.

import { readFileSync } from 'node:fs';
import OpenAI from 'openai';
import OpenAI6 from 'openai6';
import { describe, expect, it } from 'vitest';
import { chat, markedText } from '../../support/chat.ts';
import { ask, official } from '../../support/client.ts';
import type { ProviderConfig } from '../../../proxy/config/schema.ts';
import { clientKey } from '../../support/config.ts';
import { openai } from '../../support/openai-answers.ts';
import { answer, stopAfter, stopAtOnce, stream } from '../../support/scripts.ts';
import { openStage, type Stage, type StageOptions } from '../../support/stage.ts';
import type { Script } from '../../support/upstream.ts';

const fixtures = new URL('../../proxy/protocols/fixtures/', import.meta.url);
const messages = [{ role: 'user', content: 'one' }] as const;
const tools = ['weather', 'time'].map((name) => ({
  type: 'function' as const,
  function: { name, parameters: { type: 'object', properties: {} } },
}));

const models = ['chat', 'embedder', 'responder', 'completer'].map((name) => ({ name, type: 'Exact' }) as const);

function stageOf(scripts: Record<string, Script>, options: StageOptions = {}): Promise<Stage<string>> {
  return openStage(scripts, { route: { models }, ...options });
}

describe.each(['v7', 'v6'] as const)('the official client %s', (version) => {
  it('[203] gets the right vectors of an upstream that knows no base64, and its bytes where it asks for numbers', async () => {
    const data = [0.5, -0.25].map((value, index) => ({ object: 'embedding', index, embedding: [value, 1] }));
    const body = `{"object":"list" ,"data":${JSON.stringify(data)},"model":"m","usage":{"prompt_tokens":1,"total_tokens":1},"x":1.0}`;
    await using stage = await stageOf({ floats: answer(body) });
    const client = official(version, `${stage.gateway.url}/v1`);
    const got = await client.embeddings.create({ model: 'embedder', input: ['a', 'b'] });
    expect(got.data.map(({ embedding }) => [...embedding])).toEqual([
      [0.5, 1],
      [-0.25, 1],
    ]);
    const asked = { model: 'embedder', input: ['a', 'b'], encoding_format: 'float' };
    expect((await ask(`${stage.gateway.url}/v1/embeddings`, { body: asked })).text).toBe(body);
  });

  it('gets a chat completion, and can read every part of it', async () => {
    await using stage = await stageOf({ dud: answer('', { status: 500 }), good: openai('good') });
    const client = official(version, `${stage.gateway.url}/v1`);
    const { data, response, request_id } = await client.chat.completions
      .create({ model: 'chat', messages: [...messages] })
      .withResponse();
    expect(data.choices[0]?.message.content).toBe(markedText('good', 'one'));
    expect(data.usage).toEqual({ prompt_tokens: 3, completion_tokens: 5, total_tokens: 8 });
    expect(response.headers.get('x-sluice-backend')).toBe('good');
    expect(request_id).toBe(response.headers.get('x-request-id'));
  });

  it('[30] [31] streams a chat completion, with usage where it asks for it and without where it does not', async () => {
    await using stage = await stageOf({ dud: stopAtOnce('reset'), good: openai('good') });
    const client = official(version, `${stage.gateway.url}/v1`);
    for (const wanted of [true, false]) {
      const stream = await client.chat.completions.create({
        model: 'chat',
        messages: [...messages],
        stream: true,
        ...(wanted ? { stream_options: { include_usage: true } } : {}),
      });
      const chunks = [];
      for await (const chunk of stream) chunks.push(chunk);
      expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).toBe(markedText('good', 'one'));
      expect(chunks.filter((chunk) => chunk.usage).length).toBe(wanted ? 1 : 0);
      expect(chunks.flatMap((chunk) => chunk.choices.map((choice) => choice.finish_reason ?? [])).flat()).toEqual([
        'stop',
      ]);
    }
    expect(stage.upstreams['good']?.requests.map(({ json }) => json['stream_options'])).toEqual([
      { include_usage: true },
      { include_usage: true },
    ]);
  });

  it('[33] calls two tools at once, whole and streamed', async () => {
    await using stage = await stageOf({ good: openai('good') });
    const client = official(version, `${stage.gateway.url}/v1`);
    const wanted = [
      { name: 'weather', arguments: '{"city":"Oslo"}' },
      { name: 'time', arguments: '{"zone":"UTC"}' },
    ];
    const request = { model: 'chat', messages: [...messages], tools, parallel_tool_calls: true };
    const whole = await client.chat.completions.create(request);
    const called = (list: readonly OpenAI.ChatCompletionMessageToolCall[] = []): unknown[] =>
      list.map((call) => (call.type === 'function' ? { ...call.function } : call));
    expect(called(whole.choices[0]?.message.tool_calls)).toMatchObject(wanted);
    const streamed = await client.chat.completions.stream(request).finalChatCompletion();
    expect(called(streamed.choices[0]?.message.tool_calls)).toMatchObject(wanted);
    expect(streamed.choices[0]?.finish_reason).toBe('tool_calls');
  });

  it('gets embeddings, which it asks for in base64 by default', async () => {
    await using stage = await stageOf({ good: openai('good') });
    const client = official(version, `${stage.gateway.url}/v1`);
    const floats = [0.5, -0.25, 1, 0];
    const usual = await client.embeddings.create({ model: 'embedder', input: 'one' });
    expect([...(usual.data[0]?.embedding ?? [])]).toEqual(floats);
    const plain = await client.embeddings.create({ model: 'embedder', input: 'one', encoding_format: 'float' });
    expect(plain.data[0]?.embedding).toEqual(floats);
    const { requests } = stage.upstreams['good'] ?? { requests: [] };
    expect(requests.map(({ target, json }) => [target, json['encoding_format']])).toEqual([
      ['/v1/embeddings', 'base64'],
      ['/v1/embeddings', 'float'],
    ]);
  });

  it.each<[string, ProviderConfig['type'], string]>([
    ['of an upstream that has them', 'OpenAI', 'good day'],
    ['of one that only chats', 'OpenAICompatible', markedText('good', 'one')],
  ])('gets a response, whole and streamed, %s', async (_name, type, said) => {
    await using stage = await stageOf({ dud: answer({}), good: openai('good') }, { provider: { type } });
    const client = official(version, `${stage.gateway.url}/v1`);
    const whole = await client.responses.create({ model: 'responder', input: 'one' });
    expect(whole.output_text).toBe(said);
    const types: string[] = [];
    let text = '';
    for await (const event of await client.responses.create({ model: 'responder', input: 'one', stream: true })) {
      types.push(event.type);
      if (event.type === 'response.output_text.delta') text += event.delta;
    }
    expect(text).toBe(said);
    expect(types.at(0)).toBe('response.created');
    expect(types.at(-1)).toBe('response.completed');
    const final = await client.responses.stream({ model: 'responder', input: 'one' }).finalResponse();
    expect(final.output_text).toBe(said);
  });

  it.each(['OpenAI', 'AzureOpenAI'] as const)(
    '[147] gets every event of responses of %s, known or not',
    async (type) => {
      const bytes = readFileSync(new URL('responses-reasoning-unknown-events.sse', fixtures), 'utf8');
      const frames = bytes.split(/(?<=\n\n)/);
      await using stage = await stageOf({ good: (exchange) => stream(frames)(exchange) }, { provider: { type } });
      const asked = { model: 'responder', input: 'one', stream: true } as const;
      const { text } = await ask(`${stage.gateway.url}/v1/responses`, { body: asked });
      expect(text).toBe(bytes);
      const types: string[] = [];
      for await (const event of await official(version, `${stage.gateway.url}/v1`).responses.create(asked)) {
        types.push(event.type);
      }
      expect(types).toEqual([...bytes.matchAll(/^event: (.+)$/gm)].map(([, name]) => name));
    },
  );

  it('[64] gets a completion of the old kind, whole and streamed', async () => {
    await using stage = await stageOf({ good: openai('good') });
    const client = official(version, `${stage.gateway.url}/v1`);
    const whole = await client.completions.create({ model: 'completer', prompt: 'one' });
    expect(whole.choices[0]?.text).toBe('once upon');
    let text = '';
    for await (const chunk of await client.completions.create({ model: 'completer', prompt: 'one', stream: true })) {
      text += chunk.choices[0]?.text ?? '';
    }
    expect(text).toBe('once upon');
  });

  it('[63] lists the models that its key may use, and retrieves one of them', async () => {
    const keys = [clientKey('some', 'sk-some', { models: ['chat', 'emb*'] }), clientKey('all', 'sk-all')];
    await using stage = await stageOf(
      { good: openai('good') },
      {
        route: { models, access: { mode: 'AllKeys', namespaces: ['default'] } },
        draft: (usual) => ({ ...usual, clientKeys: keys }),
      },
    );
    const ids = async (key: string): Promise<string[]> => {
      const client = official(version, `${stage.gateway.url}/v1`, key);
      return (await client.models.list()).data.map(({ id }) => id);
    };
    expect(await ids('sk-some')).toEqual(['chat', 'embedder']);
    expect(await ids('sk-all')).toEqual(['chat', 'completer', 'embedder', 'responder']);
    const client = official(version, `${stage.gateway.url}/v1`, 'sk-some');
    expect(await client.models.retrieve('chat')).toMatchObject({ id: 'chat', object: 'model' });
    await expect(client.models.retrieve('responder')).rejects.toMatchObject({ status: 404 });
  });
});

describe.each([
  ['v7', OpenAI],
  ['v6', OpenAI6],
] as const)('an error is, to the official client %s,', (version, { ...classes }) => {
  const { AuthenticationError, PermissionDeniedError, NotFoundError, BadRequestError } = classes as typeof OpenAI;
  const { RateLimitError, InternalServerError, UnprocessableEntityError } = classes as typeof OpenAI;

  async function errorOf(
    script: Script,
    model: string,
    options: StageOptions = {},
    key = 'sk-one',
  ): Promise<InstanceType<typeof OpenAI.APIError>> {
    await using stage = await stageOf({ only: script }, options);
    const client = official(version, `${stage.gateway.url}/v1`, key);
    const created = client.chat.completions.create({ model, messages: [...messages] });
    return await created.then(
      () => expect.unreachable('it must fail'),
      (error: unknown) => error as InstanceType<typeof OpenAI.APIError>,
    );
  }

  const upstreamError = (status: number, headers = {}): Script =>
    answer({ error: { message: 'no', type: 'x', param: null, code: 'y' } }, { status, headers });

  it('a NotFoundError for a model that no route has', async () => {
    const error = await errorOf(openai('good'), 'nobody');
    expect(error).toBeInstanceOf(NotFoundError);
    expect(error).toMatchObject({ status: 404, code: 'route_not_found', type: 'invalid_request_error' });
  });

  it('an AuthenticationError for a key that nobody knows, a PermissionDeniedError for one that may not', async () => {
    const options: StageOptions = {
      route: { models, access: { mode: 'AllKeys', namespaces: ['default'] } },
      draft: (usual) => ({ ...usual, clientKeys: [clientKey('one', 'sk-one', { models: ['embedder'] })] }),
    };
    expect(await errorOf(openai('good'), 'chat', options, 'sk-two')).toBeInstanceOf(AuthenticationError);
    const denied = await errorOf(openai('good'), 'chat', options);
    expect(denied).toBeInstanceOf(PermissionDeniedError);
    expect(denied).toMatchObject({ status: 403, code: 'model_not_allowed' });
  });

  it('the class of the upstream for what is wrong with the request', async () => {
    const bad = await errorOf(upstreamError(400), 'chat');
    expect(bad).toBeInstanceOf(BadRequestError);
    expect(bad).toMatchObject({ code: 'y', type: 'x', status: 400 });
    expect(await errorOf(upstreamError(422), 'chat')).toBeInstanceOf(UnprocessableEntityError);
  });

  it('[18] a RateLimitError that says when to come back, where the upstream limits', async () => {
    const error = await errorOf(upstreamError(429, { 'retry-after': '17' }), 'chat');
    expect(error).toBeInstanceOf(RateLimitError);
    expect(error.headers?.get('retry-after')).toBe('17');
    expect(error).toMatchObject({ code: 'rate_limit_exceeded' });
  });

  it.each([
    [500, 502, 'upstream_error'],
    [503, 503, 'upstream_overloaded'],
    [401, 502, 'upstream_auth_failed'],
    [403, 502, 'upstream_permission_denied'],
  ])('an InternalServerError where the upstream says %i', async (said, status, code) => {
    const error = await errorOf(upstreamError(said), 'chat');
    expect(error).toBeInstanceOf(InternalServerError);
    expect(error).toMatchObject({ status, code, type: 'server_error' });
  });

  it('thrown from inside the stream, where the upstream breaks after content', async () => {
    await using stage = await stageOf({
      only: (exchange) => stopAfter(700, 'end', chat('only'))(exchange),
    });
    const client = official(version, `${stage.gateway.url}/v1`);
    const stream = await client.chat.completions.create({ model: 'chat', messages: [...messages], stream: true });
    const seen: string[] = [];
    const read = async (): Promise<void> => {
      for await (const chunk of stream) seen.push(chunk.choices[0]?.delta.content ?? '');
    };
    await expect(read()).rejects.toMatchObject({ code: 'stream_truncated' });
    expect(seen.join('')).toMatch(/^only~one~0 /);
  });
});
