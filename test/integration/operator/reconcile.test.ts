// From many objects to one configuration and back, on a real API server: one that is wrong holds up none, whatever is
// deleted goes, whatever others change is put right, and nothing is written that is there already.

import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { kinds } from '../../../crds/group.ts';
import type { OperatorContext } from '../../../operator/ground.ts';
import { chat, chatRequest } from '../../support/chat.ts';
import { ask } from '../../support/client.ts';
import { requiresControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import {
  addressOf,
  install,
  type Installation,
  type LogLine,
  type TestOperator,
  type TestProxy,
} from '../../support/installation.ts';
import { conditionsOf, type SeenResource } from '../../support/resource-status.ts';
import { type ScriptedUpstream, startUpstream } from '../../support/upstream.ts';
import { Publication } from './published.ts';
import { changeAtRandom } from './random-changes.ts';
import { Team } from './team.ts';

const plane = await requiresControlPlane();

plane.describe('an installation', () => {
  const { shared } = plane;
  let upstream: ScriptedUpstream;
  let installation: Installation;
  let proxy: TestProxy;
  let operator: TestOperator;
  let publication: Publication;
  /** Its namespace is being deleted: Kubernetes takes five seconds before it begins. */
  let going: Team;

  beforeAll(async () => {
    upstream = await startUpstream(chat('own'));
    installation = await install(shared);
    proxy = await installation.startProxy();
    publication = new Publication(shared, installation);
    operator = await startOperator();
    going = await newTeam();
    await going.create(
      going.provider('own', upstream.baseURL),
      going.route('chat', ['own']),
      going.generatedKey('app'),
    );
    await going.wait('LLMKey', 'app', 'Ready=True/Ready');
    await shared.request('DELETE', `/api/v1/namespaces/${going.namespace}`);
  });
  afterAll(async () => {
    await operator[Symbol.asyncDispose]();
    await proxy[Symbol.asyncDispose]();
    await upstream[Symbol.asyncDispose]();
  });

  function startOperator(context: Partial<OperatorContext> = {}): Promise<TestOperator> {
    return installation.startOperator({ proxyAddresses: [addressOf(proxy)] }, context);
  }

  async function newTeam(): Promise<Team> {
    return new Team(shared, installation, await shared.newNamespace());
  }

  async function answers(team: Team, route: string): Promise<number> {
    return (await ask(`${proxy.url}/${team.namespace}/${route}/`, { body: chatRequest('hi') })).status;
  }

  test('serves ninety-nine of a hundred routes while one provider lacks its Secret, and all when it comes', async ({
    annotate,
  }) => {
    const team = await newTeam();
    const caCertificateRef = { kind: 'Secret', name: 'authority', key: 'ca.crt' };
    const url = upstream.baseURL;
    await team.create(team.provider('sound', url), team.provider('broken', url, { tls: { caCertificateRef } }));
    const names = Array.from({ length: 100 }, (_, number) => `r${number}`);
    const createdMs = performance.now();
    await team.create(...names.map((name) => team.route(name, [name === 'r50' ? 'broken' : 'sound'])));
    await eventually(async () => (await readyRoutes(team)).length === 99, 20_000);
    await annotate(`99 of 100 new routes Ready after ${Math.round(performance.now() - createdMs)} ms`);
    expect(conditionsOf(await team.status('LLMProvider', 'broken'))).toContain('ResolvedRefs=False/SecretNotFound');
    expect(conditionsOf(await team.status('LLMRoute', 'r50'))).toEqual([
      'Accepted=True/Accepted',
      'ResolvedRefs=False/ProviderNotFound',
      'Programmed=True/Programmed',
      'Ready=False/ProviderNotFound',
    ]);
    expect([await answers(team, 'r49'), await answers(team, 'r50')]).toEqual([200, 503]);

    const healedMs = performance.now();
    const metadata = { name: 'authority', namespace: team.namespace, labels: { 'sluice.dev/credential': 'true' } };
    await team.create({
      kind: 'Secret',
      metadata,
      stringData: { 'ca.crt': readFileSync(shared.caFile, 'utf8') },
    } as never);
    await team.wait('LLMRoute', 'r50', 'Ready=True/Ready');
    await annotate(`healed ${Math.round(performance.now() - healedMs)} ms after its Secret was made`);
    expect((await readyRoutes(team)).length).toBe(100);
    expect(await answers(team, 'r50')).toBe(200);
  });

  test('hears of a key without its Secret from nobody else', async () => {
    const team = await newTeam();
    await team.create(
      team.provider('pool', upstream.baseURL, { credentials: { type: 'KeyPool' } }),
      team.upstreamKey('one', 'pool'),
      team.upstreamKey('two', 'pool'),
      team.secret('one', 'secret-one'),
      team.route('chat', ['pool']),
    );
    await team.wait('LLMRoute', 'chat', 'Ready=True/Ready');
    expect(conditionsOf(await team.status('LLMKey', 'two'))).toContain('ResolvedRefs=False/SecretNotFound');
    expect((await team.status('LLMProvider', 'pool')).status).toMatchObject({ keys: { usable: 1, total: 2 } });
    await team.create(team.secret('two', 'secret-two'));
    await team.wait('LLMKey', 'two', 'Ready=True/Ready');
    await eventually(async () => {
      const { status } = await team.status('LLMProvider', 'pool');
      return JSON.stringify(status?.['summary']) === '{"keys":"2/2"}';
    });
  });

  test('takes away what is deleted, in whatever order', async () => {
    const team = await newTeam();
    const objects = [
      team.provider('own', upstream.baseURL, { credentials: { type: 'KeyPool' } }),
      team.secret('up', 'secret-up'),
      team.upstreamKey('up', 'own'),
      team.route('chat', ['own']),
      team.generatedKey('app'),
    ];
    for (const order of [objects, objects.toReversed()]) {
      await team.create(...objects);
      await team.wait('LLMRoute', 'chat', 'Ready=True/Ready');
      await team.wait('LLMKey', 'app', 'Ready=True/Ready');
      for (const { kind, metadata } of order) await team.delete(kind, metadata.name);
      await eventually(async () => !JSON.stringify(await publication.config()).includes(team.namespace));
      expect(JSON.stringify(await publication.credentials())).not.toContain(team.namespace);
      await eventually(async () => (await answers(team, 'chat')) === 404);
    }
  });

  async function isGone(path: string): Promise<boolean> {
    return shared.request('GET', path).then(
      () => false,
      (error: unknown) => (error as { readonly status?: number }).status === 404,
    );
  }

  test('puts right what others do to what is published', async ({ annotate }) => {
    const team = await newTeam();
    await team.create(team.provider('own', upstream.baseURL), team.route('chat', ['own']), team.generatedKey('app'));
    await team.wait('LLMKey', 'app', 'Ready=True/Ready');
    const { indexPath, secretPath } = publication;
    const before = [(await publication.read(indexPath)).data, (await publication.read(secretPath)).data];
    const [credentials] = Object.keys(before[1] ?? {});
    const drift: readonly (readonly [string, object | undefined])[] = [
      [indexPath, { data: { 'config.json': '{}' } }],
      [indexPath, { data: { 'index.json': null } }],
      [indexPath, { metadata: { labels: { 'sluice.dev/class': 'another' } } }],
      [secretPath, { data: { [credentials ?? '']: null } }],
      [secretPath, undefined],
      [indexPath, undefined],
    ];
    const waitsMs: number[] = [];
    for (const [path, change] of drift) {
      const changedMs = performance.now();
      if (change === undefined) await shared.request('DELETE', path);
      else await shared.request('PATCH', path, change, 'application/merge-patch+json');
      await eventually(() => isWhole());
      waitsMs.push(Math.round(performance.now() - changedMs));
      expect(await answers(team, 'chat')).toBe(200);
    }
    await annotate(`put right after ${waitsMs.join(', ')} ms`);
    await team.wait('LLMRoute', 'chat', 'Ready=True/Ready');
  });

  /** Whether the configuration can be read, with its credentials and its labels. */
  async function isWhole(): Promise<boolean> {
    try {
      const { labels } = (await publication.read(publication.indexPath)).metadata;
      await publication.credentials();
      const { routes } = await publication.config();
      return routes.length > 0 && JSON.stringify(labels).includes(installation.className);
    } catch {
      return false;
    }
  }

  test('splits a configuration that outgrows one object, and tidies up when it shrinks', async () => {
    const team = await newTeam();
    const pad = (): object => ({ pad: randomBytes(500_000).toString('base64') });
    const large = (name: string) => {
      const backends = [{ name: 'own', providerRef: { name: 'own' }, model: 'any', parameters: { set: pad() } }];
      return team.route(name, [], { rules: [{ name: 'all', backends }] });
    };
    await team.create(team.provider('own', upstream.baseURL), team.route('small', ['own']));
    await team.wait('LLMRoute', 'small', 'Ready=True/Ready');
    await team.create(large('one'), large('two'), large('three'));
    for (const name of ['one', 'two', 'three']) await team.wait('LLMRoute', name, 'Ready=True/Ready');
    const { encoding, parts } = await publication.index();
    expect([encoding, parts.length]).toEqual(['gzip', 2]);
    expect([...(await publication.configMaps()).keys()]).toEqual([publication.indexName, `${publication.indexName}-0`]);
    // The shard before the index; unless it is just being written anew.
    await eventually(async () => {
      const [index, shard] = [publication.indexPath, `${publication.indexPath}-0`].map(versionOf);
      return (await shard!) < (await index!);
    });
    for (const name of ['one', 'two', 'three']) await team.delete('LLMRoute', name);
    await eventually(async () => (await publication.configMaps()).size === 1);
    expect(await publication.index()).toMatchObject({ encoding: 'json' });
    await eventually(async () => (await answers(team, 'one')) === 404);
    expect(await answers(team, 'small')).toBe(200);
  });

  test('writes credentials before the configuration that names them', async () => {
    const team = await newTeam();
    await team.create(team.secret('app', 'key 0'), team.clientKey('app'));
    await team.wait('LLMKey', 'app', 'Ready=True/Ready');
    for (const round of [1, 2, 3]) {
      const before = (await publication.index()).credentialsDigest;
      await team.patch('Secret', 'app', { stringData: { key: `key ${round}` } });
      await eventually(async () => (await publication.index()).credentialsDigest !== before);
      // Others may publish meanwhile; whenever all is written, the index was last.
      await eventually(async () => {
        const [index = 0, secret = 0] = await Promise.all(
          [publication.indexPath, publication.secretPath].map(versionOf),
        );
        return secret < index;
      });
    }
  });

  async function versionOf(path: string): Promise<number> {
    return Number((await publication.read(path)).metadata.resourceVersion);
  }

  test('ends a key at its time', async ({ annotate }) => {
    const team = await newTeam();
    const expirationTime = new Date(Date.now() + 3_000).toISOString();
    await team.create(
      team.provider('own', upstream.baseURL),
      team.route('chat', ['own'], { access: { mode: 'AllKeys' } }),
      team.secret('app', 'until then'),
      team.clientKey('app', { expirationTime }),
    );
    await team.wait('LLMKey', 'app', 'Ready=True/Ready');
    await team.wait('LLMRoute', 'chat', 'Ready=True/Ready');
    const enter = () =>
      ask(`${proxy.url}/${team.namespace}/chat/`, {
        body: chatRequest('hi'),
        headers: { authorization: 'Bearer until then' },
      });
    expect((await enter()).status).toBe(200);
    await team.wait('LLMKey', 'app', 'Usable=False/Expired');
    await annotate(`its status said so ${Date.now() - Date.parse(expirationTime)} ms after its end`);
    expect((await enter()).status).toBe(401);
    expect(JSON.stringify(await publication.credentials())).not.toContain(`${team.namespace}/app`);
    expect(conditionsOf(await team.status('LLMKey', 'app'))).toContain('Ready=False/Expired');
  });

  test('writes nothing when its operator is started anew', async () => {
    const team = await newTeam();
    await team.create(team.provider('own', upstream.baseURL), team.route('chat', ['own']), team.generatedKey('app'));
    for (const kind of ['LLMProvider', 'LLMRoute', 'LLMKey'] as const) {
      await team.wait(kind, { LLMProvider: 'own', LLMRoute: 'chat', LLMKey: 'app' }[kind], 'Ready=True/Ready');
    }
    const versions = async () => [
      ...(await publication.versions()),
      ...(await allOf('llmproviders')),
      ...(await allOf('llmroutes')),
      ...(await allOf('llmkeys')),
    ];
    await operator[Symbol.asyncDispose]();
    const before = await versions();
    operator = await startOperator();
    await eventually(() => operator.lines.some(isCompiled));
    await delay(1_500);
    expect(await versions()).toEqual(before);
  });

  test('ends where it should, whatever happens on the way and whoever leads', async ({ annotate }) => {
    const team = await newTeam();
    const startedMs = performance.now();
    const storm = changeAtRandom(team, { url: upstream.baseURL, changes: 240, atOnce: 4 });
    await delay(300);
    await operator[Symbol.asyncDispose]();
    operator = await startOperator();
    await storm;
    await annotate(`240 changes in ${Math.round(performance.now() - startedMs)} ms, and another leader half-way`);

    await eventually(() => isSettled(team), 10_000);
    expect(operator.lines.filter(({ level }) => level === 'error')).toEqual([]);
    const before = await stateOf(team);
    await operator[Symbol.asyncDispose]();
    operator = await startOperator();
    await eventually(() => operator.lines.some(isCompiled));
    await delay(600);
    expect(await stateOf(team)).toEqual(before);
  });

  /** Whether every object of a team has a status that is about its present form, and nothing changes any more. */
  async function isSettled(team: Team): Promise<boolean> {
    const before = JSON.stringify(await stateOf(team));
    await delay(300);
    const all = (await Promise.all(kinds.map((kind) => team.list(kind)))).flat();
    const isDecided = all
      .map(conditionsOf)
      .every((conditions) => conditions.length > 0 && !conditions.join().includes('stale'));
    return isDecided && before === JSON.stringify(await stateOf(team));
  }

  /** Everything that an operator writes: what is published, and what it says of the team's objects. */
  async function stateOf(team: Team): Promise<object> {
    const lists = await Promise.all(kinds.map((kind) => team.list(kind)));
    return { published: await publication.versions(), statuses: lists.flat().map(({ status }) => status) };
  }

  test('lets a namespace go with everything in it', async () => {
    const path = `/api/v1/namespaces/${going.namespace}`;
    await eventually(() => isGone(path), 15_000);
    expect(JSON.stringify(await publication.config())).not.toContain(going.namespace);
    expect(JSON.stringify(await publication.credentials())).not.toContain(going.namespace);
    // Its Secret goes first, and the key is there for a moment more.
    const failures = operator.lines.filter(
      ({ level, fields }) => level === 'error' && fields['controller'] !== 'generated-key',
    );
    expect(failures).toEqual([]);
  });

  async function allOf(plural: string): Promise<readonly string[]> {
    const { items } = await shared.request<{ readonly items: readonly SeenResource[] }>(
      'GET',
      `/apis/sluice.dev/v1alpha1/${plural}`,
    );
    const ours = items.filter(({ spec }) => spec['className'] === installation.className);
    return ours.map(({ metadata: { uid, resourceVersion } }) => `${uid} ${resourceVersion}`);
  }

  test('is left as it is by an operator that may not read everything', async () => {
    await operator[Symbol.asyncDispose]();
    const before = await publication.versions();
    const team = await newTeam();
    await team.create(team.provider('later', upstream.baseURL));
    const name = `sluice-operator-${installation.className}`;
    const path = `/apis/rbac.authorization.k8s.io/v1/clusterroles/${name}`;
    const role = await shared.request<{ readonly rules: readonly { readonly resources: readonly string[] }[] }>(
      'GET',
      path,
    );
    const rules = role.rules.filter(({ resources }) => !resources.includes('services'));
    await shared.request('PATCH', path, { rules }, 'application/merge-patch+json');
    // It tries again soon.
    operator = await startOperator({ random: () => 0.05 });
    await eventually(async () => (await readyzOf(operator)).includes('not read yet: services\n'));
    await delay(1_000);
    expect(operator.isLeader()).toBe(false);
    expect(await publication.versions()).toEqual(before);
    expect((await team.status('LLMProvider', 'later')).status).toBeUndefined();
    // With the permission it goes on without having been started anew.
    await shared.request('PATCH', path, { rules: role.rules }, 'application/merge-patch+json');
    await team.wait('LLMProvider', 'later', 'Ready=True/Ready', 15_000);
  });

  async function readyzOf({ url }: TestOperator): Promise<string> {
    return (await fetch(`${url}/readyz`)).text();
  }

  async function readyRoutes(team: Team): Promise<readonly SeenResource[]> {
    return (await team.list('LLMRoute')).filter((route) => conditionsOf(route).includes('Ready=True/Ready'));
  }
});

function isCompiled({ message, fields }: LogLine): boolean {
  return message === 'reconciled' && fields['controller'] === 'configuration';
}
