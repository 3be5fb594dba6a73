// A client of OpenAI's chat completions in front of Anthropic, through a whole gateway. What each member of a request and
// each event of a stream becomes is tested beside the codec (test/proxy/protocols/anthropic-messages).

import { describe, expect, it } from 'vitest';
import { anthropic, failure } from '../../support/anthropic-answers.ts';
import { ask, errorOf, official } from '../../support/client.ts';
import { backend, provider, upstreamKey } from '../../support/config.ts';
import { answer, stream } from '../../support/scripts.ts';
import { openStage, type Stage, type StageOptions } from '../../support/stage.ts';
import type { Script } from '../../support/upstream.ts';

const messages = [{ role: 'user' as const, content: 'one' }];
const asked = { model: 'chat', messages };
const frame = (event: { type: string; [member: string]: unknown }): string =>
  `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;

/** A gateway in front of Anthropic, which is asked for this model. */
function stageOf(script: Script, model = 'claude-sonnet-4-5', options: StageOptions = {}): Promise<Stage<'a'>> {
  return openStage(
    { a: script },
    {
      rule: { backends: [backend('a', { model })] },
      ...options,
      draft(usual) {
        const [each] = usual.providers;
        const anthropics = provider('a', each!.baseURL.replace(/\/v1$/, ''), {
          type: 'Anthropic',
          ...options.provider,
        });
        const changed = { ...usual, providers: [anthropics] };
        return options.draft?.(changed) ?? changed;
      },
    },
  );
}

function message(content: readonly object[], reason: string): Script {
  const usage = { input_tokens: 1, output_tokens: 2 };
  return answer({ id: 'msg_1', type: 'message', role: 'assistant', model: 'm', content, stop_reason: reason, usage });
}

describe.each(['v6', 'v7'] as const)('with the official client %s', (version) => {
  it('[67] [68] the most tokens are the model’s, and a temperature is what it takes', async () => {
    await using stage = await stageOf(anthropic('a'));
    const client = official(version, `${stage.gateway.url}/v1`);
    const { response } = await client.chat.completions.create({ ...asked, temperature: 1.6 }).withResponse();
    expect(stage.upstreams.a.requests[0]?.json).toMatchObject({ max_tokens: 64_000, temperature: 1 });
    expect(response.headers.get('x-sluice-dropped')).toBe('temperature=clamped');
  });

  it('[72] arguments that are no JSON are refused before anybody is asked, and none are {}', async () => {
    await using stage = await stageOf(anthropic('a'));
    const client = official(version, `${stage.gateway.url}/v1`);
    const turn = (words: string) => [
      ...messages,
      {
        role: 'assistant' as const,
        content: null,
        tool_calls: [{ id: 'c', type: 'function' as const, function: { name: 'f', arguments: words } }],
      },
      { role: 'tool' as const, tool_call_id: 'c', content: 'ok' },
    ];
    const thrown = await client.chat.completions
      .create({ ...asked, messages: turn('{"a":') })
      .catch((reason: Error) => reason);
    expect(thrown?.constructor.name).toBe('BadRequestError');
    expect(stage.upstreams.a.requests).toEqual([]);
    await client.chat.completions.create({ ...asked, messages: turn('') });
    expect(JSON.stringify(stage.upstreams.a.requests[0]?.json)).toContain(
      '"type":"tool_use","id":"c","name":"f","input":{}',
    );
  });

  it.each(['claude-sonnet-4-5', 'claude-3-5-haiku-20241022'])(
    '[78] JSON by a schema is parsed, of %s',
    async (model) => {
      const json: Script = (exchange) => {
        const { tools } = exchange.request.json as { tools?: { name: string }[] };
        const input = { answer: 42 };
        const script =
          tools === undefined
            ? message([{ type: 'text', text: JSON.stringify(input) }], 'end_turn')
            : message([{ type: 'tool_use', id: 'toolu_1', name: tools[0]?.name, input }], 'tool_use');
        return script(exchange);
      };
      await using stage = await stageOf(json, model);
      const schema = {
        type: 'object',
        properties: { answer: { type: 'integer' } },
        required: ['answer'],
        additionalProperties: false,
      };
      const parsed = await official(version, `${stage.gateway.url}/v1`).chat.completions.parse({
        ...asked,
        response_format: { type: 'json_schema', json_schema: { name: 'answer', schema, strict: true } },
      });
      const [choice] = parsed.choices;
      expect(choice).toMatchObject({ finish_reason: 'stop', message: { content: '{"answer":42}' } });
      expect(choice?.message.tool_calls ?? []).toEqual([]);
    },
  );

  it('[80] [87] a stream is role, text, finish, and usage for those who ask; pings are nothing', async () => {
    await using stage = await stageOf(anthropic('a'));
    const client = official(version, `${stage.gateway.url}/v1`);
    for (const wanted of [true, false]) {
      const parts = [];
      const options = { ...asked, stream: true as const, stream_options: { include_usage: wanted } };
      for await (const part of await client.chat.completions.create(options)) parts.push(part);
      expect(parts[0]?.choices[0]?.delta).toMatchObject({ role: 'assistant' });
      expect(parts.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe('hello from a');
      expect(parts.flatMap(({ choices }) => choices.map((choice) => choice.finish_reason ?? [])).flat()).toEqual([
        'stop',
      ]);
      expect(parts.filter(({ usage }) => usage)).toHaveLength(wanted ? 1 : 0);
      if (wanted) {
        expect(parts.at(-1)).toMatchObject({
          choices: [],
          usage: { prompt_tokens: 15, completion_tokens: 7, prompt_tokens_details: { cached_tokens: 4 } },
        });
      }
    }
  });

  it('[82] [84] calls are numbered among themselves, and one without arguments has {}', async () => {
    const start = (index: number, id: string): string =>
      frame({ type: 'content_block_start', index, content_block: { type: 'tool_use', id, name: 'f', input: {} } });
    const frames = [
      frame({
        type: 'message_start',
        message: {
          id: 'msg_1',
          type: 'message',
          role: 'assistant',
          model: 'm',
          content: [],
          usage: { input_tokens: 1 },
        },
      }),
      frame({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }),
      frame({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'so' } }),
      frame({ type: 'content_block_stop', index: 0 }),
      start(1, 'toolu_1'),
      frame({ type: 'content_block_stop', index: 1 }),
      start(2, 'toolu_2'),
      frame({ type: 'content_block_delta', index: 2, delta: { type: 'input_json_delta', partial_json: '{"x":1}' } }),
      frame({ type: 'content_block_stop', index: 2 }),
      frame({ type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 2 } }),
      frame({ type: 'message_stop' }),
    ];
    await using stage = await stageOf(stream(frames));
    const client = official(version, `${stage.gateway.url}/v1`);
    const tools = [
      { type: 'function' as const, function: { name: 'f', parameters: { type: 'object', properties: {} } } },
    ];
    const got = await client.chat.completions.stream({ ...asked, tools }).finalChatCompletion();
    expect(got.choices[0]?.message.tool_calls).toMatchObject([
      { id: 'toolu_1', function: { name: 'f', arguments: '{}' } },
      { id: 'toolu_2', function: { name: 'f', arguments: '{"x":1}' } },
    ]);
    expect(got.choices[0]?.finish_reason).toBe('tool_calls');
  });
});

describe('a failure of Anthropic’s', () => {
  it.each([
    [529, 'overloaded_error', 503],
    [413, 'request_too_large', 413],
    [500, 'api_error', 502],
    [429, 'rate_limit_error', 429],
  ])('[89] %i %s is %i', async (status, type, told) => {
    await using stage = await stageOf(failure(status, type, 'no'));
    expect((await ask(stage.chatURL, { body: asked })).status).toBe(told);
  });

  it('[89] that refuses our key is not the client’s', async () => {
    const credentials = { type: 'KeyPool', keyPool: { strategy: 'RoundRobin', stickiness: 'None' } } as const;
    await using stage = await stageOf(failure(401, 'authentication_error', 'invalid x-api-key'), undefined, {
      provider: { credentials },
      draft: (usual) => ({ ...usual, upstreamKeys: [upstreamKey('k', 'a', 'sk-ant-secret')] }),
    });
    const got = await ask(stage.chatURL, { body: asked });
    expect([got.status, errorOf(got).code]).toEqual([502, 'upstream_auth_failed']);
    expect(got.text).not.toContain('sk-ant');
  });

  it('[88] that is an event is a status before content, and thrown after it', async () => {
    const overloaded = frame({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } });
    await using stage = await stageOf(stream([overloaded]));
    expect((await ask(stage.chatURL, { body: { ...asked, stream: true } })).status).toBe(503);
  });
});
