// What clouds are shown of who asks: keys in headers, signatures, and tokens that are got for key files.

import { generateKeyPairSync } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import { createHash, createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ask, errorOf, official } from '../../support/client.ts';
import { openCloudStage, vendorOf, vendors } from '../../support/clouds/vendors.ts';
import { upstreamKey } from '../../support/config.ts';
import { openai } from '../../support/openai-answers.ts';
import { answer } from '../../support/scripts.ts';
import { soon } from '../../support/soon.ts';
import type { Stage } from '../../support/stage.ts';
import { type Script, startUpstream, type UpstreamRequest } from '../../support/upstream.ts';

const body = { model: 'chat', messages: [{ role: 'user', content: 'one' }] };

/** A stage of one cloud whose only key holds this. */
function stageWith(name: string, secret: string, more: Readonly<Record<string, Script>> = {}): Promise<Stage<string>> {
  return openCloudStage(
    { [name]: vendorOf(name).answers(name), ...more },
    { draft: (usual) => ({ ...usual, upstreamKeys: [upstreamKey(`key-${name}`, name, secret)] }) },
  );
}

function chat(stage: Stage<string>): ReturnType<typeof ask> {
  return ask(stage.chatURL, { body });
}

class Sha256 {
  readonly #secret: string | Uint8Array | undefined;
  readonly #data: Buffer[] = [];

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#secret = secret as string | Uint8Array | undefined;
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#data.push(Buffer.from(data as string));
  }

  digest(): Promise<Uint8Array> {
    const hash = this.#secret === undefined ? createHash('sha256') : createHmac('sha256', this.#secret);
    return Promise.resolve(hash.update(Buffer.concat(this.#data)).digest());
  }

  reset(): void {
    this.#data.length = 0;
  }
}

/** The signature that AWS would find for what has arrived. */
async function expectedSignature(request: UpstreamRequest, keys: { accessKeyId: string; secretAccessKey: string }) {
  const { headers, target, body: bytes, method } = request;
  const [, date = ''] = /^(\d{8}T\d{6}Z)$/.exec(headers['x-amz-date'] ?? '') ?? [];
  const at = date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z');
  const [hostname = '', port = ''] = headers['host']!.split(':');
  const signer = new SignatureV4({ credentials: keys, region: 'eu-central-1', service: 'bedrock', sha256: Sha256 });
  const unsigned = { host: headers['host']!, 'content-type': headers['content-type']! };
  const { headers: signed } = await signer.sign(
    {
      method,
      protocol: 'http:',
      hostname,
      port: Number(port),
      path: target,
      query: {},
      headers: unsigned,
      body: bytes,
    },
    { signingDate: new Date(at) },
  );
  return signed['authorization'];
}

describe('a key', () => {
  it('[91] of Gemini goes in a header of its own, and in no address', async () => {
    await using stage = await stageWith('gemini', 'AIza-canary');
    expect((await chat(stage)).status).toBe(200);
    const { headers, target } = stage.upstreams['gemini']!.requests[0]!;
    expect([headers['x-goog-api-key'], headers['authorization']]).toEqual(['AIza-canary', undefined]);
    expect(target).toBe('/v1beta/models/gemini-3-pro-preview:generateContent');
  });

  it('of Cohere is a bearer token', async () => {
    await using stage = await stageWith('cohere', 'canary');
    expect((await chat(stage)).status).toBe(200);
    const { headers, target } = stage.upstreams['cohere']!.requests[0]!;
    expect([headers['authorization'], target]).toEqual(['Bearer canary', '/v2/chat']);
  });

  it('[110] of Bedrock that is a pair of keys signs what arrives, trace context and model and all', async () => {
    const keys = { accessKeyId: 'AKIACANARY', secretAccessKey: 'canary-secret' };
    await using stage = await stageWith('bedrock', JSON.stringify(keys, undefined, 2));
    for (const stream of [false, true]) {
      const got = await ask(stage.chatURL, {
        body: { ...body, stream },
        headers: { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` },
      });
      expect(got.status).toBe(200);
    }
    for (const request of stage.upstreams['bedrock']!.requests) {
      expect(request.target).toContain('/model/eu.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse');
      expect(request.headers['authorization']).toBe(await expectedSignature(request, keys));
    }
  });

  it('[110] of Bedrock that is a temporary pair is sent with its token', async () => {
    const keys = { accessKeyId: 'ASIACANARY', secretAccessKey: 'canary-secret', sessionToken: 'canary-token' };
    await using stage = await stageWith('bedrock', JSON.stringify(keys));
    expect((await chat(stage)).status).toBe(200);
    expect(stage.upstreams['bedrock']!.requests[0]!.headers['x-amz-security-token']).toBe('canary-token');
  });

  it('[111] of Bedrock that is an API key is shown as it is', async () => {
    await using stage = await stageWith('bedrock', 'ABSKcanary');
    expect((await chat(stage)).status).toBe(200);
    const { headers } = stage.upstreams['bedrock']!.requests[0]!;
    expect(headers['authorization']).toBe('Bearer ABSKcanary');
    expect(Object.keys(headers).filter((name) => name.startsWith('x-amz'))).toEqual([]);
  });

  it.each([
    ['ya29.canary', { authorization: 'Bearer ya29.canary' }],
    ['AQ.canary', { 'x-goog-api-key': 'AQ.canary' }],
  ])('[91] of Vertex AI is a token or an API key: %s', async (secret, headers) => {
    await using stage = await stageWith('vertex', secret);
    expect((await chat(stage)).status).toBe(200);
    expect(stage.upstreams['vertex']!.requests[0]).toMatchObject({
      headers,
      target: '/v1/projects/shop/locations/europe-west4/publishers/google/models/gemini-3-pro-preview:generateContent',
    });
  });

  it.each(['bedrock', 'vertex'])('of %s that is broken disables itself, and others answer', async (name) => {
    await using stage = await stageWith(name, '{"accessKeyId":"CANARY', { openai: openai('openai') });
    const got = await chat(stage);
    expect([got.status, got.headers['x-sluice-backend']]).toEqual([200, 'openai']);
    expect(await stage.gateway.key(`default/key-${name}`)).toMatchObject({
      state: 'disabled',
      reason: 'Authentication',
    });
    expect(stage.upstreams[name]!.requests).toEqual([]);
  });

  it.each(vendors.map(({ name }) => name))('of %s appears in nothing that the gateway says', async (name) => {
    const { secret } = vendorOf(name);
    await using stage = await openCloudStage({ [name]: vendorOf(name).tooMany });
    const got = await chat(stage);
    const said = [
      JSON.stringify(got),
      await stage.gateway.metrics(),
      JSON.stringify(await stage.gateway.state()),
    ].join();
    for (const part of [secret, 'canary']) expect(said).not.toContain(part);
    expect(await stage.gateway.key(`default/key-${name}`)).toMatchObject({
      models: [{ model: vendorOf(name).model, state: 'disabled', reason: 'RateLimit' }],
    });
  });

  it.each(vendors.map(({ name }) => name))('is the client’s own where %s is to be shown that', async (name) => {
    await using stage = await openCloudStage(
      { [name]: vendorOf(name).answers(name) },
      { provider: { credentials: { type: 'Passthrough' } } },
    );
    const got = await ask(stage.chatURL, { body, headers: { authorization: 'Bearer of-the-client' } });
    expect(got.status).toBe(200);
    const { headers } = stage.upstreams[name]!.requests[0]!;
    expect(headers[name === 'gemini' ? 'x-goog-api-key' : 'authorization']).toContain('of-the-client');
  });
});

describe('the key file of a service account', () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  const keyFile = (tokenURL: string): string =>
    JSON.stringify(
      { type: 'service_account', client_email: 'a@b.example', private_key: pem, token_uri: tokenURL },
      undefined,
      2,
    );
  const token = (value: string, seconds: number): Script =>
    answer({ access_token: value, expires_in: seconds, token_type: 'Bearer' });

  it('is exchanged once for a token, which is used by all requests', async () => {
    await using place = await startUpstream(token('ya29.got', 3600));
    await using stage = await stageWith('vertex', keyFile(`http://127.0.0.1:${place.port}/token`));
    const got = await Promise.all(Array.from({ length: 8 }, () => chat(stage)));
    expect(got.map(({ status }) => status)).toEqual(got.map(() => 200));
    expect(place.requests).toHaveLength(1);
    const [asked] = place.requests;
    expect([asked?.method, asked?.target]).toEqual(['POST', '/token']);
    expect(new URLSearchParams(asked?.body.toString()).get('grant_type')).toContain('jwt-bearer');
    const shown = stage.upstreams['vertex']!.requests.map(({ headers }) => headers['authorization']);
    expect(new Set(shown)).toEqual(new Set(['Bearer ya29.got']));
    // A new configuration with the same key goes on with it.
    stage.gateway.configure(stage.draft);
    expect((await chat(stage)).status).toBe(200);
    expect(place.requests).toHaveLength(1);
  });

  it('gets a new token before the old one ends', async () => {
    // Half a minute before its end no request begins with it: that is a second from now.
    await using place = await startUpstream(token('ya29.first', 31));
    await using stage = await stageWith('vertex', keyFile(`http://127.0.0.1:${place.port}/token`));
    expect((await chat(stage)).status).toBe(200);
    expect(stage.upstreams['vertex']!.requests.at(-1)?.headers['authorization']).toBe('Bearer ya29.first');
    place.script = token('ya29.second', 3600);
    await soon(async () => {
      expect((await chat(stage)).status).toBe(200);
      return stage.upstreams['vertex']!.requests.at(-1)?.headers['authorization'];
    }).toBe('Bearer ya29.second');
    expect(place.requests).toHaveLength(2);
  });

  it('that is refused disables itself, hard, and others answer', async () => {
    await using place = await startUpstream(
      answer({ error: 'invalid_grant', error_description: 'Invalid JWT Signature.' }, { status: 400 }),
    );
    await using stage = await stageWith('vertex', keyFile(`http://127.0.0.1:${place.port}/token`), {
      openai: openai('openai'),
    });
    expect((await chat(stage)).headers['x-sluice-backend']).toBe('openai');
    expect(await stage.gateway.key('default/key-vertex')).toMatchObject({
      state: 'disabled',
      hard: true,
      reason: 'Authentication',
    });
    expect((await chat(stage)).headers['x-sluice-attempts']).toBe('1');
    expect(place.requests).toHaveLength(1);
  });

  it('is no worse for a place that cannot be reached: the backend is, for its time', async () => {
    const place = await startUpstream(token('x', 1));
    const { port } = place;
    await place.refuse();
    await using stage = await stageWith('vertex', keyFile(`http://127.0.0.1:${port}/token`), {
      openai: openai('openai'),
    });
    expect((await chat(stage)).headers['x-sluice-backend']).toBe('openai');
    expect((await stage.gateway.key('default/key-vertex')).state).toBe('enabled');
    expect(await stage.gateway.backend('default/chat/vertex')).toMatchObject({ state: 'disabled', reason: 'Connect' });
  });

  it('may not name addresses that nobody may connect to', async () => {
    await using place = await startUpstream(token('x', 1));
    await using stage = await openCloudStage(
      { vertex: vendorOf('vertex').answers('vertex') },
      {
        gateway: { addresses: { allowPrivate: false, allowCidrs: [] } },
        draft: (usual) => ({
          ...usual,
          providers: usual.providers.map((one) => ({ ...one, endpointSource: 'Service' as const })),
          upstreamKeys: [upstreamKey('key-vertex', 'vertex', keyFile(`http://127.0.0.1:${place.port}/token`))],
        }),
      },
    );
    const got = await chat(stage);
    expect([got.status, errorOf(got).code]).toEqual([503, 'upstream_unavailable']);
    expect(place.requests).toEqual([]);
  });
});

describe('vectors', () => {
  const input = Array.from({ length: 250 }, (_, index) => String(index));

  it.each([
    ['gemini', 'gemini-embedding-001', [100, 100, 50], undefined],
    ['vertex', 'text-embedding-005', [250], 500],
    ['vertex', 'gemini-embedding-001', input.map(() => 1), 500],
    ['bedrock', 'amazon.titan-embed-text-v2:0', input.map(() => 1), 500],
    ['cohere', 'embed-v4.0', [96, 96, 58], 500],
  ] as const)(
    '[205] [206] of %s by %s come in order, in as many parts as it needs',
    async (name, model, parts, tokens) => {
      await using stage = await openCloudStage({ [name]: vendorOf(name).answers(name) }, { backend: { model } });
      for (const version of ['v6', 'v7'] as const) {
        stage.upstreams[name]!.forget();
        const client = official(version, `${stage.gateway.url}/v1`);
        const { data, usage } = await client.embeddings.create({ model: 'chat', input });
        expect(data.map(({ embedding }) => embedding)).toEqual(input.map((text) => [Number(text), 0.5, -0.25]));
        if (tokens !== undefined) expect(usage.prompt_tokens).toBe(tokens);
        const sizes = stage.upstreams[name]!.requests.map(({ json }) => {
          const list = json['requests'] ?? json['instances'] ?? json['texts'] ?? [json['inputText']];
          return (list as unknown[]).length;
        });
        expect(sizes.toSorted((one, other) => other - one)).toEqual(parts);
      }
      const [first] = stage.upstreams[name]!.requests;
      if (name === 'cohere') expect(first?.json).toMatchObject({ input_type: 'search_document' });
      const got = await ask(`${stage.gateway.url}/api/embed`, { body: { model: 'chat', input: ['7', '8'] } });
      expect((JSON.parse(got.text) as { embeddings: number[][] }).embeddings.map(([one]) => one)).toEqual([7, 8]);
    },
  );

  it('are refused by a model that has none', async () => {
    await using stage = await openCloudStage({ 'vertex-claude': vendorOf('vertex-claude').answers('x') });
    const got = await ask(`${stage.gateway.url}/v1/embeddings`, { body: { model: 'chat', input: 'x' } });
    expect([got.status, errorOf(got).code]).toEqual([503, 'no_backend']);
  });
});
