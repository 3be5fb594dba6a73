// Clients of Anthropic find Anthropic in the gateway, whatever answers behind it; and Anthropic behind it is like any
// other upstream.

import Anthropic from '@anthropic-ai/sdk';
import Anthropic0 from 'anthropic0';
import { describe, expect, it } from 'vitest';
import { anthropic, eventFrame, failure } from '../../support/anthropic-answers.ts';
import { ask, official } from '../../support/client.ts';
import { provider, upstreamKey } from '../../support/config.ts';
import { ollama } from '../../support/ollama-answers.ts';
import { openai } from '../../support/openai-answers.ts';
import { answer, byteByByte, stopAfter } from '../../support/scripts.ts';
import { openStage, type Stage, type StageOptions } from '../../support/stage.ts';
import type { Script } from '../../support/upstream.ts';

const types = { anthropic: 'Anthropic', ollama: 'Ollama' } as const;

/** A stage on which the backends named `anthropic…` are Anthropic's, and those named `ollama…` Ollama's. */
function stageOf<Name extends string>(
  scripts: Readonly<Record<Name, Script>>,
  options: StageOptions = {},
): Promise<Stage<Name>> {
  return openStage(scripts, {
    ...options,
    draft(usual) {
      const providers = usual.providers.map((each) => {
        const name = each.id.slice(each.id.indexOf('/') + 1);
        const type = types[name.replace(/\d+$/, '') as keyof typeof types];
        if (type === undefined) return each;
        return provider(name, each.baseURL.replace(/\/v1$/, ''), { type, ...options.provider });
      });
      const changed = { ...usual, providers };
      return options.draft?.(changed) ?? changed;
    },
  });
}

function clientOf(version: '0.137' | '1.x', baseURL: string): Anthropic {
  const options = { apiKey: 'nobody', baseURL, maxRetries: 0 };
  // The two versions have the same surface as far as the tests go.
  return version === '1.x' ? new Anthropic(options) : (new Anthropic0(options) as unknown as Anthropic);
}

const messages = [{ role: 'user' as const, content: 'one' }];
const asked = { model: 'chat', max_tokens: 100, messages };
const tools = ['weather', 'time'].map((name) => ({
  name,
  input_schema: { type: 'object' as const, properties: {} },
}));
const scripts = { openai: openai('openai'), anthropic: anthropic('anthropic'), ollama: ollama('ollama') };

