import { generateKeyPairSync, verify } from 'node:crypto';
import { describe, expect, it, test } from 'vitest';
import { noIdentity } from '../../../proxy/providers/cloud-identity.ts';
import { readGoogleCredentials, proveToGoogle } from '../../../proxy/providers/google-credentials.ts';
import { readToken, requestToken } from '../../../proxy/providers/google-exchange.ts';
import { SigningFailure } from '../../../proxy/providers/signing-failure.ts';
import { provider } from '../../support/config.ts';

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
const keyFile = {
  type: 'service_account',
  project_id: 'shop',
  private_key_id: 'k1',
  private_key: pem,
  client_email: 'sluice@shop.iam.gserviceaccount.com',
  token_uri: 'https://oauth2.googleapis.com/token',
};
const nowMs = Date.UTC(2026, 10, 27, 12);

async function reasonOf(asked: Promise<unknown>): Promise<string> {
  try {
    await asked;
  } catch (error) {
    if (!(error instanceof SigningFailure)) throw error;
    expect(error.signal).toMatchObject({ type: 'answer', status: 401 });
    return error.message;
  }
  return 'nothing';
}

describe('the key file of a service account', () => {
  it('asks for a token with a statement that Google can verify', async () => {
    const { url, body } = await requestToken(JSON.stringify(keyFile, undefined, 2), nowMs);
    const form = new URLSearchParams(body);
    expect(url).toBe('https://oauth2.googleapis.com/token');
    expect(form.get('grant_type')).toBe('urn:ietf:params:oauth:grant-type:jwt-bearer');
    const [header = '', claims = '', signature = ''] = form.get('assertion')!.split('.');
    const read = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString());
    expect(read(header)).toEqual({ alg: 'RS256', typ: 'JWT', kid: 'k1' });
    expect(read(claims)).toEqual({
      iss: 'sluice@shop.iam.gserviceaccount.com',
      scope: 'https://www.googleapis.com/auth/cloud-platform',
      aud: 'https://oauth2.googleapis.com/token',
      iat: nowMs / 1000,
      exp: nowMs / 1000 + 3600,
    });
    const signed = Buffer.from(`${header}.${claims}`);
    expect(verify('RSA-SHA256', signed, publicKey, Buffer.from(signature, 'base64url'))).toBe(true);
  });

  it('asks where it says, or where Google is, and never without TLS but on this machine', async () => {
    const at = async (token_uri: unknown): Promise<string> =>
      (await requestToken(JSON.stringify({ ...keyFile, token_uri }), nowMs)).url;
    expect(await at(undefined)).toBe('https://oauth2.googleapis.com/token');
    expect(await at('https://oauth2.other-cloud.example/token')).toBe('https://oauth2.other-cloud.example/token');
    expect(await at('http://127.0.0.1:1/token')).toBe('http://127.0.0.1:1/token');
    for (const uri of ['http://169.254.169.254/token', 'http://127.0.0.1.example/', 'file:///etc/passwd', '', 1]) {
      expect(await reasonOf(at(uri))).toBe('token_uri of the key file must be an https address');
    }
  });

  it.each([
    [{ client_email: '' }, 'the key file lacks its client_email or private_key'],
    [{ private_key: undefined }, 'the key file lacks its client_email or private_key'],
    [{ private_key: 'CANARY' }, 'private_key of the key file cannot be used'],
    [{ type: 'external_account' }, 'a key file must be that of a service_account or an authorized_user'],
    [{ type: 'authorized_user' }, 'the key file lacks its client_id, client_secret or refresh_token'],
  ])('that has %j says what it lacks, and nothing of what it has', async (members, reason) => {
    expect(await reasonOf(requestToken(JSON.stringify({ ...keyFile, ...members }), nowMs))).toBe(reason);
  });

  it('that is no JSON is nobody’s', async () => {
    const reason = 'a key file must be that of a service_account or an authorized_user';
    expect(await reasonOf(requestToken('{"type":', nowMs))).toBe(reason);
  });
});

