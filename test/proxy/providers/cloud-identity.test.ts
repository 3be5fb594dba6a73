import { describe, expect, it } from 'vitest';
import {
  awsRequest,
  type IdentityEnvironment,
  metadataRequest,
  noIdentity,
  readAwsKeys,
} from '../../../proxy/providers/cloud-identity.ts';
import { SigningFailure } from '../../../proxy/providers/signing-failure.ts';

const nothing: IdentityEnvironment = {
  googleKeyFile: undefined,
  metadataHost: undefined,
  containerURL: undefined,
  containerTokenFile: undefined,
  roleARN: undefined,
  webIdentityTokenFile: undefined,
  sessionName: undefined,
  stsURL: undefined,
};
const role = { roleARN: 'arn:aws:iam::1:role/sluice', webIdentityTokenFile: '/token' };
const pod = { containerURL: 'http://169.254.170.23/v1/credentials', containerTokenFile: '/pod-token' };

describe('the identity of a proxy', () => {
  it('at Google is asked of the metadata server', () => {
    expect(metadataRequest()).toEqual({
      method: 'GET',
      url: 'http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token',
      headers: { 'metadata-flavor': 'Google' },
    });
    expect(metadataRequest('127.0.0.1:1').url).toMatch(/^http:\/\/127\.0\.0\.1:1\/computeMetadata/);
  });

  it('at AWS is a role that is taken on with the token of the service account, before anything else', () => {
    const { tokenFile, request } = awsRequest({ ...nothing, ...role, ...pod }, 'eu-central-1')!;
    expect(tokenFile).toBe('/token');
    const { method, url, body } = request('the-token');
    expect([method, url]).toEqual(['POST', 'https://sts.eu-central-1.amazonaws.com/']);
    expect(Object.fromEntries(new URLSearchParams(body))).toEqual({
      Action: 'AssumeRoleWithWebIdentity',
      Version: '2011-06-15',
      RoleArn: role.roleARN,
      RoleSessionName: 'sluice',
      WebIdentityToken: 'the-token',
    });
    const named = awsRequest({ ...nothing, ...role, sessionName: 's', stsURL: 'http://127.0.0.1:1/' }, 'x')!.request(
      't',
    );
    expect([named.url, new URLSearchParams(named.body).get('RoleSessionName')]).toEqual(['http://127.0.0.1:1/', 's']);
  });

  it('at AWS is what the agent of the node says', () => {
    const { tokenFile, request } = awsRequest({ ...nothing, ...pod }, 'eu-central-1')!;
    expect(tokenFile).toBe('/pod-token');
    expect(request('the-token')).toEqual({
      method: 'GET',
      url: pod.containerURL,
      headers: { authorization: 'the-token' },
    });
  });

  it.each([nothing, { ...nothing, roleARN: role.roleARN }, { ...nothing, containerURL: pod.containerURL }])(
    'at AWS is nobody where nothing, or half of it, is set up',
    (environment) => {
      expect(awsRequest(environment, 'eu-central-1')).toBeUndefined();
    },
  );

  it('that is nobody’s proves nothing', async () => {
    await expect(noIdentity.googleToken()).rejects.toBeInstanceOf(SigningFailure);
    await expect(noIdentity.awsKeys('x')).rejects.toBeInstanceOf(SigningFailure);
  });
});

describe('keys in an answer', () => {
  const read = (status: number, body: string): unknown => {
    try {
      return readAwsKeys({ status, headers: {}, body });
    } catch (error) {
      return error instanceof SigningFailure ? error.signal : error;
    }
  };
  const expiresAtMs = Date.UTC(2026, 10, 27, 13);
  const value = { type: 'keys', accessKeyId: 'ASIA1', secretAccessKey: 's', sessionToken: 't' };

  it.each([
    ['of a container', '{"AccessKeyId":"ASIA1","SecretAccessKey":"s","Token":"t","Expiration":"2026-11-27T13:00:00Z"}'],
    [
      'of STS in XML',
      '<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ASIA1</AccessKeyId>' +
        '<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2026-11-27T13:00:00Z</Expiration>' +
        '</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>',
    ],
    [
      'of STS in JSON',
      JSON.stringify({
        AssumeRoleWithWebIdentityResponse: {
          AssumeRoleWithWebIdentityResult: {
            Credentials: {
              AccessKeyId: 'ASIA1',
              SecretAccessKey: 's',
              SessionToken: 't',
              Expiration: expiresAtMs / 1000,
            },
          },
        },
      }),
    ],
  ])('%s are read', (_, body) => {
    expect(read(200, body)).toEqual({ value, expiresAtMs });
  });

  it.each([
    [400, '<Error><Code>InvalidIdentityToken</Code></Error>', { type: 'answer', status: 401 }],
    [403, '{"code":"AccessDenied"}', { type: 'answer', status: 401 }],
    [503, 'busy', { type: 'answer', status: 503 }],
    [429, '', { type: 'answer', status: 429 }],
    [200, '{"AccessKeyId":"ASIA1"}', { type: 'invalid' }],
    [200, '<html>', { type: 'invalid' }],
    [200, '{"AccessKeyId":"a","SecretAccessKey":"s","Expiration":"soon"}', { type: 'invalid' }],
  ])('%i %s are none', (status, body, signal) => {
    expect(read(status, body)).toMatchObject(signal);
  });
});
