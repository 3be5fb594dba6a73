// The permissions in deploy/manifests are what the operator and the proxies need, and nothing else: everything is done
// once while the API server keeps an audit, and then each permission is taken away in turn.

import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { crdManifests } from '../../cluster/crds.ts';
import { type ControlPlane, startControlPlane } from '../../cluster/control-plane.ts';
import { requiresControlPlanePrograms } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { addressOf, install, type Installation, type Manifest, type TestProxy } from '../../support/installation.ts';
import { waitForCondition } from '../../support/resource-status.ts';
import { type AuditedRequest, createAuditLog } from './audit-log.ts';
import { covers, describePermission, type Permission, permissionsOf, without } from './permissions.ts';
import {
  createStage,
  generatedKey,
  grantOf,
  proxySelector,
  referenceGrants,
  routeTo,
  type Stage,
  waitUntil,
} from './rbac-stage.ts';
import { keyOf, operatorSymptoms, type Symptom } from './rbac-symptoms.ts';

const programs = requiresControlPlanePrograms();

programs.describe('the permissions in deploy/manifests', () => {
  const audit = createAuditLog();
  let plane: ControlPlane;

  beforeAll(async () => {
    const manifests = [...crdManifests(), referenceGrants];
    plane = await startControlPlane({ manifests, extraApiServerFlags: audit.apiServerFlags });
  });
  afterAll(async () => {
    await plane.stop();
    audit[Symbol.dispose]();
  });

  /** What was asked in the name of one installation. */
  function askedOf({ installation: { namespace } }: Stage): readonly AuditedRequest[] {
    return audit.read().filter(({ account }) => account.startsWith(`${namespace}:`));
  }

  test('are all used, and suffice, in an installation that may read two namespaces only', async () => {
    const stage = await createStage(plane);
    await doEverything(stage);
    const asked = askedOf(stage);
    expect(asked.filter(({ status }) => status === 403)).toEqual([]);
    const used = permissionsOf(stage.roles).filter((permission) => isUsed(permission, asked, stage));
    expect(used.map(describePermission)).toEqual(permissionsOf(stage.roles).map(describePermission));
  });

  test('suffice as they stand, for all namespaces', async () => {
    const installation = await install(plane);
    const team = await plane.newNamespace();
    await using proxy = await installation.startProxy();
    await using operator = await installation.startOperator({ proxyAddresses: [addressOf(proxy)], proxySelector });
    for (const object of openRoute(installation, team)) await plane.apply(object);
    await plane.apply(generatedKey({ installation, team }, 'checkout'));
    await waitForCondition(plane, 'LLMRoute', [team, 'open'], 'Ready=True/Ready');
    await waitForCondition(plane, 'LLMKey', [team, 'checkout'], 'Ready=True/Ready');
    const asked = audit.read().filter(({ account }) => account.startsWith(`${installation.namespace}:`));
    expect(asked.filter(({ status }) => status === 403)).toEqual([]);
    expect(operator.lines.filter(({ level }) => level === 'warn' || level === 'error')).toEqual([]);
  });

  test('may all be Roles of one namespace: no cluster-wide permission is needed, and what is lacking is said', async () => {
    const team = await plane.newNamespace();
    const installation = await install(plane, { editManifest: (manifest) => confine(manifest, team) });
    await using proxy = await installation.startProxy();
    const seen = { watchNamespaces: [team], proxyAddresses: [addressOf(proxy)], proxySelector };
    await using operator = await installation.startOperator(seen);
    for (const object of openRoute(installation, team)) await plane.apply(object);
    await waitForCondition(plane, 'LLMRoute', [team, 'open'], 'Ready=True/Ready');
    const said = operator.lines.filter(
      ({ message }) => message === 'not installed, or may not be read: there are none',
    );
    expect(said.map(({ fields }) => fields['kind'])).toEqual(['Namespace']);
    expect(operator.lines.filter(({ level }) => level === 'warn' || level === 'error')).toEqual([]);
  });

  test('are missed one by one', { timeout: 120_000 }, async ({ annotate }) => {
    const stages = await Promise.all([createStage(plane), createStage(plane), createStage(plane)]);
    const permissions = permissionsOf(stages[0]!.roles).filter(({ role }) => !isOfProxies(role));
    expect(permissions.length).toBeGreaterThan(20);
    // Of each stage, a third.
    const startedMs = performance.now();
    await Promise.all(
      stages.map(async (stage, lane) => {
        await (await stage.startOperator())[Symbol.asyncDispose]();
        const own = permissionsOf(stage.roles);
        for (let round = lane; round < permissions.length; round += stages.length) {
          await misses(stage, own[round]!, round);
        }
      }),
    );
    await annotate(`${permissions.length} permissions in ${Math.round(performance.now() - startedMs)} ms`);
  });

  test('are missed by proxies too', async () => {
    const stage = await createStage(plane);
    await publishLarge(stage);
    for (const permission of permissionsOf(stage.roles).filter(({ role }) => isOfProxies(role))) {
      await plane.apply(without(permission));
      await waitUntil(false, stage, permission);
      await using proxy = await stage.installation.startProxy();
      const isRefused = ({ status, verb, resource }: AuditedRequest) =>
        status === 403 && verb === permission.verb && resource === permission.resource;
      await eventually(() => askedOf(stage).some(isRefused));
      expect(await isReady(proxy), describePermission(permission)).toBe(false);
      await plane.apply(permission.role);
      await eventually(() => isReady(proxy), 10_000);
    }
  });

  test('of a namespace to refer to its providers are seen at once, and tell nothing where there are none', async () => {
    const installation = await install(plane);
    const [team, other] = [await plane.newNamespace(), await plane.newNamespace()];
    await using operator = await installation.startOperator();
    await plane.apply(
      installation.object('LLMProvider', other, 'lent', { type: 'OpenAI', credentials: { type: 'None' } }),
    );
    for (const name of ['lent', 'ghost']) {
      const backends = [{ name: 'one', providerRef: { name, namespace: other }, model: 'any' }];
      await plane.apply(
        installation.object('LLMRoute', team, name, { path: `/${team}/${name}`, rules: [{ name: 'all', backends }] }),
      );
    }
    const [toLent, toGhost] = await Promise.all(
      ['lent', 'ghost'].map(async (name) => {
        const refused = 'ResolvedRefs=False/RefNotPermitted';
        const { status } = await waitForCondition(plane, 'LLMRoute', [team, name], refused);
        return JSON.stringify(status)
          .replaceAll(name, 'NAME')
          .replaceAll(/\d\d:\d\dZ/g, '');
      }),
    );
    expect(toLent).toBe(toGhost);
    expect(toLent).toContain(
      `must allow LLMRoute objects of namespace \\"${team}\\" to refer to LLMProvider \\"NAME\\"`,
    );

    await plane.apply(grantOf(team, other));
    await waitForCondition(plane, 'LLMRoute', [team, 'lent'], 'ResolvedRefs=True/ResolvedRefs');
    expect(await published(installation)).toContain(`${other}/lent`);
    const grants = '/apis/gateway.networking.k8s.io/v1beta1';
    await plane.request('DELETE', `${grants}/namespaces/${other}/referencegrants/to-team`);
    const revokedMs = performance.now();
    await waitForCondition(plane, 'LLMRoute', [team, 'lent'], 'ResolvedRefs=False/RefNotPermitted');
    expect(performance.now() - revokedMs).toBeLessThan(2_000);
    expect(JSON.parse(await published(installation)).routes).toMatchObject([{ rules: [{ backends: [] }] }, {}]);
    expect(operator.isLeader()).toBe(true);
  });

  /** The configuration as proxies read it. */
  async function published({ namespace, className }: Installation): Promise<string> {
    const path = `/api/v1/namespaces/${namespace}/configmaps/sluice-${className}`;
    const { data } = await plane.request<{ readonly data: Readonly<Record<string, string>> }>('GET', path);
    return data['config.json'] ?? '';
  }

  async function misses(stage: Stage, permission: Permission, round: number): Promise<void> {
    const symptom = operatorSymptoms.get(keyOf(permission));
    if (symptom === undefined) throw new Error(`nothing is known of the lack of ${describePermission(permission)}`);
    await plane.apply(without(permission));
    await waitUntil(false, stage, permission);
    try {
      await tryWithout(stage, symptom, round);
    } catch (cause) {
      throw new Error(`nobody misses ${describePermission(permission)}`, { cause });
    } finally {
      await plane.apply(permission.role);
      await waitUntil(true, stage, permission);
    }
    const refused = askedOf(stage).filter(({ status }) => status === 403);
    // The permission to create is asked for inside of a patch that applies.
    const verb = permission.verb === 'create' ? ['create', 'patch'] : [permission.verb];
    const isAbout = ({ resource, verb: asked }: AuditedRequest) =>
      resource === permission.resource && verb.includes(asked);
    expect(refused.some(isAbout), describePermission(permission)).toBe(true);
  }
});

