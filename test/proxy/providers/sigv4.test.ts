import { createHash, createHmac } from 'node:crypto';

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { AwsKeys } from '../../../proxy/providers/aws-keys.ts';
import { noIdentity } from '../../../proxy/providers/cloud-identity.ts';
import type { FinishedRequest } from '../../../proxy/providers/provider-kind.ts';
import { readAwsCredentials, signForBedrock, signRequest } from '../../../proxy/providers/sigv4.ts';
import { provider } from '../../support/config.ts';

const credentials: AwsKeys = {
  type: 'keys',
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
};
const region = 'eu-central-1';
const nowMs = Date.UTC(2026, 10, 27, 12, 30, 5);

function request(model: string, details: Partial<FinishedRequest> = {}): FinishedRequest {
  return {
    method: 'POST',
    origin: 'https://bedrock-runtime.eu-central-1.amazonaws.com',
    path: `/model/${encodeURIComponent(model)}/converse`,
    headers: { 'content-type': 'application/json', 'user-agent': 'sluice', traceparent: '00-a' },
    body: Buffer.from('{"messages":[]}'),
    ...details,
  };
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** The signature as the specification has it, step by step. */
function reference(
  { method, origin, path, headers, body }: FinishedRequest,
  sent: Readonly<Record<string, string>>,
  keys: AwsKeys,
): string {
  const [pathname = '', query = ''] = path.split('?');
  const signed: Record<string, string> = {
    host: new URL(origin).host,
    'content-type': headers['content-type']!,
    'x-amz-content-sha256': sha256(body!),
    'x-amz-date': sent['x-amz-date']!,
    ...(keys.sessionToken !== undefined && { 'x-amz-security-token': keys.sessionToken }),
  };
  const names = Object.keys(signed).toSorted();
  const canonical = [
    method,
    pathname.split('/').map(encode).join('/'),
    query,
    ...names.map((name) => `${name}:${signed[name]}`),
    '',
    names.join(';'),
    sha256(body!),
  ].join('\n');
  const scope = `20261127/${region}/bedrock/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', '20261127T123005Z', scope, sha256(canonical)].join('\n');
  const key = ['20261127', region, 'bedrock', 'aws4_request'].reduce<Buffer | string>(
    (secret, part) => createHmac('sha256', secret).update(part).digest(),
    `AWS4${keys.secretAccessKey}`,
  );
  const signature = createHmac('sha256', key).update(toSign).digest('hex');
  return `AWS4-HMAC-SHA256 Credential=${keys.accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
}

describe('a signature', () => {
  test.each([
    'anthropic.claude-sonnet-4-5-20250929-v1:0',
    'arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/abc123',
    "odd (model)*!'~ ü",
  ])('[110] of a request for %s is that of the specification: the model encoded once, and once more', async (model) => {
    const asked = request(model);
    const sent = await signRequest(asked, { credentials, region, nowMs });
    expect(sent['authorization']).toBe(reference(asked, sent, credentials));
    expect(sent).toEqual({
      authorization: sent['authorization'],
      'x-amz-content-sha256': sha256(asked.body!),
      'x-amz-date': '20261127T123005Z',
    });
  });

  test('[110] holds for any model and body', async () => {
    await fc.assert(
      fc.asyncProperty(fc.stringMatching(/^[\w:/.-]{1,60}$/), fc.uint8Array(), async (model, bytes) => {
        fc.pre(!model.split('/').some((segment) => segment === '.' || segment === '..'));
        const asked = request(model, { body: Buffer.from(bytes) });
        const sent = await signRequest(asked, { credentials, region, nowMs });
        expect(sent['authorization']).toBe(reference(asked, sent, credentials));
      }),
      { numRuns: 50 },
    );
  });

  test('holds with a port, a query, and the token of temporary keys', async () => {
    const temporary = { ...credentials, sessionToken: 'IQoJb3JpZ2luX2VjE' };
    const asked = request('m', { origin: 'http://127.0.0.1:4566', path: '/model/m/converse?a=1&b=2' });
    const sent = await signRequest(asked, { credentials: temporary, region, nowMs });
    expect(sent['authorization']).toBe(reference(asked, sent, temporary));
    expect(sent['x-amz-security-token']).toBe('IQoJb3JpZ2luX2VjE');
  });
});

describe('a secret', () => {
  const keys = { accessKeyId: 'a', secretAccessKey: 's' };

  test.each([
    [' ABSKkey\n', { type: 'api-key', key: 'ABSKkey' }],
    [JSON.stringify(keys), { type: 'keys', ...keys }],
    [JSON.stringify({ ...keys, sessionToken: 't', other: 1 }), { type: 'keys', ...keys, sessionToken: 't' }],
    [JSON.stringify({ ...keys, sessionToken: '' }), { type: 'keys', ...keys }],
    ['{"accessKeyId":"a"}', undefined],
    ['{"accessKeyId":1,"secretAccessKey":2}', undefined],
    ['{"accessKeyId"', undefined],
    ['', undefined],
  ])('%j is read', (secret, expected) => {
    expect(readAwsCredentials(secret)).toEqual(expected);
  });

  const tokens = { tokenFor: () => Promise.reject(new Error('there are none')) };
  const identity = noIdentity;
  const config = provider('b', 'https://x.example', {
    type: 'Bedrock',
    bedrock: { region },
    credentials: { type: 'KeyPool' },
  });

  test('[111] that is an API key is shown as it is, without a signature', async () => {
    expect(await signForBedrock(request('m'), { config, credential: 'ABSKkey', tokens, identity, nowMs })).toEqual({
      authorization: 'Bearer ABSKkey',
    });
  });

  test('[110] that is a pair of keys signs', async () => {
    const sent = await signForBedrock(request('m'), {
      config,
      credential: JSON.stringify(credentials),
      tokens,
      identity,
      nowMs,
    });
    expect(sent['authorization']).toContain(`/20261127/${region}/bedrock/aws4_request`);
  });

  test.each([undefined, '{}'])('that is %j proves nothing', async (credential) => {
    await expect(signForBedrock(request('m'), { config, credential, tokens, identity, nowMs })).rejects.toMatchObject({
      code: 'upstream_auth_failed',
    });
  });

  test('that is a client’s own is an API key, and signs nothing', async () => {
    const passing = { ...config, credentials: { type: 'Passthrough' as const } };
    const facts = { config: passing, tokens, identity, nowMs };
    expect(await signForBedrock(request('m'), { ...facts, credential: 'ABSKkey' })).toEqual({
      authorization: 'Bearer ABSKkey',
    });
    const pair = JSON.stringify(credentials);
    await expect(signForBedrock(request('m'), { ...facts, credential: pair })).rejects.toMatchObject({
      code: 'upstream_auth_failed',
    });
  });

  test('is not needed where the provider wants none', async () => {
    const open = { ...config, credentials: { type: 'None' as const } };
    expect(
      await signForBedrock(request('m'), { config: open, credential: undefined, tokens, identity, nowMs }),
    ).toEqual({});
  });
});
