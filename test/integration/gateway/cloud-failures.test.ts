// What clouds say of failures, in their own ways, is understood: who is to blame, for how long, and what the client hears.
// And what they are asked beside chats.

import { describe, expect, it } from 'vitest';
import { ask, errorOf, official } from '../../support/client.ts';
import { refusal as bedrockRefusal } from '../../support/clouds/bedrock.ts';
import { openCloudStage, vendorOf, vendors } from '../../support/clouds/vendors.ts';
import { upstreamKey } from '../../support/config.ts';
import { answer, stream } from '../../support/scripts.ts';
import { startUpstream } from '../../support/upstream.ts';

const body = { model: 'chat', messages: [{ role: 'user', content: 'one' }] };

describe('a failure', () => {
  it('[106] of Gemini says in its body when to come back', async () => {
    for (const script of [
      vendorOf('gemini').tooMany,
      // As it comes where the way of streaming is misunderstood, and from the endpoint for clients of OpenAI.
      answer(
        [{ error: { code: 429, message: 'Quota exceeded. Please retry in 21.5s.', status: 'RESOURCE_EXHAUSTED' } }],
        { status: 429 },
      ),
    ]) {
      for (const streamed of [false, true]) {
        await using stage = await openCloudStage({ gemini: script });
        const got = await ask(stage.chatURL, { body: { ...body, stream: streamed } });
        expect([got.status, got.headers['retry-after'], errorOf(got).code]).toEqual([429, '22', 'rate_limit_exceeded']);
        expect((await stage.gateway.backend('default/chat/gemini')).state).toBe('enabled');
      }
    }
  });

  it.each([
    ['bedrock', 429, 'rate_limit_exceeded', 'RateLimit'],
    ['gemini', 503, 'upstream_overloaded', 'Overloaded'],
    ['vertex-claude', 503, 'upstream_overloaded', 'Overloaded'],
    ['cohere', 502, 'invalid_upstream_response', 'InvalidResponse'],
  ] as const)(
    '[114] of %s before the first words of a stream has a status: %i %s',
    async (name, status, code, reason) => {
      const { failsAtOnce, model } = vendorOf(name);
      await using stage = await openCloudStage({ [name]: failsAtOnce });
      const got = await ask(stage.chatURL, { body: { ...body, stream: true } });
      expect([got.status, errorOf(got).code]).toEqual([status, code]);
      const key = await stage.gateway.key(`default/key-${name}`);
      const backend = await stage.gateway.backend(`default/chat/${name}`);
      // Limits are the key's, for this model; everything else is not the key's fault.
      expect(key.models).toMatchObject(reason === 'RateLimit' ? [{ model, reason }] : []);
      if (reason === 'InvalidResponse') expect(backend).toMatchObject({ state: 'disabled', reason });
      if (reason === 'RateLimit') expect(backend).toMatchObject({ state: 'enabled', models: [] });
    },
  );

  it.each(vendors.map(({ name }) => name))('of %s after them is told in the stream, and counts', async (name) => {
    await using stage = await openCloudStage({ [name]: vendorOf(name).failsLater });
    const got = await ask(stage.chatURL, { body: { ...body, stream: true } });
    expect([got.status, got.text.includes('hello')]).toEqual([200, true]);
    expect(got.text).not.toContain('[DONE]');
    expect(got.text.trimEnd().split('\n').at(-1)).toMatch(/^data: \{"error":\{"message":/);
    const { models, state } = await stage.gateway.backend(`default/chat/${name}`);
    expect(models.length + (state === 'disabled' ? 1 : 0)).toBeGreaterThan(0);
  });

  it.each([
    ['no key', { credentials: { type: 'Passthrough' } }, 'none', 401],
    ['a key that cannot sign', {}, '{}', 502],
  ] as const)(
    'of %s to sign the parts of a request costs that request its answer',
    async (_, differs, secret, status) => {
      const rejections: unknown[] = [];
      const note = (reason: unknown): void => void rejections.push(reason);
      process.on('unhandledRejection', note);
      await using stage = await openCloudStage(
        { bedrock: vendorOf('bedrock').answers('bedrock') },
        {
          backend: { model: 'amazon.titan-embed-text-v2:0' },
          provider: differs,
          draft: (usual) => ({ ...usual, upstreamKeys: [upstreamKey('key-bedrock', 'bedrock', secret)] }),
        },
      );
      const input = Array.from({ length: 9 }, (__, index) => `text ${index}`);
      const got = await ask(`${stage.gateway.url}/chat/embeddings`, { body: { model: 'chat', input } });
      process.off('unhandledRejection', note);
      expect([got.status, rejections]).toEqual([status, []]);
      expect(stage.upstreams.bedrock.requests).toHaveLength(0);
    },
  );

  it.each([
    [429, 'ModelNotReadyException', 503, 'upstream_overloaded'],
    [424, 'ModelErrorException', 502, 'upstream_error'],
    [408, 'ModelTimeoutException', 504, 'upstream_timeout'],
    [400, 'ServiceQuotaExceededException', 429, 'insufficient_quota'],
    [403, 'AccessDeniedException', 502, 'upstream_permission_denied'],
    [403, 'UnrecognizedClientException', 502, 'upstream_auth_failed'],
    [404, 'ResourceNotFoundException', 404, 'model_not_found'],
  ])('[124] of AWS has its name in a header: %i %s', async (status, name, told, code) => {
    await using stage = await openCloudStage({ bedrock: bedrockRefusal(status, name, 'Something is the matter.') });
    const got = await ask(stage.chatURL, { body });
    expect([got.status, errorOf(got).code]).toEqual([told, code]);
  });

  it('[101] [100] [104] of Gemini that looks like success is none', async () => {
    const finished = (finishReason: string, parts?: object): object => ({
      candidates: [{ finishReason, index: 0, ...(parts !== undefined && { content: { parts, role: 'model' } }) }],
      usageMetadata: { promptTokenCount: 5, thoughtsTokenCount: 7, totalTokenCount: 12 },
    });
    const asked = async (json: object, streamed: boolean): ReturnType<typeof ask> => {
      const script = streamed ? stream([`data: ${JSON.stringify(json)}\r\n\r\n`]) : answer(json);
      await using stage = await openCloudStage({ gemini: script });
      return await ask(stage.chatURL, { body: { ...body, stream: streamed } });
    };
    for (const streamed of [false, true]) {
      const blocked = await asked(
        { promptFeedback: { blockReason: 'SAFETY' }, usageMetadata: { promptTokenCount: 5 } },
        streamed,
      );
      expect([blocked.status, blocked.text.includes('"finish_reason":"content_filter"')]).toEqual([200, true]);
      const cut = await asked(finished('MAX_TOKENS'), streamed);
      expect([cut.status, cut.text.includes('"finish_reason":"length"')]).toEqual([200, true]);
      expect((await asked(finished('MALFORMED_FUNCTION_CALL'), streamed)).status).toBe(502);
    }
  });
});

describe('beside chats', () => {
  it.each([
    ['cohere', '/v2/rerank', '/v2/rerank'],
    ['gemini', '/v1beta/models/gemini-2.5-pro:countTokens', '/v1beta/models/gemini-2.5-pro:countTokens'],
    [
      'vertex',
      '/publishers/google/models/imagen-4:predict',
      '/v1/projects/shop/locations/europe-west4/publishers/google/models/imagen-4:predict',
    ],
    ['bedrock', '/model/amazon.nova-canvas-v1:0/invoke', '/model/amazon.nova-canvas-v1:0/invoke'],
  ])('%s is asked %s as it is, with the credential of the provider', async (name, path, target) => {
    await using stage = await openCloudStage({ [name]: answer({ done: true }) });
    const sent = '{"query" : "one"}';
    const got = await ask(`${stage.gateway.url}/chat${path}`, {
      body: sent,
      headers: { 'content-type': 'application/json' },
    });
    expect([got.status, got.text]).toEqual([200, '{"done":true}']);
    const request = stage.upstreams[name]!.requests[0]!;
    expect([request.target, request.body.toString()]).toEqual([target, sent]);
    expect(request.headers['authorization'] ?? request.headers['x-goog-api-key']).toMatch(/canary|AWS4-HMAC-SHA256/);
  });

  it('[107] [122] pictures at addresses reach those that have to have the bytes', async () => {
    const png = Buffer.from('\x89PNG\r\n\x1a\n of a picture', 'latin1');
    await using site = await startUpstream(answer(png, { headers: { 'content-type': 'image/png' } }));
    const sources = {
      allowCidrs: ['127.0.0.1/32'],
      resolve: () => Promise.resolve([{ address: '127.0.0.1', family: 4 }]),
    };
    for (const name of ['gemini', 'vertex', 'vertex-claude', 'bedrock']) {
      await using stage = await openCloudStage({ [name]: vendorOf(name).answers(name) }, { gateway: { sources } });
      const client = official('v7', `${stage.gateway.url}/v1`);
      const url = `http://pictures.test:${site.port}/a.png`;
      const content = [{ type: 'image_url' as const, image_url: { url } }];
      const { choices } = await client.chat.completions.create({
        model: 'chat',
        messages: [{ role: 'user', content }],
      });
      expect(choices[0]?.message.content).toBe(`a picture of ${png.length} bytes`);
    }
  });

  it('[152] Claude on Vertex AI has the client’s own bytes but for model and version, and its betas', async () => {
    const { answers } = vendorOf('vertex-claude');
    await using stage = await openCloudStage({ 'vertex-claude': answers('claude') });
    const sent = '{"model":"chat","max_tokens":5,"messages":[{"role":"user","content":"\\u00e9"}],"top_k":1.0}';
    const headers = { 'content-type': 'application/json', 'anthropic-version': '2023-06-01', 'anthropic-beta': 'a,b' };
    const got = await ask(`${stage.gateway.url}/v1/messages`, { body: sent, headers });
    expect(got.status).toBe(200);
    const [request] = stage.upstreams['vertex-claude'].requests;
    expect(request?.body.toString()).toBe(
      '{"max_tokens":5,"messages":[{"role":"user","content":"\\u00e9"}],"top_k":1.0,"anthropic_version":"vertex-2023-10-16"}',
    );
    expect(request?.headers).toMatchObject({ 'anthropic-beta': 'a,b' });
    const counted = await ask(`${stage.gateway.url}/v1/messages/count_tokens`, { body: sent, headers });
    expect(JSON.parse(counted.text)).toEqual({ input_tokens: 4711 });
    expect(stage.upstreams['vertex-claude'].requests[1]).toMatchObject({
      target: expect.stringMatching(/\/models\/count-tokens:rawPredict$/) as string,
      json: { model: vendorOf('vertex-claude').model },
    });
  });

  it.each(vendors.map(({ name }) => name))('%s is counted under its names', async (name) => {
    await using stage = await openCloudStage({ [name]: vendorOf(name).answers(name) });
    await ask(stage.chatURL, { body: { ...body, stream: true } });
    await ask(stage.chatURL, { body });
    const metrics = await stage.gateway.metrics();
    expect(metrics).toContain(`sluice_attempts_total{route="default/chat",backend="${name}",outcome="success"} 2`);
    expect(metrics).toContain(`sluice_tokens_total{route="default/chat",backend="${name}",type="input"} 22`);
    expect(metrics).toContain(
      'sluice_requests_total{route="default/chat",protocol="openai-chat",code="200",outcome="answered"} 2',
    );
  });

  it('models are listed by their public names, whoever has them', async () => {
    const models = ['b', 'a'].map((name) => ({ name, type: 'Exact' }) as const);
    await using stage = await openCloudStage({ gemini: vendorOf('gemini').answers('g') }, { route: { models } });
    const { data } = await official('v7', `${stage.gateway.url}/v1`).models.list();
    expect(data.map(({ id }) => id)).toEqual(['a', 'b']);
    expect(stage.upstreams.gemini.requests).toEqual([]);
  });
});
