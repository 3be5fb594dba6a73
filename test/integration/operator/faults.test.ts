// An operator whose permissions, tokens and kinds come and go: it keeps what it has, says so once, and goes on.

import { writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ControlPlane, startControlPlane } from '../../cluster/control-plane.ts';
import { crdManifests } from '../../cluster/crds.ts';
import { requiresControlPlanePrograms } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import type { TestOperator } from '../../support/installation.ts';
import { conditionsOf, readResource, waitForCondition } from '../../support/resource-status.ts';
import { FaultStage } from './fault-stage.ts';
import { recordHistory } from './history.ts';
import { referenceGrant, referenceGrantCrd, referenceGrantCrdName } from './reference-grant-crd.ts';

const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

requiresControlPlanePrograms().describe('an operator', () => {
  let plane: ControlPlane;
  /** Whose kinds and API server come and go. */
  let shaken: ControlPlane;

  beforeAll(async () => {
    const start = (): Promise<ControlPlane> => startControlPlane({ manifests: crdManifests() });
    [plane, shaken] = await Promise.all([start(), start()]);
  });
  afterAll(async () => void (await Promise.all([plane.stop(), shaken.stop()])));

  /** How often a kind was complained about, or was well again. */
  function said({ lines }: TestOperator, message: string, kind: string): number {
    return lines.filter((line) => line.message === message && line.fields['kind'] === kind).length;
  }

  const complaint = 'cannot list or watch; trying again';
  const recovery = 'listing and watching again';

  test.concurrent('keeps what it may not read any more, says so once, and follows when it may again', async () => {
    await using stage = await FaultStage.open(plane);
    await stage.applyProvider('http://127.0.0.1:1/one');
    await stage.applyRoute('first');
    await using operator = await stage.start();
    await stage.publishes('"first"', 10_000);

    const role = stage.manifests.find(
      ({ kind, rules }) => kind === 'ClusterRole' && JSON.stringify(rules).includes('llmroutes'),
    )!;
    const [first, ...rest] = role.rules!;
    await plane.apply({ ...role, rules: [{ ...first!, resources: ['llmproviders', 'llmkeys'] }, ...rest] });
    await delay(500);
    stage.front.cut();
    await eventually(() => said(operator, complaint, 'LLMRoute') > 0, 10_000);
    await stage.applyRoute('second');
    await stage.applyProvider('http://127.0.0.1:1/two');
    await stage.publishes('/two');
    expect(await stage.published()).toMatch(/"first"/);
    await delay(3000);
    // One for the connection that was cut, one for the permission.
    expect(said(operator, complaint, 'LLMRoute')).toBeLessThanOrEqual(2);
    expect(said(operator, recovery, 'LLMRoute')).toBe(0);

    await plane.apply(role);
    await stage.publishes('"second"', 12_000);
    await eventually(() => said(operator, recovery, 'LLMRoute') === 1);
    expect(operator.isLeader()).toBe(true);
  });

  test.concurrent('goes on with the next token when its own is worth nothing any more', async () => {
    await using stage = await FaultStage.open(plane);
    const { namespace } = stage.installation;
    const kubeconfig = await plane.kubeconfigFor(namespace, 'sluice-operator', { tokenFile: true });
    await stage.applyProvider('http://127.0.0.1:1');
    await stage.applyRoute('first');
    await using operator = await stage.start(kubeconfig);
    await stage.publishes('"first"', 10_000);

    await plane.request('DELETE', `/api/v1/namespaces/${namespace}/serviceaccounts/sluice-operator`);
    await plane.apply(stage.manifests.find(({ kind }) => kind === 'ServiceAccount')!);
    // The API server believes in a token for 10 s more.
    const refused = (): boolean => operator.lines.some(({ fields }) => /answered 401/.test(String(fields['error'])));
    await eventually(refused, 20_000);
    stage.front.cut();
    writeFileSync(`${kubeconfig}.token`, await plane.tokenFor(namespace, 'sluice-operator'));
    await stage.applyRoute('second');
    await stage.publishes('"second"', 15_000);
    expect(operator.isLeader()).toBe(true);
    expect(operator.lines.filter(({ message }) => message === 'became the leader')).toHaveLength(1);
  });

  test.concurrent('refuses what no grant allows, permits it when grants can be given, and refuses it again without them', async () => {
    await using stage = await FaultStage.open(plane);
    const lender = await plane.newNamespace();
    await stage.applyProvider('http://127.0.0.1:1', lender);
    await stage.applyRoute('borrowed', lender);
    await using _ = await stage.start();
    const route = ['LLMRoute', [stage.team, 'chat']] as const;
    const { status } = await waitForCondition(plane, ...route, 'ResolvedRefs=False/RefNotPermitted');
    expect(JSON.stringify(status)).toContain('not installed');

    await plane.apply(referenceGrantCrd);
    // Grants can be given now, although there are none: looked for every 15 s.
    await eventually(
      async () =>
        !JSON.stringify((await readResource(plane, 'LLMRoute', stage.team, 'chat')).status).includes('not installed'),
      20_000,
    );
    await plane.apply(referenceGrant(lender, stage.team));
    await waitForCondition(plane, ...route, 'ResolvedRefs=True/ResolvedRefs', 3000);
    await stage.publishes('"borrowed"');

    await plane.request(
      'DELETE',
      `/apis/gateway.networking.k8s.io/v1beta1/namespaces/${lender}/referencegrants/from-${stage.team}`,
    );
    await waitForCondition(plane, ...route, 'ResolvedRefs=False/RefNotPermitted', 3000);
    expect(await stage.published()).not.toContain('"borrowed"');
    await plane.apply(referenceGrant(lender, stage.team));
    await waitForCondition(plane, ...route, 'ResolvedRefs=True/ResolvedRefs', 3000);

    await plane.request('DELETE', `${crds}/${referenceGrantCrdName}`);
    await waitForCondition(plane, ...route, 'ResolvedRefs=False/RefNotPermitted', 15_000);
  });

  async function removeKind(): Promise<void> {
    await using stage = await FaultStage.open(shaken);
    await stage.applyProvider('http://127.0.0.1:1');
    await stage.applyRoute('first');
    await using operator = await stage.start();
    await stage.publishes('"first"', 10_000);
    const definition = crdManifests().find((manifest) => manifest.includes('name: llmroutes.sluice.dev'))!;
    await shaken.request('DELETE', `${crds}/llmroutes.sluice.dev`);
    await eventually(async () => !(await stage.published()).includes('"first"'), 10_000);
    expect(await stage.published()).toContain(`"${stage.team}/own"`);
    await eventually(() => said(operator, complaint, 'LLMRoute') > 0, 10_000);

    await eventually(
      () =>
        shaken.request('GET', `${crds}/llmroutes.sluice.dev`).then(
          () => false,
          () => true,
        ),
      10_000,
    );
    await shaken.apply(definition);
    await stage.applyRoute('second');
    await stage.publishes('"second"', 15_000);
    const route = await waitForCondition(shaken, 'LLMRoute', [stage.team, 'chat'], 'Accepted=True/Accepted');
    expect(conditionsOf(route).filter((condition) => condition.startsWith('stale'))).toEqual([]);
  }

  async function startTogether(): Promise<void> {
    await using stage = await FaultStage.open(shaken);
    const lender = await shaken.newNamespace();
    await shaken.apply(referenceGrantCrd);
    await shaken.apply(referenceGrant(lender, stage.team));
    await stage.applyProvider('http://127.0.0.1:1', lender);
    await stage.applyRoute('borrowed', lender);
    {
      await using _ = await stage.start();
      await stage.publishes('"borrowed"', 10_000);
    }
    await shaken.killApiServer();
    await using operator = await stage.start();
    await shaken.restartApiServer();
    const path = `/api/v1/namespaces/${stage.installation.namespace}/configmaps`;
    await using history = await recordHistory(shaken, [path]);
    await eventually(() => operator.isLeader(), 15_000);
    await stage.applyProvider('http://127.0.0.1:1/later', lender);
    await stage.publishes('/later', 10_000);
    await delay(500);
    expect(history.of('ConfigMap').length).toBeGreaterThan(0);
    for (const { object } of history.of('ConfigMap')) expect(JSON.stringify(object['data'])).toContain('borrowed');
  }

  test.concurrent('loses the objects of a kind that is removed, and nothing by starting together with the API server', async () => {
    await removeKind();
    await startTogether();
  });
});
