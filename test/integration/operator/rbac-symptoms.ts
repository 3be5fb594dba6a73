// What goes wrong without a permission, for every permission that there is: how it is provoked, and where a person sees it.

import { conditionsOf, readResource } from '../../support/resource-status.ts';
import type { TestOperator } from '../../support/installation.ts';
import type { Permission } from './permissions.ts';
import { generatedKey, providerOf, routeTo, type Stage } from './rbac-stage.ts';

/** One try: an operator that lacks a permission. */
export interface Try {
  readonly stage: Stage;
  readonly operator: TestOperator;
  /** Different for each try. */
  readonly round: number;
}

/** How a missing permission shows. */
export interface Symptom {
  /** Makes the operator need it; before it starts. */
  readonly provoke?: (stage: Stage, round: number) => Promise<unknown>;
  /** The same, once it leads. */
  readonly provokeLeader?: (stage: Stage, round: number) => Promise<unknown>;
  readonly shows: (seen: Try) => Promise<boolean>;
}

/** By what `keyOf` gives. */
export type Symptoms = ReadonlyMap<string, Symptom>;

/** Names a permission without the installation. */
export function keyOf({ role, resource, verb }: Permission): string {
  const kind = role.kind === 'Role' ? 'Role' : role.metadata.name.includes('-cluster-') ? 'cluster' : 'watched';
  return `${kind} ${verb} ${resource}`;
}

const refusal = 'the API server answers 403 Forbidden';
const eventRefused = 'an event was refused; others for the same reason are not logged';

/** Every permission of the operator. A new one needs a line here. */
export const operatorSymptoms: Symptoms = new Map([
  ...reads('watched', 'llmproviders', 'llmproviders'),
  ...reads('watched', 'llmroutes', 'llmroutes'),
  ...reads('watched', 'llmkeys', 'llmkeys'),
  ...reads('watched', 'secrets', 'secrets'),
  ...reads('watched', 'configmaps', 'configmaps'),
  ...reads('watched', 'services', 'services'),
  ...reads('Role', 'configmaps', 'published-configuration'),
  ...reads('Role', 'secrets', 'published-credentials'),
  ...reads('Role', 'pods', 'proxies'),

  ['cluster list namespaces', { shows: says('LLMKey', 'acme', 'must be the namespace, or the value of the label') }],
  ['cluster list referencegrants', { shows: says('LLMRoute', 'far', 'not installed or may not be read') }],
  ['cluster watch namespaces', { shows: countsRefusals }],
  ['cluster watch referencegrants', { shows: countsRefusals }],

  ['watched patch llmproviders/status', { provoke: changeProvider, shows: failsAt('status', 'llmproviders/status') }],
  ['watched patch llmroutes/status', { provoke: breakRoute, shows: failsAt('status', 'llmroutes/status') }],
  ['watched patch llmkeys/status', { provoke: makeKey, shows: failsAt('status', 'llmkeys/status') }],
  ['watched create secrets', { provoke: makeKey, shows: saysOfMadeKey }],
  ['watched patch secrets', { provoke: rotateKey, shows: failsAt('generated-key', 'secrets') }],
  // Whose it is, if there is one already, cannot be found out.
  ['watched get secrets', { provoke: makeKeyOverForeign, shows: saysOfMadeKey }],
  ['watched create events', { provoke: breakRoute, shows: logs(eventRefused, 'cannot create resource') }],
  ['watched patch events', { provokeLeader: breakRouteTwice, shows: logs(eventRefused, 'cannot patch') }],

  ['Role create configmaps', { provoke: deleteIndex, shows: failsAt('configuration', 'configmaps') }],
  ['Role patch configmaps', { provoke: changeProvider, shows: failsAt('configuration', 'configmaps') }],
  ['Role delete configmaps', { provoke: leaveShard, shows: failsAt('configuration', 'configmaps') }],
  ['Role create secrets', { provoke: deleteCredentials, shows: failsAt('configuration', 'secrets') }],
  ['Role patch secrets', { provoke: changeSecret, shows: failsAt('configuration', 'secrets') }],
  ['Role create leases', { provoke: deleteLease, shows: cannotLead('create') }],
  ['Role get leases', { shows: cannotLead('get') }],
  ['Role update leases', { shows: cannotLead('update') }],
]);

