// Clouds that need bytes where clients have addresses, and that refuse what others have signed.

import Anthropic from '@anthropic-ai/sdk';
import { BadRequestError, RateLimitError } from 'openai';
import { describe, expect, it } from 'vitest';
import { ask, official } from '../../support/client.ts';
import { google, refusal, signature } from '../../support/clouds/google.ts';
import { openCloudStage, vendorOf } from '../../support/clouds/vendors.ts';
import { answer } from '../../support/scripts.ts';
import { type Script, startUpstream } from '../../support/upstream.ts';

const png = Buffer.from('\x89PNG\r\n\x1a\n and what a picture has', 'latin1');
const picture = answer(png, { headers: { 'content-type': 'application/octet-stream' } });
const here = { allowCidrs: ['127.0.0.1/32'], resolve: () => Promise.resolve([{ address: '127.0.0.1', family: 4 }]) };

function stageOf(name: string, script: Script = vendorOf(name).answers(name)) {
  return openCloudStage({ [name]: script }, { gateway: { sources: here } });
}

describe.each(['gemini', 'vertex', 'vertex-claude', 'bedrock'])('%s', (name) => {
  it('[107] [122] is given the bytes of an image that the client gives the address of', async () => {
    await using site = await startUpstream(picture);
    await using stage = await stageOf(name);
    const address = `http://pictures.test:${site.port}/a.png?signed=1`;
    const seen = `a picture of ${png.length} bytes`;
    for (const version of ['v6', 'v7'] as const) {
      const content = [{ type: 'image_url' as const, image_url: { url: address } }];
      const got = await official(version, `${stage.gateway.url}/v1`).chat.completions.create({
        model: 'chat',
        messages: [{ role: 'user', content }],
      });
      expect(got.choices[0]?.message.content).toBe(seen);
    }
    const client = new Anthropic({ apiKey: 'nobody', baseURL: stage.gateway.url, maxRetries: 0 });
    const message = await client.messages.create({
      model: 'chat',
      max_tokens: 100,
      messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'url', url: address } }] }],
    });
    expect(message.content.at(-1)).toMatchObject({ type: 'text', text: seen });
    expect(site.requests).toHaveLength(3);
  });

  it('[107] is asked for nothing where there is no image, and the client hears whose fault that is', async () => {
    await using site = await startUpstream(answer('gone', { status: 410 }));
    await using stage = await stageOf(name);
    const url = `http://pictures.test:${site.port}/a.png?signed=1`;
    const thrown = await official('v7', `${stage.gateway.url}/v1`)
      .chat.completions.create({
        model: 'chat',
        messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }],
      })
      .catch((reason: Error) => reason);
    expect(thrown).toBeInstanceOf(BadRequestError);
    expect((thrown as BadRequestError).message).toMatch(/pictures\.test:\d+ cannot be given .* status 410/);
    expect((thrown as BadRequestError).message).not.toContain('signed');
    expect(stage.upstreams[name]?.requests).toEqual([]);
    expect((await stage.gateway.backend(`default/chat/${name}`)).state).toBe('enabled');
  });
});

it.each(['gemini', 'vertex-claude', 'bedrock'])(
  '[107] %s is given a document, of clients of both vendors',
  async (name) => {
    const pdf = Buffer.from('%PDF-1.7 and what a document has');
    await using site = await startUpstream(answer(pdf, { headers: { 'content-type': 'text/html' } }));
    await using stage = await stageOf(name);
    const address = `http://papers.test:${site.port}/a.pdf`;
    const responses = await official('v7', `${stage.gateway.url}/v1`).responses.create({
      model: 'chat',
      input: [{ role: 'user', content: [{ type: 'input_file', file_url: address, filename: 'a.pdf' }] }],
    });
    expect(responses.status).toBe('completed');
    const client = new Anthropic({ apiKey: 'nobody', baseURL: stage.gateway.url, maxRetries: 0 });
    await client.messages.create({
      model: 'chat',
      max_tokens: 100,
      messages: [{ role: 'user', content: [{ type: 'document', source: { type: 'url', url: address } }] }],
    });
    const bodies = stage.upstreams[name]?.requests.map(({ body }) => body.toString()) ?? [];
    expect(bodies).toHaveLength(2);
    for (const body of bodies) {
      expect(body).toContain(pdf.toString('base64'));
      expect(body).not.toContain('papers.test');
    }
    expect(site.requests).toHaveLength(2);
  },
);

it.each(['gemini', 'vertex'])(
  '[91] %s is asked at the place of its streams, and shown its key in a header',
  async (name) => {
    await using stage = await stageOf(name);
    for (const stream of [true, false]) {
      const body = { model: 'chat', messages: [{ role: 'user', content: 'one' }], stream };
      expect((await ask(stage.chatURL, { body })).status).toBe(200);
    }
    const requests = stage.upstreams[name]?.requests ?? [];
    expect(requests.map(({ target }) => target.replace(/^.*(?=:)/, ''))).toEqual([
      ':streamGenerateContent?alt=sse',
      ':generateContent',
    ]);
    const { secret } = vendorOf(name);
    for (const { headers, target } of requests) {
      expect(target).not.toContain(secret);
      expect(headers[name === 'gemini' ? 'x-goog-api-key' : 'authorization']).toContain(secret);
    }
  },
);

