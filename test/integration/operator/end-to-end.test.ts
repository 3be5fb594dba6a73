// The whole way on a real API server: from an object that a person applies to every proxy, and back to its status.

import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { requiresControlPlane } from '../../support/control-plane.ts';
import {
  addressOf,
  install,
  type Installation,
  type TestOperator,
  type TestProxy,
} from '../../support/installation.ts';
import { conditionsOf, readResource, waitForCondition } from '../../support/resource-status.ts';
import { chat } from '../../support/chat.ts';
import { startUpstream, type ScriptedUpstream } from '../../support/upstream.ts';

const plane = await requiresControlPlane();

plane.describe('what a person applies', () => {
  const { shared } = plane;
  let installation: Installation;
  let proxies: TestProxy[];
  let operator: TestOperator;
  let team: string;
  let upstream: ScriptedUpstream;

  beforeAll(async () => {
    installation = await install(shared);
    team = await shared.newNamespace();
    upstream = await startUpstream(chat('own'));
    proxies = await Promise.all([installation.startProxy(), installation.startProxy(), installation.startProxy()]);
    operator = await installation.startOperator({ proxyAddresses: proxies.map(addressOf) });
  });

  afterAll(async () => {
    await operator[Symbol.asyncDispose]();
    for (const proxy of proxies) await proxy[Symbol.asyncDispose]();
    await upstream[Symbol.asyncDispose]();
  });

  test('is served by every proxy, and says so', async () => {
    await shared.apply(
      installation.object('LLMProvider', team, 'own', {
        type: 'OpenAICompatible',
        endpoint: { url: upstream.baseURL, insecureHTTP: 'Allow' },
        credentials: { type: 'None' },
      }),
    );
    await shared.apply(
      installation.object('LLMRoute', team, 'chat', {
        path: `/${team}`,
        access: { mode: 'Anonymous' },
        rules: [{ name: 'all', backends: [{ name: 'own', providerRef: { name: 'own' }, model: 'any' }] }],
      }),
    );
    const route = await waitForCondition(shared, 'LLMRoute', [team, 'chat'], 'Ready=True/Ready');
    expect(conditionsOf(route)).toEqual([
      'Accepted=True/Accepted',
      'ResolvedRefs=True/ResolvedRefs',
      'Programmed=True/Programmed',
      'Ready=True/Ready',
    ]);
    for (const { url } of proxies) {
      const answer = await fetch(`${url}/${team}/`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ messages: [{ role: 'user', content: 'Hello' }] }),
      });
      expect(answer.status).toBe(200);
    }
  });

  test('is written no second time while nothing changes', async () => {
    const before = await readResource(shared, 'LLMRoute', team, 'chat');
    const index = `/api/v1/namespaces/${installation.namespace}/configmaps/sluice-${installation.className}`;
    const published = await shared.request<{ metadata: { resourceVersion: string } }>('GET', index);
    await delay(4000);
    expect((await readResource(shared, 'LLMRoute', team, 'chat')).metadata.resourceVersion).toBe(
      before.metadata.resourceVersion,
    );
    expect(await shared.request('GET', index)).toMatchObject({
      metadata: { resourceVersion: published.metadata.resourceVersion },
    });
  });
});
