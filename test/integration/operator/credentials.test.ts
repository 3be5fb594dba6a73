// Keys from the Secret to the request: which Secrets count, keys that the operator makes and renews, and that no secret is
// anywhere but where it belongs.

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
import type { SeenResource } from '../../support/resource-status.ts';
import { type ScriptedUpstream, startUpstream } from '../../support/upstream.ts';
import { Publication } from './published.ts';
import { Team } from './team.ts';

const plane = await requiresControlPlane();

interface Secret {
  readonly metadata: {
    readonly uid: string;
    readonly resourceVersion: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly object[];
  };
  readonly data: Readonly<Record<string, string>>;
}

plane.describe('credentials', () => {
  const { shared } = plane;
  let upstream: ScriptedUpstream;
  let installation: Installation;
  let proxy: TestProxy;
  let operator: TestOperator;
  let publication: Publication;

  beforeAll(async () => {
    upstream = await startUpstream(chat('own'));
    installation = await install(shared);
    proxy = await installation.startProxy();
    publication = new Publication(shared, installation);
    operator = await installation.startOperator({ proxyAddresses: [addressOf(proxy)] });
  });
  afterAll(async () => {
    await operator[Symbol.asyncDispose]();
    await proxy[Symbol.asyncDispose]();
    await upstream[Symbol.asyncDispose]();
  });

  /** A team with a route that its own keys open. */
  async function newTeam(): Promise<Team> {
    const team = new Team(shared, installation, await shared.newNamespace());
    const access = { mode: 'AllKeys' };
    await team.create(team.provider('own', upstream.baseURL), team.route('chat', ['own'], { access }));
    await team.wait('LLMRoute', 'chat', 'Ready=True/Ready');
    return team;
  }

  async function enter({ namespace }: Team, key: string): Promise<number> {
    const headers = { authorization: `Bearer ${key}` };
    return (await ask(`${proxy.url}/${namespace}/chat/`, { body: chatRequest('hi'), headers })).status;
  }

  async function keyIn(team: Team, name: string): Promise<string> {
    return Buffer.from((await team.read<Secret>('Secret', name)).data['key'] ?? '', 'base64').toString();
  }

  test('count if their Secret has the label, and read otherwise as if it were not there', async ({ annotate }) => {
    const team = await newTeam();
    await team.create(team.secret('plain', 'of-plain', {}), team.clientKey('plain'), team.clientKey('ghost'));
    const unlabelled = await team.wait('LLMKey', 'plain', 'ResolvedRefs=False/SecretNotFound');
    const missing = await team.wait('LLMKey', 'ghost', 'ResolvedRefs=False/SecretNotFound');
    const told = ({ status }: SeenResource) => status?.conditions?.map(({ message }) => message);
    expect(told(unlabelled)).toEqual(told(missing)?.map((message) => message.replace('"ghost"', '"plain"')));
    expect(await enter(team, 'of-plain')).toBe(401);
    await team.patch('Secret', 'plain', { metadata: { labels: { 'sluice.dev/credential': 'true' } } });
    await team.wait('LLMKey', 'plain', 'Ready=True/Ready');
    expect(await enter(team, 'of-plain')).toBe(200);
    await team.patch('Secret', 'plain', { metadata: { labels: { 'sluice.dev/credential': null } } });
    const takenMs = performance.now();
    await eventually(async () => (await enter(team, 'of-plain')) === 401);
    await annotate(`refused ${Math.round(performance.now() - takenMs)} ms after its label was taken away`);
    await team.wait('LLMKey', 'plain', 'ResolvedRefs=False/SecretNotFound');
  });

  test('stop working when they are switched off, or their Secret or LLMKey goes', async ({ annotate }) => {
    const team = await newTeam();
    const ends: readonly (() => Promise<void>)[] = [
      () => team.patch('LLMKey', 'app', { spec: { state: 'Disabled' } }),
      () => team.delete('Secret', 'app'),
      () => team.delete('LLMKey', 'app'),
    ];
    const waitsMs: number[] = [];
    for (const end of ends) {
      await team.apply(team.secret('app', 'of-app'), team.clientKey('app', { state: 'Enabled' }));
      await eventually(async () => (await enter(team, 'of-app')) === 200);
      await end();
      const endedMs = performance.now();
      await eventually(async () => (await enter(team, 'of-app')) === 401);
      waitsMs.push(Math.round(performance.now() - endedMs));
      expect(JSON.stringify(await publication.credentials())).not.toContain(`${team.namespace}/app`);
    }
    await annotate(`refused after ${waitsMs.join(', ')} ms`);
  });

  test('that the operator makes belong to their LLMKey, open the door, and go with it', async () => {
    const team = await newTeam();
    await team.create(team.generatedKey('app', { generate: { secretName: 'app-made', prefix: 'sk' } }));
    const made = await team.wait('LLMKey', 'app', 'Ready=True/Ready');
    const { metadata, data } = await team.read<Secret>('Secret', 'app-made');
    expect(metadata.labels?.['sluice.dev/credential']).toBe('true');
    expect(metadata.ownerReferences).toMatchObject([
      { apiVersion: 'sluice.dev/v1alpha1', kind: 'LLMKey', name: 'app', uid: made.metadata.uid, controller: true },
    ]);
    expect(Object.keys(data)).toEqual(['key']);
    const key = await keyIn(team, 'app-made');
    expect(key).toMatch(/^sk-[A-Za-z0-9_-]{43}$/);
    expect(await enter(team, key)).toBe(200);
    expect(made.status).toMatchObject({ secretName: 'app-made', tenant: team.namespace });
    await team.delete('LLMKey', 'app');
    await eventually(async () => (await enter(team, key)) === 401);
    await eventually(() => isGone(team, 'app-made'), 15_000);
  });

  async function isGone(team: Team, secret: string): Promise<boolean> {
    return team.read('Secret', secret).then(
      () => false,
      (error: unknown) => (error as { readonly status?: number }).status === 404,
    );
  }

  test('that are renewed overlap for as long as they say, and then only the new one opens the door', async ({
    annotate,
  }) => {
    const team = await newTeam();
    await team.create(team.generatedKey('app', { rotation: { periodSeconds: 3600, overlapSeconds: 3 } }));
    await team.wait('LLMKey', 'app', 'Ready=True/Ready');
    const before = await keyIn(team, 'app-made');
    await team.patch('LLMKey', 'app', { metadata: { annotations: { 'sluice.dev/rotate': 'now' } } });
    await eventually(async () => (await keyIn(team, 'app-made')) !== before);
    const renewedMs = performance.now();
    const after = await keyIn(team, 'app-made');
    await eventually(async () => (await enter(team, after)) === 200);
    expect(await enter(team, before)).toBe(200);
    await annotate(`the new key opened the door after ${Math.round(performance.now() - renewedMs)} ms`);
    await eventually(async () => (await enter(team, before)) === 401, 6_000);
    const overlappedMs = performance.now() - renewedMs;
    expect(overlappedMs).toBeGreaterThan(2_000);
    expect(overlappedMs).toBeLessThan(5_000);
    expect(await enter(team, after)).toBe(200);
    await eventually(async () => !('previous' in (await team.read<Secret>('Secret', 'app-made')).data));
    const { status } = await team.wait('LLMKey', 'app', 'Ready=True/Ready');
    expect(Math.abs(Date.parse(String(status?.['lastRotationTime'])) - Date.now())).toBeLessThan(15_000);
    // The same request is not heard twice.
    await team.patch('LLMKey', 'app', { metadata: { annotations: { unrelated: 'yes' } } });
    await delay(300);
    expect(await keyIn(team, 'app-made')).toBe(after);
  });

  test('are never made over a Secret of somebody else', async () => {
    const team = await newTeam();
    const theirs = { plain: {}, labelled: { 'sluice.dev/credential': 'true' } };
    for (const [name, labels] of Object.entries(theirs)) {
      await team.create(team.secret(`${name}-made`, 'all mine', labels));
      const { metadata } = await team.read<Secret>('Secret', `${name}-made`);
      await team.create(team.generatedKey(name));
      const seen = await team.wait('LLMKey', name, 'Usable=Unknown/Pending');
      await eventually(async () => /was not made for this object/.test(usableOf(await team.status('LLMKey', name))));
      expect(conditionTypes(seen)).toContain('Ready');
      expect((await team.read<Secret>('Secret', `${name}-made`)).metadata).toEqual(metadata);
      expect(await enter(team, 'all mine')).toBe(401);
    }
    await team.delete('Secret', 'labelled-made');
    await team.wait('LLMKey', 'labelled', 'Ready=True/Ready');
    expect(await enter(team, await keyIn(team, 'labelled-made'))).toBe(200);
  });

  function usableOf({ status }: SeenResource): string {
    return status?.conditions?.find(({ type }) => type === 'Usable')?.message ?? '';
  }

  function conditionTypes({ status }: SeenResource): readonly string[] {
    return (status?.conditions ?? []).map(({ type }) => type);
  }

  test('are nowhere but where they belong', async () => {
    const team = await newTeam();
    const canary = 'canary-7f3a9c';
    await team.create(
      team.provider('pool', upstream.baseURL, { credentials: { type: 'KeyPool' } }),
      team.secret('up', `${canary}-upstream`),
      team.upstreamKey('up', 'pool'),
      team.secret('app', `${canary}-client`),
      team.clientKey('app'),
      team.secret('twin', `${canary}-client`),
      team.clientKey('twin'),
      team.secret('broken', `${canary}\n\u0000not a header`),
      team.clientKey('broken'),
      team.generatedKey('made'),
      team.route('pooled', ['pool']),
    );
    for (const name of ['up', 'made']) await team.wait('LLMKey', name, 'Ready=True/Ready');
    await team.wait('LLMRoute', 'pooled', 'Ready=True/Ready');
    await eventually(async () => (await enter(team, `${canary}-client`)) === 200);
    await team.apply(team.route('pooled', ['gone']));
    await team.wait('LLMRoute', 'pooled', 'Ready=False/ProviderNotFound');
    const made = await keyIn(team, 'made-made');

    const { namespace } = installation;
    const paths = [
      ...[namespace, team.namespace].flatMap((where) => [
        `/api/v1/namespaces/${where}/configmaps`,
        `/apis/events.k8s.io/v1/namespaces/${where}/events`,
        `/apis/coordination.k8s.io/v1/namespaces/${where}/leases`,
      ]),
      ...['llmproviders', 'llmroutes', 'llmkeys'].map((plural) => `/apis/sluice.dev/v1alpha1/${plural}`),
    ];
    const open: Record<string, string> = {
      'the log of the operator': operator.lines.map((line) => JSON.stringify(line) + errorOf(line.fields)).join('\n'),
      'the metrics of the operator': await (await fetch(`${operator.url}/metrics`)).text(),
      'the metrics of the proxy': await (await fetch(`http://${proxy.admin}/metrics`)).text(),
      'the state of the proxy': await (await fetch(`http://${proxy.admin}/state`)).text(),
    };
    for (const path of paths) open[path] = JSON.stringify(await shared.request('GET', path));
    for (const [place, text] of Object.entries(open)) {
      for (const secret of [canary, made]) expect(holds(text, secret), `${secret} in ${place}`).toBe(false);
    }
    // Upstream keys are sent, and have to be there; of client keys there are digests.
    const published = JSON.stringify(await publication.read(publication.secretPath));
    const values = JSON.stringify(await publication.credentials());
    expect(values).toContain(`${canary}-upstream`);
    for (const secret of [`${canary}-client`, made]) {
      expect(holds(published, secret), secret).toBe(false);
      expect(holds(values, secret), secret).toBe(false);
    }
  });
});

/** As it is, and in the forms in which it may hide. */
function holds(text: string, secret: string): boolean {
  const bytes = Buffer.from(secret);
  return [secret, bytes.toString('base64'), bytes.toString('base64url'), bytes.toString('hex')].some((form) =>
    text.includes(form.replace(/=+$/, '')),
  );
}

function errorOf({ error }: Readonly<Record<string, unknown>>): string {
  return error instanceof Error ? `${error.stack} ${String(error.cause)}` : '';
}