it('[106] a limit that Gemini names in its body is one that the client knows', async () => {
  await using stage = await stageOf('gemini', vendorOf('gemini').tooMany);
  const thrown = await official('v7', `${stage.gateway.url}/v1`)
    .chat.completions.create({ model: 'chat', messages: [{ role: 'user', content: 'one' }] })
    .catch((reason: Error) => reason);
  expect(thrown).toBeInstanceOf(RateLimitError);
  expect((thrown as RateLimitError).headers.get('retry-after')).toBe('22');
});

describe('several answers at once', () => {
  /** Two candidates, in no order. */
  const two: Script = (exchange) => {
    const call = { functionCall: { name: 'f', args: {} } };
    const candidate = (index: number, finishReason: string, ...parts: object[]): object => {
      return { index, finishReason, content: { role: 'model', parts } };
    };
    const candidates = [
      candidate(1, 'MAX_TOKENS', { text: 'hm', thought: true }, { text: 'second' }),
      candidate(0, 'STOP', { text: 'first' }, call),
    ];
    const usageMetadata = { promptTokenCount: 1, candidatesTokenCount: 2, totalTokenCount: 3 };
    return answer({ candidates, usageMetadata, responseId: 'r1', modelVersion: 'm' })(exchange);
  };
  const asked = { model: 'chat', messages: [{ role: 'user' as const, content: 'one' }] };

  it.each(['v6', 'v7'] as const)('[108] are had from Gemini, in their order: %s', async (version) => {
    await using stage = await stageOf('gemini', two);
    const client = official(version, `${stage.gateway.url}/v1`);
    const { choices, usage } = await client.chat.completions.create({ ...asked, n: 2 });
    expect(choices).toMatchObject([
      {
        index: 0,
        finish_reason: 'tool_calls',
        message: { content: 'first', tool_calls: [{ function: { name: 'f' } }] },
      },
      { index: 1, finish_reason: 'length', message: { content: 'second', reasoning: 'hm' } },
    ]);
    expect(usage).toMatchObject({ prompt_tokens: 1, completion_tokens: 2 });
    const completion = await client.completions.create({ model: 'chat', prompt: 'one', n: 2 });
    expect(completion.choices.map(({ index, text }) => [index, text])).toEqual([
      [0, 'first'],
      [1, 'second'],
    ]);
    const sent = stage.upstreams['gemini']?.requests.map(({ json }) => json['generationConfig']);
    expect(sent).toMatchObject([{ candidateCount: 2 }, { candidateCount: 2 }]);
  });

  it.each([
    { n: 9, stream: false },
    { n: 2, stream: true },
  ])('[108] are refused by the client’s name for them where there is none: %j', async (members) => {
    await using stage = await stageOf('gemini');
    const thrown = await official('v7', `${stage.gateway.url}/v1`)
      .chat.completions.create({ ...asked, ...members })
      .catch((reason: Error) => reason);
    expect(thrown).toBeInstanceOf(BadRequestError);
    expect(thrown).toMatchObject({ param: 'n' });
    expect(stage.upstreams['gemini']?.requests).toEqual([]);
  });
});

describe('what somebody else has signed', () => {
  it('[98] is left out where Gemini refuses it, and the row of calls goes on', async () => {
    const spoilt: Script = (exchange) => {
      const isSigned = JSON.stringify(exchange.request.json).includes(JSON.stringify(signature));
      return (isSigned ? refusal(400, 'INVALID_ARGUMENT', 'Corrupted thought signature.') : google('gemini', 'gemini'))(
        exchange,
      );
    };
    await using stage = await stageOf('gemini', spoilt);
    const client = official('v7', `${stage.gateway.url}/v1`);
    const tools = ['weather', 'time'].map((name) => ({
      type: 'function' as const,
      function: { name, parameters: { type: 'object', properties: {} } },
    }));
    const messages = [{ role: 'user' as const, content: 'one' }];
    const first = await client.chat.completions.create({ model: 'chat', messages, tools });
    const turn = first.choices[0]!.message;
    const results = (turn.tool_calls ?? []).map(({ id }) => ({
      role: 'tool' as const,
      tool_call_id: id,
      content: 'ok',
    }));
    const { data, response } = await client.chat.completions
      .create({ model: 'chat', messages: [...messages, turn, ...results], tools })
      .withResponse();
    expect(data.choices[0]?.message.content).toBe('heard ok and ok');
    expect(response.headers.get('x-sluice-attempts')).toBe('2');
    expect((await stage.gateway.backend('default/chat/gemini')).state).toBe('enabled');
  });

  it.each(['vertex-claude', 'bedrock'])('is left out where %s refuses it, whole and streamed', async (name) => {
    await using stage = await stageOf(name);
    const client = new Anthropic({ apiKey: 'nobody', baseURL: stage.gateway.url, maxRetries: 0 });
    const asked = {
      model: 'chat',
      max_tokens: 100,
      messages: [
        { role: 'user' as const, content: 'one' },
        {
          role: 'assistant' as const,
          content: [
            { type: 'thinking' as const, thinking: 'hm', signature: 'b2Ygc29tZWJvZHkgZWxzZQ==' },
            { type: 'text' as const, text: 'two' },
          ],
        },
        { role: 'user' as const, content: 'three' },
      ],
    };
    const text = `hello from ${name} 😀`;
    expect((await client.messages.create(asked)).content).toMatchObject([{ type: 'text', text }]);
    expect((await client.messages.stream(asked).finalMessage()).content).toMatchObject([{ type: 'text', text }]);
    expect(stage.upstreams[name]?.requests).toHaveLength(4);
  });
});
