// What the status of an object says while proxies work: which backends and keys are out and until when, since when, and
// how often it is written. And what the operator says of itself.

import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
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
import { byKey, keyRefusals } from '../../support/key-upstream.ts';
import { conditionsOf, type SeenCondition, type SeenResource } from '../../support/resource-status.ts';
import { answer } from '../../support/scripts.ts';
import { type ScriptedUpstream, startUpstream } from '../../support/upstream.ts';
import { Team } from './team.ts';

const plane = await requiresControlPlane();

plane.describe('the status', () => {
  const { shared } = plane;
  let sound: ScriptedUpstream;
  let failing: ScriptedUpstream;
  let installation: Installation;
  let proxy: TestProxy;
  let operator: TestOperator;

  beforeAll(async () => {
    sound = await startUpstream(chat('own'));
    failing = await startUpstream(answer({ error: 'no' }, { status: 500 }));
    installation = await install(shared);
    proxy = await installation.startProxy();
    operator = await installation.startOperator({ proxyAddresses: [addressOf(proxy)] });
  });
  afterAll(async () => {
    await operator[Symbol.asyncDispose]();
    await proxy[Symbol.asyncDispose]();
    await Promise.all([sound.refuse(), failing.refuse()]);
  });

  async function newTeam(): Promise<Team> {
    return new Team(shared, installation, await shared.newNamespace());
  }

  async function send({ namespace }: Team, path: string): Promise<number> {
    return (await ask(`${proxy.url}/${namespace}/${path}`, { body: chatRequest('hi') })).status;
  }

  test.concurrent('of a route names the backend that is out, why and until when, at most once in 3 s', async ({
    annotate,
  }) => {
    const team = await newTeam();
    const rules = [
      {
        name: 'all',
        backends: ['bad', 'good'].map((name, priority) => ({ name, providerRef: { name }, model: 'any', priority })),
        failover: { disable: { seconds: 30 } },
      },
    ];
    await team.create(
      team.provider('bad', failing.baseURL),
      team.provider('good', sound.baseURL),
      team.route('chat', [], { rules }),
    );
    const before = await team.wait('LLMRoute', 'chat', 'Ready=True/Ready');
    expect(before.status).toMatchObject({ summary: { backends: '2/2' } });
    const failedMs = Date.now();
    expect(await send(team, 'chat/')).toBe(200);
    await eventually(async () => (await summaryOf(team)) === '1/2', 6_000);
    await annotate(`disabled in the status ${Date.now() - failedMs} ms after the failure`);
    const after = await team.status('LLMRoute', 'chat');
    expect(after.status?.['backends']).toEqual([
      { name: 'bad', state: 'Disabled', reason: 'ServerError', until: expect.stringMatching(/^\d{4}-.*Z$/) },
      { name: 'good', state: 'Enabled' },
    ]);
    const until = Date.parse(/"until":"([^"]*)"/.exec(JSON.stringify(after.status))?.[1] ?? '');
    expect(Math.abs(until - failedMs - 30_000)).toBeLessThan(2_000);
    // It is served as it was: nothing about that has changed.
    expect(after.status?.conditions).toEqual(before.status?.conditions);

    const id = `${team.namespace}/chat/bad`;
    const versions = new Set<string>();
    const watchedMs = performance.now();
    for (let turn = 0; performance.now() - watchedMs < 5_000; turn += 1) {
      const to = turn % 2 === 0 ? 'enable' : 'disable';
      await fetch(`http://${proxy.admin}/backends/${id}/${to}`, { method: 'POST' });
      await delay(100);
      versions.add((await team.status('LLMRoute', 'chat')).metadata.resourceVersion);
    }
    expect(versions.size).toBeLessThanOrEqual(3);
    await fetch(`http://${proxy.admin}/backends/${id}/enable`, { method: 'POST' });
    await eventually(async () => (await summaryOf(team)) === '2/2', 7_000);
  });

  async function summaryOf(team: Team): Promise<string> {
    const { status } = await team.status('LLMRoute', 'chat');
    return (status?.['summary'] as { readonly backends?: string } | undefined)?.backends ?? '';
  }

  test('of a key tells that its provider refuses it, and of the provider what is left', async ({ annotate }) => {
    const team = await newTeam();
    await using upstream = await startUpstream(byKey({ bad: keyRefusals[401], worse: keyRefusals[401] }));
    await team.create(
      team.provider('pool', upstream.baseURL, { credentials: { type: 'KeyPool' } }),
      team.secret('one', 'bad'),
      team.secret('two', 'fine'),
      team.upstreamKey('one', 'pool'),
      team.upstreamKey('two', 'pool'),
      team.route('chat', ['pool']),
    );
    await team.wait('LLMRoute', 'chat', 'Ready=True/Ready');
    await team.wait('LLMProvider', 'pool', 'KeysAvailable=True/KeysAvailable');
    await eventually(async () => (await send(team, 'chat/')) === 200 && upstream.requests.some(isWith('bad')));
    const refusedMs = Date.now();
    const refused = await team.wait('LLMKey', 'one', 'Usable=False/AuthenticationFailed', 6_000);
    await annotate(`AuthenticationFailed ${Date.now() - refusedMs} ms after the refusal`);
    expect(messageOf(refused, 'Usable')).toMatch(
      /^the provider refuses the key \(Authentication\)(; it is tried again at .*)?$/,
    );
    expect(conditionsOf(refused)).toContain('Ready=False/AuthenticationFailed');
    await eventually(async () => (await keysOf(team)) === '1/2');
    expect(conditionsOf(await team.status('LLMProvider', 'pool'))).toContain('KeysAvailable=True/KeysAvailable');
    expect(await send(team, 'chat/')).toBe(200);

    const { revision } = await configOf(proxy);
    await team.patch('Secret', 'two', { stringData: { key: 'worse' } });
    await eventually(async () => (await configOf(proxy)).revision > revision);
    expect(await send(team, 'chat/')).not.toBe(200);
    await team.wait('LLMProvider', 'pool', 'KeysAvailable=False/NoUsableKey', 6_000);
    expect(await keysOf(team)).toBe('0/2');

    // Whoever gives a key another secret wants it tried.
    await team.patch('Secret', 'one', { stringData: { key: 'renewed' } });
    await team.wait('LLMKey', 'one', 'Usable=True/Usable', 10_000);
    await team.wait('LLMProvider', 'pool', 'Ready=True/Ready');
    expect(await send(team, 'chat/')).toBe(200);
  });

  async function configOf({ admin }: TestProxy): Promise<{ readonly revision: number }> {
    return (await fetch(`http://${admin}/config`)).json() as Promise<{ readonly revision: number }>;
  }

  async function keysOf(team: Team): Promise<string> {
    const { status } = await team.status('LLMProvider', 'pool');
    return (status?.['summary'] as { readonly keys?: string } | undefined)?.keys ?? '';
  }

  test.concurrent('tells when a condition became what it is, and which generation it is about', async () => {
    const team = await newTeam();
    await team.create(team.provider('own', sound.baseURL), team.route('chat', ['own']));
    const first = await team.wait('LLMRoute', 'chat', 'Ready=True/Ready');
    await nextSecond();
    await team.apply(team.route('chat', ['own'], { path: `/${team.namespace}/other` }));
    const edited = await team.wait('LLMRoute', 'chat', 'Ready=True/Ready');
    expect(edited.metadata.generation).toBe(first.metadata.generation + 1);
    expect(timesOf(edited)).toEqual(timesOf(first));

    await team.apply(team.route('chat', ['own', 'gone']));
    const partly = await team.wait('LLMRoute', 'chat', 'ResolvedRefs=False/ProviderNotFound');
    expect(conditionsOf(partly)).toEqual([
      'Accepted=True/Accepted',
      'ResolvedRefs=False/ProviderNotFound',
      'PartiallyInvalid=True/PartiallyInvalid',
      'Programmed=True/Programmed',
      'Ready=False/ProviderNotFound',
    ]);
    expect(timesOf(partly)['Accepted']).toBe(timesOf(first)['Accepted']);
    expect(timesOf(partly)['Programmed']).toBe(timesOf(first)['Programmed']);
    expect(Date.parse(timesOf(partly)['ResolvedRefs']!)).toBeGreaterThan(Date.parse(timesOf(first)['ResolvedRefs']!));
    await nextSecond();
    // False for another reason is False since then.
    await team.apply(team.route('chat', ['gone', 'away']));
    await eventually(
      async () =>
        !conditionsOf(await team.status('LLMRoute', 'chat'))
          .join()
          .includes('stale'),
    );
    expect(timesOf(await team.status('LLMRoute', 'chat'))['ResolvedRefs']).toBe(timesOf(partly)['ResolvedRefs']);
  });

  test.concurrent('keeps the conditions of others', async () => {
    const team = await newTeam();
    await team.create(team.provider('own', sound.baseURL));
    await team.wait('LLMProvider', 'own', 'Ready=True/Ready');
    const theirs = {
      type: 'Audited',
      status: 'True',
      reason: 'ByHand',
      message: 'seen',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    };
    const { conditions = [] } = (await team.status('LLMProvider', 'own')).status ?? {};
    const path = `/apis/sluice.dev/v1alpha1/namespaces/${team.namespace}/llmproviders/own/status`;
    const body = { status: { conditions: [...conditions, theirs] } };
    await shared.request('PATCH', path, body, 'application/merge-patch+json');
    await team.apply(team.provider('own', sound.baseURL, { attributes: { tier: 'gold' } }));
    const seen = await team.wait('LLMProvider', 'own', 'Ready=True/Ready');
    expect(seen.status?.conditions).toContainEqual(expect.objectContaining({ type: 'Audited', reason: 'ByHand' }));
  });

  test('of the operator itself: who leads, what is known, and everything that dashboards ask for', async () => {
    await using standby = await installation.startOperator({ proxyAddresses: [addressOf(proxy)] });
    await eventually(async () => (await fetch(`${standby.url}/readyz`)).ok);
    const [leading, waiting] = await Promise.all([operator, standby].map(metricsOf));
    const lease = `leader_election_master_status{name="sluice-${installation.className}-operator"}`;
    expect([leading!.get(lease), waiting!.get(lease)]).toEqual([1, 0]);
    for (const name of metricNames)
      expect(
        [...leading!.keys()].some((series) => series.startsWith(name)),
        name,
      ).toBe(true);
    for (const controller of ['configuration', 'status', 'generated-key']) {
      for (const result of ['success', 'error', 'requeue', 'requeue_after']) {
        expect([...leading!.keys()]).toContain(
          `controller_runtime_reconcile_total{controller="${controller}",result="${result}"}`,
        );
      }
    }
    expect(leading!.get('sluice_operator_proxies{state="current"}')).toBe(1);
    const revision = leading!.get('sluice_operator_config_revision');
    expect(revision).toBeGreaterThan(1_700_000_000_000);
    expect(waiting!.get('sluice_operator_config_revision')).toBe(revision);
    expect(leading!.get('sluice_operator_objects{kind="LLMRoute",ready="True"}')).toBeGreaterThanOrEqual(1);
  });
});