/** A route that anybody may enter, to a provider that needs no key. */
function openRoute(installation: Installation, team: string): readonly object[] {
  const backends = [{ name: 'one', providerRef: { name: 'open' }, model: 'any' }];
  return [
    installation.object('LLMProvider', team, 'open', { type: 'OpenAI', credentials: { type: 'None' } }),
    installation.object('LLMRoute', team, 'open', {
      path: `/${team}/open`,
      access: { mode: 'Anonymous' },
      rules: [{ name: 'all', backends }],
    }),
  ];
}

/** Cluster-wide permissions as those of one namespace; what belongs to no namespace cannot be given there. */
function confine(manifest: Manifest, namespace: string): Manifest {
  if (manifest.metadata.namespace !== undefined) return manifest;
  const metadata = { ...manifest.metadata, namespace };
  if (manifest.kind === 'ClusterRole') return { ...manifest, kind: 'Role', metadata };
  const roleRef = { ...(manifest['roleRef'] as object), kind: 'Role' };
  return { ...manifest, kind: 'RoleBinding', metadata, roleRef };
}

async function tryWithout(stage: Stage, { provoke, provokeLeader, shows }: Symptom, round: number): Promise<void> {
  await provoke?.(stage, round);
  await using operator = await stage.startOperator();
  await provokeLeader?.(stage, round);
  // What may be missing counts as missing after three seconds.
  await eventually(() => shows({ stage, operator, round }), 20_000);
}

