// Clients of Ollama find an Ollama server in the gateway, whatever answers behind it; and an Ollama server behind it is
// like any other upstream.

import { Ollama } from 'ollama';
import { describe, expect, it } from 'vitest';
import { ask, official } from '../../support/client.ts';
import { backend, clientKey, provider, route, rule, ruleInOrder } from '../../support/config.ts';
import { ollama } from '../../support/ollama-answers.ts';
import { openai } from '../../support/openai-answers.ts';
import { answer, byteByByte, stopAfter } from '../../support/scripts.ts';
import { openStage, type Stage, type StageOptions } from '../../support/stage.ts';
import type { Script } from '../../support/upstream.ts';

/** A stage on which the backends named `ollama…` are Ollama's. */
function stageOf<Name extends string>(
  scripts: Readonly<Record<Name, Script>>,
  options: StageOptions = {},
): Promise<Stage<Name>> {
  return openStage(scripts, {
    ...options,
    draft(usual) {
      const providers = usual.providers.map((each) => {
        const name = each.id.slice(each.id.indexOf('/') + 1);
        if (!name.startsWith('ollama')) return each;
        return provider(name, each.baseURL.replace(/\/v1$/, ''), { type: 'Ollama' });
      });
      const changed = { ...usual, providers };
      return options.draft?.(changed) ?? changed;
    },
  });
}

const messages = [{ role: 'user', content: 'one' }];
const tools = ['weather', 'time'].map((name) => ({
  type: 'function',
  function: { name, description: name, parameters: { type: 'object', properties: {}, required: [] } },
}));

describe('a client of Ollama', () => {
  it.each(['openai', 'ollama'] as const)('chats with %s, whole and streamed, below every path', async (name) => {
    const scripts = { openai: openai('openai'), ollama: ollama('ollama') };
    await using stage = await stageOf({ [name]: scripts[name] });
    for (const host of [stage.gateway.url, `${stage.gateway.url}/chat`]) {
      const client = new Ollama({ host });
      const whole = await client.chat({ model: 'chat', messages, stream: false });
      expect(whole).toMatchObject({ done: true, done_reason: 'stop', message: { role: 'assistant' } });
      expect(whole.message.content).toContain(name);
      expect(whole.eval_count).toBeGreaterThan(0);
      let text = '';
      let last: { done: boolean } | undefined;
      for await (const part of await client.chat({ model: 'chat', messages, stream: true })) {
        text += part.message.content;
        last = part;
      }
      expect([text, last?.done]).toEqual([whole.message.content, true]);
    }
    expect(stage.upstreams[name]?.requests[0]?.target).toBe(name === 'ollama' ? '/api/chat' : '/v1/chat/completions');
  });

  it('calls two tools at once', async () => {
    await using stage = await stageOf({ openai: openai('openai') });
    const client = new Ollama({ host: stage.gateway.url });
    const calls = [];
    for await (const part of await client.chat({ model: 'chat', messages, tools, stream: true })) {
      calls.push(...(part.message.tool_calls ?? []));
    }
    expect(calls.map((call) => call.function)).toMatchObject([
      { name: 'weather', arguments: { city: 'Oslo' } },
      { name: 'time', arguments: { zone: 'UTC' } },
    ]);
  });

  it('[189] gets lines where it does not say that it wants no stream', async () => {
    await using stage = await stageOf({ openai: openai('openai') });
    const got = await ask(`${stage.gateway.url}/api/chat`, { body: { model: 'chat', messages } });
    expect(got.headers['content-type']).toBe('application/x-ndjson');
    const lines = got.text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { done: boolean });
    expect(lines.map(({ done }) => done)).toEqual([...lines.slice(1).map(() => false), true]);
    expect(stage.upstreams.openai.requests[0]?.json).toMatchObject({ stream: true });
  });

  it('generates, and embeds in both ways', async () => {
    const models = ['chat', 'embedder'].map((name) => ({ name, type: 'Exact' }) as const);
    await using stage = await stageOf({ openai: openai('openai') }, { route: { models } });
    const client = new Ollama({ host: stage.gateway.url });
    const generated = await client.generate({ model: 'chat', prompt: 'one', system: 'be brief', stream: false });
    expect(generated).toMatchObject({ done: true, response: expect.stringContaining('openai~one') as string });
    const { embeddings } = await client.embed({ model: 'embedder', input: 'one' });
    expect(embeddings).toEqual([[0.5, -0.25, 1, 0]]);
    expect(await client.embeddings({ model: 'embedder', prompt: 'one' })).toMatchObject({ embedding: embeddings[0] });
  });

  it('[197] hears of models and faults in its own words', async () => {
    const unhappy = answer({ error: { message: 'no such voice', type: 'invalid_request_error' } }, { status: 400 });
    await using stage = await stageOf({ openai: unhappy });
    const host = stage.gateway.url;
    const client = new Ollama({ host });
    const asked = { messages, stream: false } as const;
    await expect(client.chat({ model: 'nobody', ...asked })).rejects.toMatchObject({
      status_code: 404,
      error: "model 'nobody' not found",
    });
    await expect(client.chat({ model: 'chat', ...asked })).rejects.toMatchObject({ error: 'no such voice' });
    const bodies = await Promise.all([
      ask(`${host}/api/chat`, { body: '{' }),
      ask(`${host}/api/nothing`, { body: {} }),
      ask(`${host}/api/chat`),
      ask(`${host}/chat/api/chat`, { body: '{' }),
    ]);
    expect(bodies.map(({ status }) => status)).toEqual([400, 404, 405, 400]);
    for (const { text } of bodies) expect(JSON.parse(text)).toEqual({ error: expect.any(String) as string });
    expect(bodies[2]?.headers['allow']).toBe('POST');
  });

  it('[196] hears of a failure after content in a line of its own', async () => {
    await using stage = await stageOf({ ollama: stopAfter(500, 'reset', ollama('ollama')) });
    const client = new Ollama({ host: stage.gateway.url });
    const parts: string[] = [];
    const reading = async (): Promise<void> => {
      for await (const part of await client.chat({ model: 'chat', messages, stream: true })) {
        parts.push(part.message.content);
      }
    };
    await expect(reading()).rejects.toThrow(/ended its answer/);
    expect(parts.length).toBeGreaterThan(0);
  });

  it('[201] has a model that need not be loaded, unless the upstream has models to load', async () => {
    await using stage = await stageOf({ openai: openai('openai') });
    const got = await ask(`${stage.gateway.url}/api/chat`, { body: { model: 'chat', messages: [] } });
    expect(JSON.parse(got.text)).toMatchObject({ model: 'chat', done: true, done_reason: 'load' });
    expect([got.headers['content-type'], got.headers['x-sluice-route']]).toEqual(['application/json', 'default/chat']);
    expect(stage.upstreams.openai.requests).toEqual([]);
    await using other = await stageOf({ ollama: ollama('ollama') });
    await ask(`${other.gateway.url}/api/chat`, { body: { model: 'chat', messages: [] } });
    expect(other.upstreams.ollama.requests).toHaveLength(1);
  });
});

