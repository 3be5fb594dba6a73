// Providers whose credential is who the proxy itself is, as the platform says that it runs on.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { IdentityEnvironment } from '../../../proxy/providers/cloud-identity.ts';
import { ask } from '../../support/client.ts';
import { openCloudStage, vendorOf } from '../../support/clouds/vendors.ts';
import { openai } from '../../support/openai-answers.ts';
import { answer } from '../../support/scripts.ts';
import type { Stage } from '../../support/stage.ts';
import { type Script, startUpstream } from '../../support/upstream.ts';

const body = { model: 'chat', messages: [{ role: 'user', content: 'one' }] };
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
const hourAhead = (): string => new Date(Date.now() + 3_600_000).toISOString();

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-identity-'));
  await writeFile(join(directory, 'token'), 'token-of-the-pod\n');
});
afterAll(() => rm(directory, { recursive: true }));

/** A stage of one cloud that is shown who the proxy is. */
function stageAs(name: 'bedrock' | 'vertex', identity: Partial<IdentityEnvironment>): Promise<Stage<string>> {
  const scripts: Record<string, Script> = { [name]: vendorOf(name).answers(name), openai: openai('openai') };
  return openCloudStage(scripts, {
    provider: { credentials: { type: 'Workload' } },
    gateway: { identity: { ...nothing, ...identity } },
    draft: (usual) => ({
      ...usual,
      providers: usual.providers.map((each) =>
        each.id === 'default/openai' ? { ...each, credentials: { type: 'None' as const } } : each,
      ),
      upstreamKeys: [],
    }),
  });
}

describe('the identity of a proxy', () => {
  it('at Google is a token of the metadata server, got once', async () => {
    await using metadata = await startUpstream(answer({ access_token: 'ya29.of-the-pod', expires_in: 3599 }));
    await using stage = await stageAs('vertex', { metadataHost: `127.0.0.1:${metadata.port}` });
    const got = await Promise.all([1, 2, 3].map(() => ask(stage.chatURL, { body })));
    expect(got.map(({ headers }) => headers['x-sluice-backend'])).toEqual(['vertex', 'vertex', 'vertex']);
    expect(metadata.requests).toMatchObject([
      {
        target: '/computeMetadata/v1/instance/service-accounts/default/token',
        headers: { 'metadata-flavor': 'Google' },
      },
    ]);
    for (const { headers } of stage.upstreams['vertex']!.requests) {
      expect(headers['authorization']).toBe('Bearer ya29.of-the-pod');
    }
  });

  it('at AWS is a role that is taken on with the token of the service account', async () => {
    const credentials =
      '<Credentials><AccessKeyId>ASIAPOD</AccessKeyId><SecretAccessKey>canary</SecretAccessKey>' +
      `<SessionToken>session-of-the-pod</SessionToken><Expiration>${hourAhead()}</Expiration></Credentials>`;
    await using sts = await startUpstream(answer(credentials, { headers: { 'content-type': 'text/xml' } }));
    await using stage = await stageAs('bedrock', {
      roleARN: 'arn:aws:iam::1:role/sluice',
      webIdentityTokenFile: join(directory, 'token'),
      stsURL: `http://127.0.0.1:${sts.port}/`,
    });
    const got = await Promise.all([1, 2].map(() => ask(stage.chatURL, { body })));
    expect(got.map(({ headers }) => headers['x-sluice-backend'])).toEqual(['bedrock', 'bedrock']);
    expect(sts.requests).toHaveLength(1);
    expect(new URLSearchParams(sts.requests[0]?.body.toString()).get('WebIdentityToken')).toBe('token-of-the-pod');
    const { headers } = stage.upstreams['bedrock']!.requests[0]!;
    expect(headers['authorization']).toContain('Credential=ASIAPOD/');
    expect(headers['x-amz-security-token']).toBe('session-of-the-pod');
  });

  it('at AWS is what the agent of the node says', async () => {
    const keys = { AccessKeyId: 'ASIAPOD', SecretAccessKey: 'canary', Token: 'session', Expiration: hourAhead() };
    await using agent = await startUpstream(answer(keys));
    await using stage = await stageAs('bedrock', {
      containerURL: `http://127.0.0.1:${agent.port}/v1/credentials`,
      containerTokenFile: join(directory, 'token'),
    });
    expect((await ask(stage.chatURL, { body })).headers['x-sluice-backend']).toBe('bedrock');
    expect(agent.requests[0]).toMatchObject({
      target: '/v1/credentials',
      headers: { authorization: 'token-of-the-pod' },
    });
    expect(stage.upstreams['bedrock']!.requests[0]!.headers['x-amz-security-token']).toBe('session');
  });

  it.each([
    ['bedrock', {}],
    ['bedrock', { containerURL: 'http://127.0.0.1:1/', containerTokenFile: '/nowhere/token' }],
    ['vertex', { googleKeyFile: '/nowhere/key.json' }],
  ] as const)(
    'of %s that is not set up counts against the backend, and others answer: %j',
    async (name, environment) => {
      await using stage = await stageAs(name, environment);
      expect((await ask(stage.chatURL, { body })).headers['x-sluice-backend']).toBe('openai');
      expect(await stage.gateway.backend(`default/chat/${name}`)).toMatchObject({
        state: 'disabled',
        reason: 'Authentication',
      });
      expect(stage.upstreams[name]!.requests).toEqual([]);
    },
  );
});