/** Without the list it is never ready, without the watch it says so and lists again and again. */
function reads(kind: string, resource: string, cache: string): readonly (readonly [string, Symptom])[] {
  const isNotReady: Symptom['shows'] = async ({ operator }) => {
    const answer = await fetch(`${operator.url}/readyz/caches`);
    // Everything but this.
    return (
      answer.status === 500 &&
      (await answer.text()) === `[-]caches failed: not read yet: ${cache}\nreadyz check failed\n`
    );
  };
  return [
    [`${kind} list ${resource}`, { shows: isNotReady }],
    [
      `${kind} watch ${resource}`,
      { shows: logs('cannot list or watch; trying again', `cannot watch resource "${resource}"`) },
    ],
  ];
}

function logs(message: string, detail: string): Symptom['shows'] {
  return async ({ operator }) =>
    operator.lines.some(({ message: said, fields }) => said === message && String(fields['error']).includes(detail));
}

function failsAt(controller: string, resource: string): Symptom['shows'] {
  return async ({ operator }) =>
    operator.lines.some(
      ({ message, fields }) =>
        message === 'reconcile failed' &&
        fields['controller'] === controller &&
        String(fields['error']).includes(`resource "${resource}"`),
    );
}

function cannotLead(verb: string): Symptom['shows'] {
  const complains = logs('cannot take or renew the lease; trying again', `cannot ${verb} resource "leases"`);
  return async (seen) => !seen.operator.isLeader() && (await complains(seen));
}

function says(kind: 'LLMKey' | 'LLMRoute', name: string, text: string): Symptom['shows'] {
  return async ({ stage: { plane, team } }) => {
    const { status } = await readResource(plane, kind, team, name);
    return (status?.conditions ?? []).some(({ message }) => message.includes(text));
  };
}

function saysOfMadeKey(seen: Try): Promise<boolean> {
  return says('LLMKey', `made-${seen.round}`, refusal)(seen);
}

async function countsRefusals({ operator }: Try): Promise<boolean> {
  return /^rest_client_requests_total\{code="403"/m.test(await (await fetch(`${operator.url}/metrics`)).text());
}

function changeProvider(stage: Stage, round: number): Promise<void> {
  return stage.plane.apply(providerOf(stage, round));
}

function breakRoute(stage: Stage, round: number): Promise<void> {
  return stage.plane.apply(routeTo(stage, `missing-${round}`, `broken-${round}`));
}

/** The same happens a second time within minutes: it becomes a series. */
async function breakRouteTwice(stage: Stage, round: number): Promise<void> {
  const name = `broken-${round}`;
  const { plane, team } = stage;
  for (const [provider, wanted] of [
    ['missing', 'ProviderNotFound'],
    ['near', 'NoProxies'],
    ['missing', 'ProviderNotFound'],
  ] as const) {
    await plane.apply(routeTo(stage, provider, name));
    for (;;) {
      const route = await readResource(plane, 'LLMRoute', team, name);
      if (conditionsOf(route).includes(`Ready=False/${wanted}`)) break;
    }
  }
}

function makeKey(stage: Stage, round: number): Promise<void> {
  return stage.plane.apply(generatedKey(stage, `made-${round}`));
}

function makeKeyOverForeign(stage: Stage, round: number): Promise<void> {
  return stage.plane.apply(generatedKey(stage, `made-${round}`, 'taken'));
}

function rotateKey({ plane, team }: Stage, round: number): Promise<unknown> {
  const body = { metadata: { annotations: { 'sluice.dev/rotate': String(round) } } };
  const path = `/apis/sluice.dev/v1alpha1/namespaces/${team}/llmkeys/checkout`;
  return plane.request('PATCH', path, body, 'application/merge-patch+json');
}

function changeSecret({ plane, team }: Stage, round: number): Promise<unknown> {
  const body = { stringData: { key: `up-${round}` } };
  return plane.request('PATCH', `/api/v1/namespaces/${team}/secrets/up`, body, 'application/merge-patch+json');
}

function deleteIndex({ plane, installation: { namespace, className } }: Stage): Promise<unknown> {
  return plane.request('DELETE', `/api/v1/namespaces/${namespace}/configmaps/sluice-${className}`);
}

function deleteCredentials({ plane, installation: { namespace, className } }: Stage): Promise<unknown> {
  return plane.request('DELETE', `/api/v1/namespaces/${namespace}/secrets/sluice-${className}-credentials`);
}

/** As an operator leaves it that is stopped between publishing a smaller configuration and tidying up. */
function leaveShard({ plane, installation: { namespace, className } }: Stage): Promise<void> {
  const labels = { 'app.kubernetes.io/managed-by': 'sluice', 'sluice.dev/class': className };
  const metadata = { name: `sluice-${className}-5`, namespace, labels };
  return plane.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata });
}

function deleteLease({ plane, installation: { namespace, className } }: Stage): Promise<unknown> {
  const name = `sluice-${className}-operator`;
  return plane.request('DELETE', `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/${name}`);
}