function isOfProxies({ metadata }: Manifest): boolean {
  return metadata.name.startsWith('sluice-proxy');
}

async function isReady({ admin }: TestProxy): Promise<boolean> {
  return (await fetch(`http://${admin}/readyz`)).ok;
}

/** More than one object holds, and no compression makes it small. */
async function publishLarge(stage: Stage): Promise<void> {
  await using _operator = await stage.startOperator();
  for (const name of largeNames) {
    await stage.plane.apply(routeTo(stage, 'near', name, { pad: randomBytes(500_000).toString('base64') }));
  }
  await eventually(() => isThere(stage, 0), 10_000);
}

const largeNames = ['large-one', 'large-two'];

/** Everything that an operator and a proxy ever do. */
async function doEverything(stage: Stage): Promise<void> {
  const { plane, installation, team } = stage;
  await using _proxy = await installation.startProxy();
  await using operator = await stage.startOperator();
  await waitForCondition(plane, 'LLMKey', [team, 'checkout'], 'Usable=True/Usable');
  for (const provoke of symptomsThatAreDone()) await provoke(stage, 0);
  for (const name of largeNames) {
    await plane.apply(routeTo(stage, 'near', name, { pad: randomBytes(500_000).toString('base64') }));
  }
  await eventually(() => isThere(stage, 0), 10_000);
  for (const name of largeNames) {
    await plane.request('DELETE', `/apis/sluice.dev/v1alpha1/namespaces/${team}/llmroutes/${name}`);
  }
  await eventually(async () => !(await isThere(stage, 0)), 10_000);
  expect(operator.lines.filter(({ level }) => level === 'error')).toEqual([]);
}

function symptomsThatAreDone() {
  return [...operatorSymptoms.values()].flatMap(({ provoke, provokeLeader }) => provoke ?? provokeLeader ?? []);
}

async function isThere({ plane, installation: { namespace, className } }: Stage, shard: number): Promise<boolean> {
  const { items } = await plane.request<{
    readonly items: readonly { readonly metadata: { readonly name: string } }[];
  }>('GET', `/api/v1/namespaces/${namespace}/configmaps`);
  return items.some(({ metadata }) => metadata.name === `sluice-${className}-${shard}`);
}

/** Whether a request that was answered needed this permission; `create` is part of an apply that made something. */
function isUsed(permission: Permission, asked: readonly AuditedRequest[], stage: Stage): boolean {
  const account = permission.role.metadata.name.startsWith('sluice-proxy') ? 'sluice-proxy' : 'sluice-operator';
  const inInstallation = permission.role.kind === 'Role';
  return asked.some((request) => {
    if (!request.account.endsWith(`:${account}`) || request.status >= 500) return false;
    if ((request.namespace === stage.installation.namespace) !== inInstallation) return false;
    const made = request.verb === 'patch' && request.status === 201;
    return covers(permission, request) || (made && covers(permission, { ...request, verb: 'create' }));
  });
}