describe('what is asked of the server itself', () => {
  const models = ['small', 'large'].map((name) => ({ name, type: 'Exact' }) as const);
  const configured = { name: 'deep', upstreamName: 'deep', maxContextTokens: 4096, capabilities: ['Vision'] };

  it('[198] [199] is answered with the models of the configuration, and without any upstream', async () => {
    await using stage = await stageOf(
      { openai: openai('openai') },
      {
        draft: (usual) => ({
          ...usual,
          providers: [{ ...usual.providers[0]!, models: [configured] }],
          routes: [route('chat', [rule([backend('openai', { model: 'deep' })])], { models })],
        }),
      },
    );
    const { url } = stage.gateway;
    const client = new Ollama({ host: url });
    expect((await client.list()).models.map(({ name }) => name)).toEqual(['large', 'small']);
    expect((await client.ps()).models).toHaveLength(2);
    expect(await client.show({ model: 'small' })).toMatchObject({ capabilities: ['completion', 'vision'] });
    expect((await client.version()).version).toMatch(/^\d+\.\d+\.\d+$/);
    await expect(client.show({ model: 'nobody' })).rejects.toMatchObject({ status_code: 404 });
    for (const path of ['', '/', '/chat/api/tags', '/chat/api/version'])
      expect((await ask(url + path)).status).toBe(200);
    expect(await ask(`${url}/`)).toMatchObject({ text: 'Ollama is running' });
    expect(await ask(`${url}/`, { method: 'HEAD' })).toMatchObject({ status: 200, text: '' });
    expect(stage.upstreams.openai.requests).toEqual([]);
  });

  it('shows nobody the models of others', async () => {
    await using stage = await stageOf(
      { openai: openai('openai') },
      {
        draft: (usual) => ({
          ...usual,
          routes: [
            route('chat', [ruleInOrder(['openai'])], { models, access: { mode: 'AllKeys', namespaces: ['default'] } }),
          ],
          clientKeys: [clientKey('mine', 'secret-mine', { models: ['small'] })],
        }),
      },
    );
    const { url } = stage.gateway;
    const tags = (headers: Record<string, string>) => ask(`${url}/api/tags`, { headers });
    expect(JSON.parse((await tags({})).text)).toEqual({ models: [] });
    const got = await tags({ authorization: 'Bearer secret-mine' });
    expect((JSON.parse(got.text) as { models: { name: string }[] }).models.map(({ name }) => name)).toEqual(['small']);
    expect(await tags({ authorization: 'Bearer unknown' })).toMatchObject({ status: 401 });
    expect(await ask(`${url}/chat/api/tags`)).toMatchObject({ status: 401 });
    expect(await ask(`${url}/api/version`)).toMatchObject({ status: 200 });
  });

  it('is a route’s own on the bare path of a route that speaks Ollama', async () => {
    await using stage = await stageOf({ ollama: ollama('ollama') }, { route: { protocol: 'Ollama' } });
    const { url } = stage.gateway;
    expect(await ask(`${url}/chat`)).toMatchObject({ status: 200, text: 'Ollama is running' });
    const got = await ask(`${url}/chat`, { body: { model: 'chat', messages, stream: false } });
    expect(JSON.parse(got.text)).toMatchObject({ done: true });
    expect(stage.upstreams.ollama.requests[0]?.target).toBe('/api/chat');
  });
});

