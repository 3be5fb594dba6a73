// What proxies say of themselves is what the status of the objects says: who serves them, who refuses them and why, and
// who says nothing.

import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { OperatorOptions } from '../../../operator/ground.ts';
import { chat, chatRequest } from '../../support/chat.ts';
import { ask } from '../../support/client.ts';
import { requiresControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import {
  addressOf,
  install,
  type Installation,
  type TestOperator,
  type TestProxy,
} from '../../support/installation.ts';
import { conditionsOf, type SeenResource } from '../../support/resource-status.ts';
import { type Script, type ScriptedUpstream, startUpstream } from '../../support/upstream.ts';
import { answer } from '../../support/scripts.ts';
import { newStrategy, startOlderProxy } from './older-proxy.ts';
import { Publication } from './published.ts';
import { Team } from './team.ts';

const plane = await requiresControlPlane();

plane.describe('what proxies say', () => {
  const { shared } = plane;
  let upstream: ScriptedUpstream;

  beforeAll(async () => {
    upstream = await startUpstream(chat('own'));
  });
  afterAll(() => upstream[Symbol.asyncDispose]());

  async function newTeam(installation: Installation): Promise<Team> {
    return new Team(shared, installation, await shared.newNamespace());
  }

  function withStrategy(team: Team, name: string, strategy: string) {
    const backends = [{ name: 'own', providerRef: { name: 'own' }, model: 'any' }];
    return team.route(name, [], { rules: [{ name: 'all', strategy, backends }] });
  }

  async function answers(url: string, { namespace }: Team, route: string): Promise<number> {
    return (await ask(`${url}/${namespace}/${route}/`, { body: chatRequest('hi') })).status;
  }

  test('of a refusal is on the objects that caused it within 5 s, and on no other', async ({ annotate }) => {
    const installation = await install(shared);
    const [team, stranger] = [await newTeam(installation), await newTeam(installation)];
    const publication = new Publication(shared, installation);
    await using proxy = await installation.startProxy();
    let operator = await installation.startOperator({ proxyAddresses: [addressOf(proxy)] });
    await eventually(async () => publication.index().then(Boolean, () => false));
    await using older = await startOlderProxy(publication);
    const proxyAddresses = [addressOf(proxy), older.address];
    await operator[Symbol.asyncDispose]();
    operator = await installation.startOperator({ proxyAddresses });
    for (const its of [team, stranger]) await its.create(its.provider('own', upstream.baseURL));
    for (const name of ['one', 'two']) await team.create(withStrategy(team, name, 'Random'));
    await stranger.create(withStrategy(stranger, 'foreign', 'Random'));
    for (const name of ['one', 'two']) await team.wait('LLMRoute', name, 'Ready=True/Ready');
    await stranger.wait('LLMRoute', 'foreign', 'Ready=True/Ready');
    const untouched = async () => [await team.status('LLMRoute', 'one'), await team.status('LLMProvider', 'own')];
    const before = await untouched();

    const editedMs = performance.now();
    await stranger.apply(withStrategy(stranger, 'foreign', newStrategy));
    await team.apply(withStrategy(team, 'two', newStrategy));
    const refused = await team.wait('LLMRoute', 'two', 'Programmed=False/RejectedByProxy', 5_000);
    await annotate(`RejectedByProxy ${Math.round(performance.now() - editedMs)} ms after the edit`);
    const { revision } = await publication.index();
    expect(messageOf(refused, 'Programmed')).toBe(
      `1 of 2 proxies refused revision ${revision} (older): route ${team.namespace}/two: rule all: names no module of a plugin`,
    );
    expect(conditionsOf(refused)).toContain('Ready=False/RejectedByProxy');
    expect(await untouched()).toEqual(before);
    for (const { url } of [proxy, older]) {
      for (const name of ['one', 'two']) expect(await answers(url, team, name)).toBe(200);
    }

    // Another leader knows no more than what is written, and says the same.
    await operator[Symbol.asyncDispose]();
    operator = await installation.startOperator({ proxyAddresses });
    await eventually(async () => (await metricOf(operator, 'sluice_operator_proxies{state="refused"}')) === 1);
    await delay(500);
    expect(await untouched()).toEqual(before);
    expect(await team.status('LLMRoute', 'two')).toEqual(refused);

    await stranger.apply(withStrategy(stranger, 'foreign', 'Random'));
    await team.apply(withStrategy(team, 'two', 'Random'));
    await team.wait('LLMRoute', 'two', 'Ready=True/Ready', 5_000);
    expect(await untouched()).toEqual(before);
    const events = (await eventsOf(team, 'two')).filter((event) => event !== 'Normal Ready 1');
    expect(events).toEqual(['Warning RejectedByProxy 1', 'Normal Programmed 1']);
    await operator[Symbol.asyncDispose]();
  });

  /** Type, reason and count of the Events about an object, oldest first. */
  async function eventsOf({ namespace }: Team, name: string): Promise<readonly string[]> {
    interface Event {
      readonly type: string;
      readonly reason: string;
      readonly eventTime: string;
      readonly regarding: { readonly name: string };
      readonly series?: { readonly count: number };
    }
    const path = `/apis/events.k8s.io/v1/namespaces/${namespace}/events`;
    const { items } = await shared.request<{ readonly items: readonly Event[] }>('GET', path);
    const own = items.filter(({ regarding }) => regarding.name === name);
    const sorted = own.toSorted((a, b) => (a.eventTime < b.eventTime ? -1 : 1));
    return sorted.map(({ type, reason, series }) => `${type} ${reason} ${series?.count ?? 1}`);
  }

  test('takes nothing back while one of them is silent for a moment, and holds up what is new', async () => {
    const installation = await install(shared);
    const team = await newTeam(installation);
    await using proxy = await installation.startProxy();
    await using second = await installation.startProxy();
    await using admin = await startUpstream(relayTo(second));
    const silent = { proxy: 'silent', host: '127.0.0.1', port: admin.port };
    await using operator = await installation.startOperator({ proxyAddresses: [addressOf(proxy), silent] });
    await team.create(team.provider('own', upstream.baseURL), withStrategy(team, 'one', 'Random'));
    const before = await team.wait('LLMRoute', 'one', 'Ready=True/Ready');

    for (const [round, script] of silences.entries()) {
      admin.script = script;
      await team.apply(withStrategy(team, `new-${round}`, 'Random'));
      const waiting = await team.wait('LLMRoute', `new-${round}`, 'Programmed=Unknown/Pending');
      expect(messageOf(waiting, 'Programmed')).toMatch(/^1 of 2 proxies serve it in this form/);
      await eventually(() => complaintsOf(operator) === round + 1);
      expect(await team.status('LLMRoute', 'one')).toEqual(before);
      admin.script = relayTo(second);
      await team.wait('LLMRoute', `new-${round}`, 'Ready=True/Ready');
    }
    expect(complaintsOf(operator)).toBe(silences.length);
  });

  /** Answers as the admin port of a proxy does. */
  function relayTo({ admin }: TestProxy): Script {
    return async (exchange) => {
      const response = await fetch(`http://${admin}${exchange.request.target}`);
      await answer((await response.json()) as object, { status: response.status })(exchange);
    };
  }

  const silences: readonly Script[] = [(exchange) => exchange.reset(), answer({ revision: 'the latest' })];

  function complaintsOf({ lines }: TestOperator): number {
    return lines.filter(({ message }) => message === 'the proxy does not say what it serves').length;
  }

  test('is asked of pods that are ready, at their port named admin; where there are none, nothing is served', async () => {
    const installation = await install(shared);
    const team = await newTeam(installation);
    await using proxies = await startProxies(installation, 2);
    await using operator = await installation.startOperator({ proxySelector: 'app=sluice-proxy' });
    await team.create(team.provider('own', upstream.baseURL), withStrategy(team, 'one', 'Random'));
    const alone = await team.wait('LLMRoute', 'one', 'Ready=False/NoProxies');
    expect(messageOf(alone, 'Programmed')).toBe('no proxy is ready, so nothing is served');

    const [first, second] = proxies.all;
    await createPod(installation, 'first', first!, { app: 'sluice-proxy' });
    await setReady(installation, 'first', 'False');
    await createPod(installation, 'stranger', second!, { app: 'another' });
    await setReady(installation, 'stranger', 'True');
    await delay(300);
    expect(await team.status('LLMRoute', 'one')).toEqual(alone);

    await setReady(installation, 'first', 'True');
    await team.wait('LLMRoute', 'one', 'Ready=True/Ready');
    await createPod(installation, 'second', second!, { app: 'sluice-proxy' });
    await setReady(installation, 'second', 'True');
    await eventually(async () => (await metricOf(operator, 'sluice_operator_proxies{state="current"}')) === 2);
    for (const name of ['first', 'second']) await deletePod(installation, name);
    await team.wait('LLMRoute', 'one', 'Ready=False/NoProxies');
    // Every object says so at once: no news about any of them.
    expect(await eventsOf(team, 'one')).toEqual([]);
  });

  async function startProxies(installation: Installation, count: number) {
    const all = await Promise.all(Array.from({ length: count }, () => installation.startProxy()));
    return {
      all,
      async [Symbol.asyncDispose]() {
        for (const proxy of all) await proxy[Symbol.asyncDispose]();
      },
    };
  }

  /** As a kubelet would report it: nobody runs it here, but its address and port are those of a proxy. */
  async function createPod({ namespace }: Installation, name: string, proxy: TestProxy, labels: object): Promise<void> {
    const ports = [
      { name: 'http', containerPort: 1 },
      { name: 'admin', containerPort: addressOf(proxy).port },
    ];
    const containers = [
      { name: 'sidecar', image: 'sidecar' },
      { name: 'proxy', image: 'proxy', ports },
    ];
    const spec = { containers, automountServiceAccountToken: false };
    const pod = { metadata: { name, labels }, spec };
    await eventually(() =>
      shared.request('POST', `/api/v1/namespaces/${namespace}/pods`, pod).then(
        () => true,
        // The controller has not made the namespace's service account yet.
        (error: unknown) => {
          if ((error as { readonly status?: number }).status === 403) return false;
          throw error;
        },
      ),
    );
  }

  async function setReady({ namespace }: Installation, name: string, status: string): Promise<void> {
    const body = {
      status: { podIP: '127.0.0.1', podIPs: [{ ip: '127.0.0.1' }], conditions: [{ type: 'Ready', status }] },
    };
    const path = `/api/v1/namespaces/${namespace}/pods/${name}/status`;
    await shared.request('PATCH', path, body, 'application/merge-patch+json');
  }

  async function deletePod({ namespace }: Installation, name: string): Promise<void> {
    await shared.request('DELETE', `/api/v1/namespaces/${namespace}/pods/${name}`, { gracePeriodSeconds: 0 });
  }

  async function metricOf({ url }: TestOperator, series: string): Promise<number> {
    const text = await (await fetch(`${url}/metrics`)).text();
    const line = text.split('\n').find((candidate) => candidate.startsWith(`${series} `));
    return Number(line?.slice(series.length + 1));
  }

  test('is asked with the token of their admin port', async () => {
    const installation = await install(shared);
    const team = await newTeam(installation);
    const token = 'a-token-for-operators-only';
    await using proxy = await installation.startProxy({ admin: { host: '127.0.0.1', port: 0, token } });
    const options = (adminToken: string | undefined): Partial<OperatorOptions> => ({
      proxyAddresses: [addressOf(proxy)],
      adminToken,
    });
    await team.create(team.provider('own', upstream.baseURL));
    for (const wrong of ['another-token', undefined]) {
      const operator = await installation.startOperator(options(wrong));
      const waiting = await team.wait('LLMProvider', 'own', 'Programmed=Unknown/Pending');
      expect(messageOf(waiting, 'Programmed')).toBe('0 of 1 proxies serve it in this form, 1 did not answer');
      await eventually(() => complaintsOf(operator) === 1);
      expect(JSON.stringify(operator.lines)).not.toContain('another-token');
      await operator[Symbol.asyncDispose]();
    }
    await using operator = await installation.startOperator(options(token));
    await team.wait('LLMProvider', 'own', 'Ready=True/Ready');
    expect(JSON.stringify(operator.lines)).not.toContain(token);
  });
});

function messageOf({ status }: SeenResource, type: string): string | undefined {
  return status?.conditions?.find((condition) => condition.type === type)?.message;
}