test('the credentials of a person are refreshed', async () => {
  const person = {
    type: 'authorized_user',
    client_id: 'i',
    client_secret: 's',
    refresh_token: 'r',
    quota_project_id: 'q',
  };
  expect(await requestToken(JSON.stringify(person), nowMs)).toMatchObject({
    method: 'POST',
    url: 'https://oauth2.googleapis.com/token',
    body: 'grant_type=refresh_token&client_id=i&client_secret=s&refresh_token=r',
  });
});

describe('an answer', () => {
  const answer = (status: number, body: string) => () => readToken({ status, headers: {}, body }, nowMs);
  const signalOf = (read: () => unknown): unknown => {
    try {
      return read();
    } catch (error) {
      return error instanceof SigningFailure ? error.signal : error;
    }
  };

  it('has a token, and when it ends', () => {
    expect(answer(200, '{"access_token":"ya29.x","expires_in":3599,"token_type":"Bearer"}')()).toEqual({
      value: 'ya29.x',
      expiresAtMs: nowMs + 3_599_000,
    });
    expect(answer(200, '{"access_token":"ya29.x"}')()).toEqual({ value: 'ya29.x', expiresAtMs: nowMs + 300_000 });
  });

  it.each([
    [400, '{"error":"invalid_grant","error_description":"Invalid JWT Signature."}', { type: 'answer', status: 401 }],
    [401, '{"error":"invalid_client"}', { type: 'answer', status: 401 }],
    [429, '', { type: 'answer', status: 429 }],
    [503, 'busy', { type: 'answer', status: 503, body: 'busy' }],
    [200, '<html>', { type: 'invalid' }],
    [200, '{"id_token":"x"}', { type: 'invalid' }],
    [200, '{"access_token":"a b"}', { type: 'invalid' }],
  ])('%i %s is none', (status, body, signal) => {
    expect(signalOf(answer(status, body))).toMatchObject(signal);
  });
});

describe('a credential', () => {
  const config = provider('v', 'https://x.example', { type: 'VertexAI', credentials: { type: 'KeyPool' } });
  const request = { method: 'POST', origin: 'https://x.example', path: '/', headers: {}, body: undefined };
  const tokens = { tokenFor: (credential: string) => Promise.resolve(`token for ${credential.length}`) };
  const facts = { config, tokens, identity: noIdentity, nowMs };

  it.each([
    ['AIzaSy-key', { 'x-goog-api-key': 'AIzaSy-key' }],
    [' AQ.Ab8-key\n', { 'x-goog-api-key': 'AQ.Ab8-key' }],
    ['ya29.token', { authorization: 'Bearer ya29.token' }],
    [JSON.stringify(keyFile), { authorization: `Bearer token for ${JSON.stringify(keyFile).length}` }],
  ])('is shown as what it is: %s', async (credential, headers) => {
    expect(await proveToGoogle(request, { ...facts, credential })).toEqual(headers);
  });

  it.each([undefined, ''])('that is %j proves nothing', async (credential) => {
    await expect(proveToGoogle(request, { ...facts, credential })).rejects.toMatchObject({
      code: 'upstream_auth_failed',
    });
  });

  it('of a client’s own is never exchanged: it could name any place', async () => {
    const passing = { ...config, credentials: { type: 'Passthrough' as const } };
    expect(await proveToGoogle(request, { ...facts, config: passing, credential: 'ya29.mine' })).toEqual({
      authorization: 'Bearer ya29.mine',
    });
    const credential = JSON.stringify({ ...keyFile, token_uri: 'https://attacker.example/' });
    await expect(proveToGoogle(request, { ...facts, config: passing, credential })).rejects.toMatchObject({
      code: 'upstream_auth_failed',
    });
  });

  it('is not needed where the provider wants none', async () => {
    const open = { ...config, credentials: { type: 'None' as const } };
    expect(await proveToGoogle(request, { ...facts, config: open, credential: undefined })).toEqual({});
  });

  it('that is JSON is a key file', () => {
    // Read it is when it is exchanged, not with every request.
    for (const text of ['{"type":"x"}', '{"type":']) expect(readGoogleCredentials(text)).toEqual({ type: 'key-file' });
    expect(readGoogleCredentials('[]')).toEqual({ type: 'access-token', token: '[]' });
  });
});
