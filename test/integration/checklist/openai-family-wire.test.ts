// The same vendors, as they and the client's bytes see it: what they are sent, and what of their answers is passed on.

import OpenAI, { RateLimitError } from 'openai';
import { expect, it } from 'vitest';
import { chat, chatRequest } from '../../support/chat.ts';
import { ask, dataOf, official } from '../../support/client.ts';
import { answer, stream } from '../../support/scripts.ts';
import {
  asked,
  both,
  call,
  chunk,
  delta,
  done,
  fixed,
  inFrontOf,
  messages,
  role,
  tokensIn,
  tools,
} from './vendor-rig.ts';

it('[31] usage that was asked for is the last chunk before the marker, once', async () => {
  await using stage = await inFrontOf('OpenAI', chat('a'));
  const body = { ...chatRequest('one'), stream: true, stream_options: { include_usage: true } };
  const events = dataOf((await ask(stage.chatURL, { body })).text);
  expect(events.at(-1)).toBe('[DONE]');
  const last = JSON.parse(events.at(-2) ?? '') as object;
  expect(last).toMatchObject({ choices: [], usage: { total_tokens: 8 } });
  expect(events.filter((data) => data.includes('"choices":[]'))).toHaveLength(1);
});

it('[29] a stream is the upstream’s, byte by byte, without the usage that nobody asked for', async () => {
  const frames = [
    role,
    delta({ content: '\\u00e9 é' }),
    delta({}, 'stop'),
    chunk({ choices: [], usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 } }),
    done,
  ];
  await using stage = await inFrontOf('OpenAI', stream(frames));
  const got = await ask(stage.chatURL, { body: { ...chatRequest('one'), stream: true } });
  expect(got.text).toBe(frames.filter((frame) => !frame.includes('"usage"')).join(''));
});

it('[39] an empty list of calls beside text is no call', async () => {
  for (const type of ['VLLM', 'Mistral'] as const) {
    await using stage = await inFrontOf(type, both({ content: 'so', tool_calls: [] }, 'stop'));
    for (const streamed of [false, true]) {
      const client = official('v7', `${stage.gateway.url}/v1`);
      const got = streamed
        ? await client.chat.completions.stream({ ...asked, tools }).finalChatCompletion()
        : await client.chat.completions.create({ ...asked, tools });
      expect(got.choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: 'so' } });
      expect(got.choices[0]?.message.tool_calls ?? []).toEqual([]);
    }
  }
});

it('[42] content that is null beside calls stays null', async () => {
  const turn = { role: 'assistant', content: null, tool_calls: [call] };
  const body = { ...asked, messages: [...messages, turn, { role: 'tool', tool_call_id: call.id, content: 'ok' }] };
  for (const type of ['OpenAI', 'Mistral'] as const) {
    await using stage = await inFrontOf(type, chat('a'));
    expect((await ask(stage.chatURL, { body })).status).toBe(200);
    const sent = stage.upstreams.a.requests[0]?.json['messages'] as { role: string; content: unknown }[];
    expect(sent.find((message) => message.role === 'assistant')).toHaveProperty('content', null);
  }
});

it('[45] Azure is asked at the place of the deployment, or at its newer one', async () => {
  const azure = { apiVersion: '2024-10-21' };
  for (const [config, target] of [
    [{ azure }, '/v1/deployments/chat/chat/completions?api-version=2024-10-21'],
    [{}, '/v1/chat/completions'],
  ] as const) {
    await using stage = await inFrontOf('AzureOpenAI', chat('a'), config);
    await ask(`${stage.gateway.url}/v1/chat/completions`, { body: asked });
    expect(stage.upstreams.a.requests.map((request) => request.target)).toEqual([target]);
  }
});

it.each([
  ['OpenAI', 'developer'],
  ['VLLM', 'system'],
  ['Mistral', 'system'],
] as const)('[47] a developer is told to %s as %s', async (type, expected) => {
  await using stage = await inFrontOf(type, chat('a'));
  await ask(stage.chatURL, { body: { ...asked, messages: [{ role: 'developer', content: 'be brief' }, ...messages] } });
  const sent = stage.upstreams.a.requests[0]?.json['messages'] as { role: string }[] | undefined;
  expect(sent?.[0]?.role).toBe(expected);
});

it.each(['VLLM', 'Mistral'] as const)(
  '[48] %s is told of the most tokens by the name that it knows, once',
  async (type) => {
    await using stage = await inFrontOf(type, chat('a'));
    for (const limits of [{ max_completion_tokens: 9 }, { max_completion_tokens: 9, max_tokens: 9 }]) {
      expect((await ask(stage.chatURL, { body: { ...asked, ...limits } })).status).toBe(200);
    }
    for (const { json } of stage.upstreams.a.requests) {
      expect([json['max_tokens'], json['max_completion_tokens']]).toEqual([9, undefined]);
    }
  },
);