describe.each(['0.137', '1.x'] as const)('a client of Anthropic, %s,', (version) => {
  it.each(['openai', 'anthropic', 'ollama'] as const)(
    'talks to %s, whole and streamed, below every path',
    async (name) => {
      await using stage = await stageOf({ [name]: scripts[name] });
      for (const below of ['', '/anthropic', '/chat', '/chat/anthropic']) {
        const client = clientOf(version, stage.gateway.url + below);
        const whole = await client.messages.create(asked);
        expect(whole).toMatchObject({ type: 'message', role: 'assistant', stop_reason: 'end_turn' });
        const text = whole.content.map((block) => (block.type === 'text' ? block.text : '')).join('');
        expect(text).toContain(name);
        expect(whole.usage.output_tokens).toBeGreaterThan(0);
        const streamed = await client.messages.stream(asked).finalMessage();
        const said = streamed.content.map((block) => (block.type === 'text' ? block.text : '')).join('');
        expect(said).toBe(text);
        expect(streamed.usage.output_tokens).toBe(whole.usage.output_tokens);
      }
    },
  );

  it.each(['openai', 'anthropic', 'ollama'] as const)('[158] has two tools called at once by %s', async (name) => {
    await using stage = await stageOf({ [name]: byteByByte(scripts[name]) });
    const client = clientOf(version, stage.gateway.url);
    for (const message of [
      await client.messages.create({ ...asked, tools }),
      await client.messages.stream({ ...asked, tools }).finalMessage(),
    ]) {
      expect(message.stop_reason).toBe('tool_use');
      expect(message.content.filter(({ type }) => type === 'tool_use')).toMatchObject([
        { name: 'weather', input: { city: 'Oslo' } },
        { name: 'time', input: { zone: 'UTC' } },
      ]);
    }
  });

  it('[175] counts tokens, by the upstream where it can, else by an estimate that grows with what is asked', async () => {
    await using stage = await stageOf({ openai: scripts.openai });
    const client = clientOf(version, stage.gateway.url);
    const { max_tokens: _, ...request } = asked;
    const small = await client.messages.countTokens(request);
    expect(small.input_tokens).toBeGreaterThanOrEqual(1);
    const more = await client.messages.countTokens({ ...request, system: 'be brief, and kind', tools });
    expect(more.input_tokens).toBeGreaterThan(small.input_tokens);
    const source = { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' } as const;
    const seen = { role: 'user' as const, content: [{ type: 'image' as const, source }] };
    const most = await client.messages.countTokens({ ...request, messages: [...messages, seen] });
    expect(most.input_tokens).toBeGreaterThan(small.input_tokens + 80);
    expect(stage.upstreams.openai.requests).toEqual([]);
    await using own = await stageOf({ anthropic: scripts.anthropic });
    expect(await clientOf(version, own.gateway.url).messages.countTokens(request)).toEqual({ input_tokens: 4711 });
  });

  it('[156] hears an estimate of its input at first, and the upstream’s own count at the end', async () => {
    await using stage = await stageOf({ openai: scripts.openai });
    const streamed = clientOf(version, stage.gateway.url).messages.stream({ ...asked, system: 'be brief' });
    let first: number | undefined;
    streamed.on('streamEvent', (event) => {
      if (event.type === 'message_start') first = event.message.usage.input_tokens;
    });
    const { usage } = await streamed.finalMessage();
    expect(first).toBeGreaterThan(3);
    expect(usage).toMatchObject({ input_tokens: 3, output_tokens: 5 });
  });

  it('[150] lists models in its own form', async () => {
    const models = ['b', 'a', 'c'].map((name) => ({ name, type: 'Exact' }) as const);
    await using stage = await stageOf({ openai: scripts.openai }, { route: { models } });
    for (const below of ['', '/anthropic', '/chat']) {
      const client = clientOf(version, stage.gateway.url + below);
      const { data, has_more: more } = await client.models.list({ limit: 2 });
      expect([data.map(({ id }) => id), more]).toEqual([['a', 'b'], true]);
      expect(await client.models.retrieve('c')).toMatchObject({ id: 'c', type: 'model' });
      await expect(client.models.retrieve('d')).rejects.toMatchObject({ status: 404 });
    }
    // The same path is OpenAI's for everybody else.
    expect(JSON.parse((await ask(`${stage.gateway.url}/v1/models`)).text)).toMatchObject({ object: 'list' });
  });

  it('[154] [172] is told of faults in its own form', async () => {
    await using stage = await stageOf({
      openai: answer({ error: { message: 'slow down' } }, { status: 429, headers: { 'retry-after': '7' } }),
    });
    const client = clientOf(version, stage.gateway.url);
    await expect(client.messages.create(asked)).rejects.toMatchObject({
      status: 429,
      error: { type: 'error', error: { type: 'rate_limit_error' }, request_id: expect.any(String) as string },
    });
    await expect(client.messages.create({ ...asked, model: 'nobody' })).rejects.toMatchObject({ status: 404 });
    await using busy = await stageOf({ anthropic: failure(529, 'overloaded_error', 'Overloaded') });
    await expect(clientOf(version, busy.gateway.url).messages.create(asked)).rejects.toMatchObject({ status: 529 });
  });

  it('[173] throws what goes wrong after content', async () => {
    await using stage = await stageOf({ openai: stopAfter(900, 'end', scripts.openai) });
    const client = clientOf(version, stage.gateway.url);
    const streamed = client.messages.stream(asked);
    let text = '';
    streamed.on('text', (delta) => (text += delta));
    await expect(streamed.finalMessage()).rejects.toThrow();
    expect(text).not.toBe('');
  });
});

describe('an error that nobody but us makes', () => {
  it('[20] [23] is in the form of the path, whatever is wrong', async () => {
    await using stage = await stageOf(
      { openai: scripts.openai },
      { route: { access: { mode: 'AllKeys', namespaces: ['default'] }, protocol: 'AnthropicMessages' } },
    );
    const { url } = stage.gateway;
    const version = { 'anthropic-version': '2023-06-01' };
    const answers = await Promise.all([
      ask(`${url}/v1/messages`, { body: '{' }),
      ask(`${url}/chat`, { body: '{' }),
      ask(`${url}/v1/messages`, { body: asked }),
      ask(`${url}/anthropic/v1/nothing`, { body: {} }),
      ask(`${url}/v1/nothing`, { body: {}, headers: version }),
      ask(`${url}/v1/messages`),
      ask(`${url}/anthropic/v1/messages/..%2f`, { body: {} }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([400, 400, 401, 404, 404, 405, 400]);
    for (const { text, headers } of answers) {
      const { type, error, request_id: id } = JSON.parse(text) as Record<string, unknown>;
      expect([type, error]).toEqual([
        'error',
        { type: expect.any(String) as string, message: expect.any(String) as string },
      ]);
      expect([id, headers['request-id']]).toEqual([headers['x-request-id'], headers['x-request-id']]);
    }
    // OpenAI's threads have messages too.
    const thread = await ask(`${url}/v1/threads/t/messages`, { body: {} });
    expect(JSON.parse(thread.text)).toMatchObject({ error: { code: 'route_not_found' } });
  });
});

describe('what is shared with Anthropic', () => {
  it('[148] is passed on byte by byte, with the client’s own version and betas', async () => {
    await using stage = await stageOf({ anthropic: scripts.anthropic });
    const body =
      '{ "model":"chat", "max_tokens": 1.0e1, "messages":[{"role":"user","content":"\\u00e9"}],"new":{"x":1.0} }';
    const headers = { 'anthropic-version': '2026-10-21', 'anthropic-beta': 'a,b' };
    await ask(`${stage.gateway.url}/v1/messages`, { body, headers });
    await ask(`${stage.gateway.url}/v1/messages`, { body });
    const [first, second] = stage.upstreams.anthropic.requests;
    expect(first?.body.toString()).toBe(body);
    expect(first?.headers).toMatchObject(headers);
    expect([first?.target, second?.headers['anthropic-version']]).toEqual(['/v1/messages', '2023-06-01']);
  });

  it('[149] takes keys in both ways, and shows the upstream its own', async () => {
    await using stage = await stageOf(
      { anthropic: scripts.anthropic },
      {
        provider: { credentials: { type: 'KeyPool', keyPool: { strategy: 'RoundRobin', stickiness: 'None' } } },
        draft: (usual) => ({ ...usual, upstreamKeys: [upstreamKey('k', 'anthropic', 'sk-ant-api-secret')] }),
      },
    );
    for (const headers of [{ 'x-api-key': 'mine' }, { authorization: 'Bearer mine' }] as const) {
      expect((await ask(`${stage.gateway.url}/v1/messages`, { body: asked, headers })).status).toBe(200);
    }
    for (const { headers } of stage.upstreams.anthropic.requests) {
      expect([headers['x-api-key'], headers['authorization']]).toEqual(['sk-ant-api-secret', undefined]);
    }
  });
});

describe('a client of OpenAI', () => {
  it.each(['v6', 'v7'] as const)('talks to Anthropic, whole and streamed: %s', async (version) => {
    await using stage = await stageOf({ anthropic: byteByByte(scripts.anthropic) });
    const client = official(version, `${stage.gateway.url}/v1`);
    const whole = await client.chat.completions.create({ model: 'chat', messages });
    expect(whole).toMatchObject({
      choices: [{ message: { content: 'hello from anthropic' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 15, completion_tokens: 7, prompt_tokens_details: { cached_tokens: 4 } },
    });
    expect(stage.upstreams.anthropic.requests[0]?.headers).toMatchObject({ 'anthropic-version': '2023-06-01' });
    const functions = tools.map(({ name, input_schema: parameters }) => ({
      type: 'function' as const,
      function: { name, parameters },
    }));
    const streamed = client.chat.completions.stream({
      model: 'chat',
      messages,
      tools: functions,
      stream_options: { include_usage: true },
    });
    const { choices, usage } = await streamed.finalChatCompletion();
    expect(choices[0]).toMatchObject({ message: { content: 'hello from anthropic' }, finish_reason: 'tool_calls' });
    expect(choices[0]?.message.tool_calls).toMatchObject([
      { id: 'toolu_1', function: { name: 'weather', arguments: '{"city":"Oslo"}' } },
      { id: 'toolu_2', function: { name: 'time', arguments: '{"zone":"UTC"}' } },
    ]);
    expect(usage).toMatchObject({ prompt_tokens: 15, completion_tokens: 7 });
  });

  it('[26] is counted as it is told', async () => {
    await using stage = await stageOf({ anthropic: scripts.anthropic });
    for (const stream of [false, true]) {
      await ask(`${stage.gateway.url}/v1/chat/completions`, { body: { model: 'chat', messages, stream } });
    }
    const metrics = await stage.gateway.metrics();
    expect(metrics).toMatch(/sluice_tokens_total\{[^}]*type="input"\} 30\n/);
    expect(metrics).toMatch(/sluice_tokens_total\{[^}]*type="output"\} 14\n/);
  });

  it('[10] [88] gets an error before content as a status, and one after it inside the stream', async () => {
    const overloaded = eventFrame({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } });
    const early: Script = (exchange) =>
      answer(overloaded, { headers: { 'content-type': 'text/event-stream' } })(exchange);
    await using stage = await stageOf({ anthropic: early });
    const body = { model: 'chat', messages, stream: true };
    expect(await ask(`${stage.gateway.url}/v1/chat/completions`, { body })).toMatchObject({ status: 503 });
    await using late = await stageOf({ anthropic: stopAfter(1100, 'end', scripts.anthropic) });
    const got = await ask(`${late.gateway.url}/v1/chat/completions`, { body });
    expect(got.status).toBe(200);
    expect(got.text).toContain('stream_truncated');
    expect(got.text).not.toContain('[DONE]');
  });

  it('[90] is refused what Anthropic cannot do, by its own name for it', async () => {
    await using stage = await stageOf({ anthropic: scripts.anthropic });
    for (const [name, value] of [
      ['n', 2],
      ['logprobs', true],
    ] as const) {
      const got = await ask(`${stage.gateway.url}/v1/chat/completions`, {
        body: { model: 'chat', messages, [name]: value },
      });
      expect([got.status, (JSON.parse(got.text) as { error: { param: string } }).error.param]).toEqual([400, name]);
    }
    expect(stage.upstreams.anthropic.requests).toEqual([]);
  });
});