/** Of operator.md, section 2, and our own. */
const metricNames = [
  'controller_runtime_reconcile_total{',
  'controller_runtime_reconcile_errors_total{',
  'controller_runtime_terminal_reconcile_errors_total{',
  'controller_runtime_reconcile_panics_total{',
  'controller_runtime_reconcile_timeouts_total{',
  'controller_runtime_reconcile_time_seconds_bucket{',
  'controller_runtime_max_concurrent_reconciles{',
  'controller_runtime_active_workers{',
  'workqueue_depth{',
  'workqueue_adds_total{',
  'workqueue_queue_duration_seconds_bucket{',
  'workqueue_work_duration_seconds_bucket{',
  'workqueue_unfinished_work_seconds{',
  'workqueue_longest_running_processor_seconds{',
  'workqueue_retries_total{',
  'leader_election_master_status{',
  'leader_election_slowpath_total{',
  'rest_client_requests_total{',
  'rest_client_request_duration_seconds_bucket{',
  'sluice_operator_build_info{',
  'process_cpu_seconds_total',
  'nodejs_eventloop_lag_seconds',
];

/** Every series with its value. */
async function metricsOf({ url }: TestOperator): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

function isWith(key: string) {
  return ({ headers }: { readonly headers: Readonly<Record<string, string>> }): boolean =>
    headers['authorization'] === `Bearer ${key}`;
}

function messageOf({ status }: SeenResource, type: string): string | undefined {
  return status?.conditions?.find((condition) => condition.type === type)?.message;
}

function timesOf({ status }: SeenResource): Readonly<Record<string, string>> {
  const conditions: readonly SeenCondition[] = status?.conditions ?? [];
  return Object.fromEntries(conditions.map(({ type, lastTransitionTime }) => [type, lastTransitionTime]));
}

/** Times in conditions have no fractions. */
async function nextSecond(): Promise<void> {
  await delay(1_050);
}