describe('a client of OpenAI', () => {
  it.each(['v6', 'v7'] as const)('chats with Ollama, whole and streamed: %s', async (version) => {
    await using stage = await stageOf({ ollama: byteByByte(ollama('ollama')) });
    const client = official(version, `${stage.gateway.url}/v1`);
    const asked = { model: 'chat', messages: [{ role: 'user', content: 'one' }] } as const;
    const whole = await client.chat.completions.create({ ...asked, messages: [...asked.messages] });
    expect(whole).toMatchObject({
      choices: [{ message: { content: 'hello from ollama' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 },
    });
    expect(stage.upstreams.ollama.requests[0]?.json).toMatchObject({ stream: false });
    const streamed = client.chat.completions.stream({ ...asked, messages: [...asked.messages], tools: tools as never });
    const { choices } = await streamed.finalChatCompletion();
    expect(choices[0]).toMatchObject({ message: { content: 'hello from ollama' }, finish_reason: 'tool_calls' });
    expect(choices[0]?.message.tool_calls).toMatchObject([
      { function: { name: 'weather', arguments: '{"city":"Oslo"}' } },
      { function: { name: 'time', arguments: '{"zone":"UTC"}' } },
    ]);
  });

  it('[203] [204] gets vectors as it wants them, also where there are more than the upstream gives at once', async () => {
    await using stage = await stageOf({ ollama: ollama('ollama') });
    const input = Array.from({ length: 2100 }, (_, index) => String(index));
    for (const version of ['v6', 'v7'] as const) {
      const client = official(version, `${stage.gateway.url}/v1`);
      const { data, usage } = await client.embeddings.create({ model: 'chat', input });
      expect(data.map(({ embedding }) => embedding[0])).toEqual(input.map(Number));
      expect(data.map(({ index }) => index)).toEqual([...input.keys()]);
      expect(usage.prompt_tokens).toBe(input.length);
      const floats = await client.embeddings.create({ model: 'chat', input: '7', encoding_format: 'float' });
      expect(floats.data[0]?.embedding).toEqual([7, 0.5, -0.25]);
    }
    expect(stage.upstreams.ollama.requests.map(({ json }) => [json['input']].flat().length)).toEqual([
      2048, 52, 1, 2048, 52, 1,
    ]);
  });

  it('[208] is told of tokens, which are counted here where the upstream does not', async () => {
    const silent: Script = (exchange) => {
      const embeddings = [exchange.request.json['input']].flat().map(() => [0.5, 1]);
      return answer({ model: 'm', embeddings })(exchange);
    };
    await using stage = await stageOf({ ollama: silent });
    const client = official('v7', `${stage.gateway.url}/v1`);
    const short = await client.embeddings.create({ model: 'chat', input: 'hello world' });
    expect(short.usage).toEqual({ prompt_tokens: 2, total_tokens: 2 });
    expect(await stage.gateway.metrics()).toMatch(/sluice_tokens_total\{[^}]*type="input"\} 2\n/);
    // So much of it is not counted whole.
    const input = Array.from({ length: 2100 }, () => 'hello world');
    const long = await client.embeddings.create({ model: 'chat', input });
    expect(Math.abs(long.usage.prompt_tokens / 4200 - 1)).toBeLessThan(0.02);
  });

  it('has all parts of a request go elsewhere where one fails', async () => {
    const failing: Script = (exchange) => {
      const isSecond = [exchange.request.json['input']].flat().length < 2048;
      return (isSecond ? answer({ error: 'no' }, { status: 500 }) : ollama('ollama'))(exchange);
    };
    await using stage = await stageOf({ ollama: failing, ollama2: ollama('ollama2') });
    const input = Array.from({ length: 2100 }, (_, index) => String(index));
    const client = official('v7', `${stage.gateway.url}/v1`);
    const { data, response } = await client.embeddings.create({ model: 'chat', input }).withResponse();
    expect(data.data).toHaveLength(2100);
    expect(response.headers.get('x-sluice-backend')).toBe('ollama2');
    expect((await stage.gateway.backend('default/chat/ollama')).reason).toBe('ServerError');
  });

  it('[207] is told that its tokens mean nothing there', async () => {
    await using stage = await stageOf({ ollama: ollama('ollama') });
    const got = await ask(`${stage.gateway.url}/v1/embeddings`, { body: { model: 'chat', input: [1, 2, 3] } });
    expect([got.status, stage.upstreams.ollama.requests.length]).toEqual([400, 0]);
  });
});
