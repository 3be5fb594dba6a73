import { expect, test } from 'vitest';
import { compileSnapshot } from '../../proxy/config/snapshot-compile.ts';
import { createProbes } from '../../proxy/probes.ts';
import { noIdentity } from '../../proxy/providers/cloud-identity.ts';
import { settled, TestClock } from '../support/clock.ts';
import { configOf, provider, upstreamKey } from '../support/config.ts';

const keyFile = JSON.stringify({
  type: 'service_account',
  client_email: 'proxy@project.example',
  private_key: 'one that nobody looks at here',
  token_uri: 'https://oauth2.googleapis.com/token',
});

test('a probe that ends while its credential is being got is not sent, and opens no connections', async () => {
  const clock = new TestClock();
  const token = Promise.withResolvers<string>();
  let asked = 0;
  let opened = 0;
  const probes = createProbes({
    clock,
    random: () => 0,
    state: {
      lease: async (name) => ({
        name,
        scope: 'fleet',
        isHeld: () => true,
        renew: async () => true,
        release: () => undefined,
      }),
    },
    disables: { until: () => 0, disable: () => undefined, clear: () => undefined } as never,
    upstreams: {
      pool() {
        opened += 1;
        throw new Error('nothing is to be sent');
      },
    },
    tokens: {
      tokenFor() {
        asked += 1;
        return token.promise;
      },
    },
    identity: noIdentity,
    log: { info: () => undefined, warn: () => undefined },
  });
  const { config, credentials } = configOf({
    providers: [
      provider('p', 'https://aiplatform.googleapis.com', {
        type: 'VertexAI',
        vertexAI: { project: 'project', location: 'global' },
        credentials: { type: 'KeyPool' },
        probe: { path: '/health', periodSeconds: 30, timeoutSeconds: 5 },
      }),
    ],
    upstreamKeys: [upstreamKey('p-key', 'p', keyFile)],
    routes: [],
  });
  probes.adopt(compileSnapshot(config, credentials));
  clock.turn(1000);
  await settled();
  expect(asked).toBe(1);
  probes.close();
  token.resolve('ya29.late');
  await settled();
  expect(opened).toBe(0);
});