it('[49] what only vLLM knows reaches it', async () => {
  const extras = {
    top_k: 20,
    structured_outputs: { choice: ['a', 'b'] },
    chat_template_kwargs: { enable_thinking: false },
    repetition_penalty: 1.1,
  };
  await using stage = await inFrontOf('VLLM', chat('a'));
  await ask(stage.chatURL, { body: { ...asked, ...extras } });
  expect(stage.upstreams.a.requests[0]?.json).toMatchObject(extras);
});

it.each([
  ['DeepSeek', 'hm'],
  ['OpenAI', undefined],
] as const)('[51] thinking that the client gives back reaches %s as %s', async (type, expected) => {
  const turn = { role: 'assistant', content: null, reasoning_content: 'hm', tool_calls: [call] };
  await using stage = await inFrontOf(type, chat('a'));
  await ask(stage.chatURL, {
    body: { ...asked, messages: [...messages, turn, { role: 'tool', tool_call_id: call.id, content: 'ok' }] },
  });
  const sent = stage.upstreams.a.requests[0]?.json['messages'] as { reasoning_content?: string }[];
  expect(sent[1]?.reasoning_content).toBe(expected);
});

it('[54] what Groq counts beside its chunks is counted', async () => {
  const usage = { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 };
  const frames = [
    role,
    delta({ content: 'so' }),
    chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], x_groq: { id: 'r', usage } }),
    done,
  ];
  await using stage = await inFrontOf('Groq', stream(frames));
  await ask(stage.chatURL, { body: { ...asked, stream: true } });
  expect(await tokensIn(stage)).toMatchObject({ input: 11, output: 7 });
});

it('[55] what xAI’s models think is counted as output, which its own count leaves out', async () => {
  const usage = {
    prompt_tokens: 11,
    completion_tokens: 7,
    total_tokens: 118,
    completion_tokens_details: { reasoning_tokens: 100 },
  };
  for (const streamed of [false, true]) {
    await using stage = await inFrontOf('XAI', both({ content: 'so' }, 'stop', usage));
    await ask(stage.chatURL, { body: { ...asked, stream: streamed } });
    expect(await tokensIn(stage)).toMatchObject({ input: 11, output: 107, reasoning: 100 });
    const got = await ask(`${stage.gateway.url}/v1/messages`, {
      body: { ...asked, max_tokens: 9 },
      headers: { 'anthropic-version': '2023-06-01' },
    });
    expect(JSON.parse(got.text)).toMatchObject({ usage: { input_tokens: 11, output_tokens: 107 } });
  }
});

it('[65] no limits are told that are not the client’s', async () => {
  const limits = { 'x-ratelimit-limit-requests': '10', 'x-ratelimit-remaining-tokens': '5' };
  const body = {
    ...fixed,
    choices: [{ index: 0, message: { role: 'assistant', content: 'so' }, finish_reason: 'stop' }],
  };
  await using stage = await inFrontOf('OpenAI', answer(body, { headers: limits }));
  const got = await ask(stage.chatURL, { body: asked });
  expect(Object.keys(got.headers).filter((name) => name.startsWith('x-ratelimit'))).toEqual([]);
});

it('[66] no money is a RateLimitError that names it, and is not tried again', async () => {
  const error = {
    message: 'You exceeded your current quota',
    type: 'insufficient_quota',
    param: null,
    code: 'insufficient_quota',
  };
  await using stage = await inFrontOf('OpenAI', answer({ error }, { status: 429 }));
  const client = new OpenAI({ apiKey: 'nobody', baseURL: `${stage.gateway.url}/v1`, maxRetries: 2 });
  const thrown = await client.chat.completions.create(asked).catch((reason: Error) => reason);
  expect(thrown).toBeInstanceOf(RateLimitError);
  expect(thrown).toMatchObject({ status: 429, code: 'insufficient_quota' });
  const { headers } = thrown as RateLimitError;
  expect([headers.get('x-should-retry'), stage.upstreams.a.requests.length]).toEqual(['false', 1]);
});

it('[38] a call without an id gets one, the same each time', async () => {
  const { id: _, ...nameless } = call;
  for (const type of ['OpenAICompatible', 'Mistral'] as const) {
    await using stage = await inFrontOf(type, both({ content: null, tool_calls: [nameless] }, 'tool_calls'));
    const client = official('v7', `${stage.gateway.url}/v1`);
    const ids = [];
    for (let turn = 0; turn < 2; turn++) {
      const got = await client.chat.completions.create({ ...asked, tools });
      const streamed = await client.chat.completions.stream({ ...asked, tools }).finalChatCompletion();
      ids.push(got.choices[0]?.message.tool_calls?.[0]?.id, streamed.choices[0]?.message.tool_calls?.[0]?.id);
    }
    expect(ids[0]).toMatch(/\S/);
    expect(new Set(ids).size).toBe(1);
  }
});
