// A client of OpenAI's chat completions in front of the vendors that speak nearly the same, through a whole gateway, as the
// official clients see it.

import type OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { chat, markedText } from '../../support/chat.ts';
import { ask, official } from '../../support/client.ts';
import { answer, inTurn, stream } from '../../support/scripts.ts';
import { type Stage } from '../../support/stage.ts';
import type { Script } from '../../support/upstream.ts';
import { asked, both, call, chunk, cutCall, delta, done, fixed, inFrontOf, role, tools } from './vendor-rig.ts';

const versions = ['v6', 'v7'] as const;

describe.each(versions)('with the official client %s', (version) => {
  const clientOf = (stage: Stage<'a'>): OpenAI => official(version, `${stage.gateway.url}/v1`);

  it.each(['OpenAI', 'OpenAICompatible', 'Mistral'] as const)('[32] %s streams text that adds up', async (type) => {
    await using stage = await inFrontOf(type, chat('a'));
    const completion = await clientOf(stage).chat.completions.stream(asked).finalChatCompletion();
    expect(completion.choices).toMatchObject([
      { message: { role: 'assistant', content: markedText('a', 'one') }, finish_reason: 'stop' },
    ]);
  });

  it('[40] a stop with calls is tool_calls where it is translated, and what it was where it is passed on', async () => {
    const script = both({ content: null, tool_calls: [call] }, 'stop');
    for (const [type, finish] of [
      ['Mistral', 'tool_calls'],
      ['OpenAI', 'stop'],
    ] as const) {
      await using stage = await inFrontOf(type, script);
      const client = clientOf(stage);
      const got = [
        await client.chat.completions.create({ ...asked, tools }),
        await client.chat.completions.stream({ ...asked, tools }).finalChatCompletion(),
      ];
      expect(got.map(({ choices }) => choices[0]?.finish_reason)).toEqual([finish, finish]);
    }
  });

  it.each(['Mistral', 'OpenAI'] as const)(
    '[41] %s: a cut by length stays one, with arguments that are cut',
    async (type) => {
      await using stage = await inFrontOf(type, both({ content: null, tool_calls: [cutCall] }, 'length'));
      const client = clientOf(stage);
      const created = await client.chat.completions.create({ ...asked, tools });
      expect(created.choices[0]).toMatchObject({
        finish_reason: 'length',
        message: { tool_calls: [{ function: { arguments: '{"x":' } }] },
      });
      const finishes = [];
      for await (const part of await client.chat.completions.create({ ...asked, tools, stream: true })) {
        finishes.push(part.choices[0]?.finish_reason ?? []);
      }
      expect(finishes.flat()).toEqual(['length']);
    },
  );

  it('[43] [44] Azure’s first chunk without an id, and a choice without a delta, break nothing', async () => {
    const frames = [
      `data: ${JSON.stringify({ id: '', object: '', created: 0, model: '', choices: [], prompt_filter_results: [{ prompt_index: 0 }] })}\n\n`,
      role,
      delta({ content: 'good ' }),
      chunk({ choices: [{ index: 0, finish_reason: null, content_filter_offsets: { check_offset: 4 } }] }),
      delta({ content: 'day' }),
      delta({}, 'stop'),
      done,
    ];
    await using stage = await inFrontOf('AzureOpenAI', stream(frames));
    const client = clientOf(stage);
    const parts = [];
    for await (const part of await client.chat.completions.create({ ...asked, stream: true })) parts.push(part);
    expect(parts.map(({ choices }) => choices[0]?.delta?.content ?? '').join('')).toBe('good day');
    expect(new Set(parts.map(({ id, model }) => `${id} ${model}`))).toEqual(new Set(['c1 m']));
    // Clients of other protocols read the same.
    const got = await ask(`${stage.gateway.url}/api/chat`, { body: asked });
    expect(got.text).toContain('"good "');
    expect(got.text).toContain('"done":true');
  });

  it('[46] Azure’s filter is a BadRequestError that says so', async () => {
    const innererror = { code: 'ResponsibleAIPolicyViolation', content_filter_result: { hate: { filtered: true } } };
    const error = {
      message: 'The response was filtered',
      param: 'prompt',
      code: 'content_filter',
      status: 400,
      innererror,
    };
    await using stage = await inFrontOf('AzureOpenAI', answer({ error }, { status: 400 }));
    const thrown = await clientOf(stage)
      .chat.completions.create(asked)
      .catch((reason: Error) => reason);
    expect(thrown?.constructor.name).toBe('BadRequestError');
    expect(thrown).toMatchObject({ status: 400, code: 'content_filter' });
  });

  it('[50] reasoning is there under the name that the vendor gave it, whole and streamed', async () => {
    for (const name of ['reasoning', 'reasoning_content']) {
      await using stage = await inFrontOf('OpenAICompatible', both({ content: 'so', [name]: 'hm' }, 'stop'));
      const client = clientOf(stage);
      const created = await client.chat.completions.create(asked);
      expect(created.choices[0]?.message).toMatchObject({ content: 'so', [name]: 'hm' });
      const thoughts = [];
      for await (const part of await client.chat.completions.create({ ...asked, stream: true })) {
        thoughts.push((part.choices[0]?.delta as Record<string, unknown> | undefined)?.[name] ?? []);
      }
      expect(thoughts.flat()).toEqual(['hm']);
    }
  });

  it('[52] an error of OpenRouter’s in the middle of a stream is thrown with its message', async () => {
    const error = { code: 502, message: 'Upstream idle timeout exceeded' };
    const broken = chunk({ error, choices: [{ index: 0, delta: { content: '' }, finish_reason: 'error' }] });
    await using stage = await inFrontOf(
      'OpenRouter',
      stream([': OPENROUTER PROCESSING\n\n', role, delta({ content: 'good ' }), broken]),
    );
    let text = '';
    const reading = async (): Promise<void> => {
      for await (const part of await clientOf(stage).chat.completions.create({ ...asked, stream: true })) {
        text += part.choices[0]?.delta.content ?? '';
      }
    };
    await expect(reading()).rejects.toThrow(/The upstream|Upstream/);
    expect(text).toBe('good ');
  });

  it('[53] what Groq says of a call that it could not make is kept', async () => {
    const error = {
      message: 'Failed to call a function. Please adjust your prompt.',
      type: 'invalid_request_error',
      code: 'tool_use_failed',
      failed_generation: '<function=f{"x":',
    };
    await using stage = await inFrontOf('Groq', answer({ error }, { status: 400 }));
    const thrown = await clientOf(stage)
      .chat.completions.create({ ...asked, tools })
      .catch((reason: Error) => reason);
    expect(thrown?.constructor.name).toBe('BadRequestError');
    expect(thrown).toMatchObject({ code: 'tool_use_failed', error: { failed_generation: '<function=f{"x":' } });
  });

  it('[56] an answer of DeepSeek’s behind blank lines is read', async () => {
    const body = `\n\n\n${JSON.stringify({ ...fixed, choices: [{ index: 0, message: { role: 'assistant', content: 'so' }, finish_reason: 'stop' }] })}`;
    await using stage = await inFrontOf('DeepSeek', answer(body));
    expect((await clientOf(stage).chat.completions.create(asked)).choices[0]?.message.content).toBe('so');
    const got = await ask(`${stage.gateway.url}/api/chat`, { body: { ...asked, stream: false } });
    expect(JSON.parse(got.text)).toMatchObject({ message: { content: 'so' } });
  });

  it('[60] two answers side by side come whole, and both end', async () => {
    const of = (index: number, delta_: object, finish: string | null = null): object => ({
      index,
      delta: delta_,
      finish_reason: finish,
    });
    const frames = [
      chunk({ choices: [of(0, { role: 'assistant', content: 'a' }), of(1, { role: 'assistant', content: 'b' })] }),
      chunk({ choices: [of(1, {}, 'stop')] }),
      chunk({ choices: [of(0, { content: 'a' })] }),
      chunk({ choices: [of(0, {}, 'length')] }),
      done,
    ];
    const choice = (index: number, content: string, finish: string): object => ({
      index,
      message: { role: 'assistant', content },
      finish_reason: finish,
    });
    const script: Script = (exchange) =>
      (exchange.request.json['stream'] === true
        ? stream(frames)
        : answer({ ...fixed, choices: [choice(0, 'aa', 'length'), choice(1, 'b', 'stop')] }))(exchange);
    await using stage = await inFrontOf('OpenAI', script);
    const client = clientOf(stage);
    for (const got of [
      await client.chat.completions.create({ ...asked, n: 2 }),
      await client.chat.completions.stream({ ...asked, n: 2 }).finalChatCompletion(),
    ]) {
      expect(got.choices.map(({ index, message, finish_reason: finish }) => [index, message.content, finish])).toEqual([
        [0, 'aa', 'length'],
        [1, 'b', 'stop'],
      ]);
    }
    expect(stage.upstreams.a.requests.map(({ json }) => json['n'])).toEqual([2, 2]);
  });

  it('[61] [62] probabilities, tiers, fingerprints, annotations and what nobody knows come through', async () => {
    const logprobs = { content: [{ token: 'so', logprob: -0.5, bytes: null, top_logprobs: [] }], refusal: null };
    const annotations = [{ type: 'url_citation', url_citation: { url: 'https://a.test' } }];
    const rest = { service_tier: 'flex', system_fingerprint: 'fp', vendor_thing: { a: 1 } };
    const choices = [
      { index: 0, message: { role: 'assistant', content: 'so', annotations }, logprobs, finish_reason: 'stop' },
    ];
    await using stage = await inFrontOf(
      'OpenAI',
      inTurn(
        answer({ ...fixed, choices, ...rest }),
        stream([role, delta({ content: 'so' }, null, { logprobs }), delta({}, 'stop'), done]),
      ),
    );
    const client = clientOf(stage);
    expect(await client.chat.completions.create({ ...asked, logprobs: true })).toMatchObject({ choices, ...rest });
    const parts = [];
    for await (const part of await client.chat.completions.create({ ...asked, logprobs: true, stream: true })) {
      parts.push(part.choices[0]?.logprobs ?? []);
    }
    expect(parts.flat()).toEqual([logprobs]);
  });

  it('[63] models are listed, one with a slash is retrieved, and one that nobody has is a NotFoundError', async () => {
    const models = ['chat', 'org/chat'].map((name) => ({ name, type: 'Exact' }) as const);
    await using stage = await inFrontOf('OpenAI', chat('a'), {}, { route: { models } });
    const client = clientOf(stage);
    expect((await client.models.list()).data.map(({ id }) => id)).toEqual(['chat', 'org/chat']);
    expect(await client.models.retrieve('org/chat')).toMatchObject({ id: 'org/chat', object: 'model' });
    const thrown = await client.models.retrieve('nobody').catch((reason: Error) => reason);
    expect(thrown).toMatchObject({ status: 404, code: 'model_not_found' });
    expect(thrown?.constructor.name).toBe('NotFoundError');
  });

  it('[64] two prompts have two completions', async () => {
    const choices = ['a', 'b'].map((text, index) => ({ index, text, logprobs: null, finish_reason: 'stop' }));
    const body = { id: 'cmpl-1', object: 'text_completion', created: 1, model: 'm', choices };
    await using stage = await inFrontOf('OpenAI', answer(body));
    const got = await clientOf(stage).completions.create({ model: 'chat', prompt: ['x', 'y'] });
    expect(got.choices.map(({ index, text }) => [index, text])).toEqual([
      [0, 'a'],
      [1, 'b'],
    ]);
    expect(stage.upstreams.a.requests[0]?.json['prompt']).toEqual(['x', 'y']);
  });
});
