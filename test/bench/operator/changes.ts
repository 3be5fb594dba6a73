// The changes that people make: number by number, so that every run makes the same. One in twenty is malformed in a way
// that the API server cannot see, and is mended five changes later.

import type { Kind } from '../../../crds/group.ts';
import { resourcePath } from '../../support/resource-status.ts';
import type { ObjectName } from './statuses.ts';
import { clientSecret, counts, modelOf, openModels, weakKey } from './small-world.ts';

/** What is changed: a row of the report. */
export type ChangeKind =
  | 'route'
  | 'provider'
  | 'upstream key'
  | 'client key'
  | 'Secret of an upstream key'
  | 'Secret of a client key'
  | 'malformed'
  | 'mended';

/** A request that shows whether the proxies do what they say. */
export interface Proof {
  readonly model: string;
  readonly secret: string;
  /** Whether it is answered, or refused. */
  readonly works: boolean;
}

/** One change. */
export interface Change {
  readonly kind: ChangeKind;
  /** Path of the object in the API server, and the JSON patch (RFC 6902) that is sent there. */
  readonly path: string;
  readonly patch: readonly object[];
  /** Whose status tells, and what it then says; undefined: nothing about it is to be seen in a status. */
  readonly status: { readonly name: ObjectName; readonly ready: 'True' | 'False' } | undefined;
  readonly proofs: readonly Proof[];
}

/** Where changes are made. */
export interface Place {
  readonly namespace: string;
  readonly className: string;
  readonly upstreams: readonly [string, string];
}

type Make = (round: number, number: number, place: Place) => Change;

/** What stands in each of twenty places; the mending comes five after the break. */
const slots: readonly Make[] = [
  weight,
  ruleTimeout,
  upstreamSecret,
  weight,
  providerTimeout,
  clientModels,
  renewClientKey,
  weight,
  moveProvider,
  ruleTimeout,
  breakOne,
  weight,
  keyWeight,
  renewClientKey,
  weight,
  mendOne,
  ruleTimeout,
  providerTimeout,
  upstreamSecret,
  clientModels,
];

/** Change number `number`, from 0. */
export function changeOf(number: number, place: Place): Change {
  const make = slots[number % slots.length] ?? weight;
  return make(Math.floor(number / slots.length), number, place);
}

function edit(
  kind: ChangeKind,
  [of, name]: readonly [Kind, string],
  { namespace }: Place,
  patch: readonly object[],
  ready: 'True' | 'False' = 'True',
): Change {
  const status = { name: `${of} ${namespace}/${name}`, ready } as const;
  return { kind, path: resourcePath(of, namespace, name), patch, status, proofs: [] };
}

function replace(path: string, value: unknown): object {
  return { op: 'replace', path, value };
}

function weight(_round: number, number: number, place: Place): Change {
  const name = `route-${number % counts.routes}`;
  return edit('route', ['LLMRoute', name], place, [replace('/spec/rules/1/backends/0/weight', 2 + number)]);
}

function ruleTimeout(_round: number, number: number, place: Place): Change {
  const name = `route-${number % counts.routes}`;
  return edit('route', ['LLMRoute', name], place, [replace('/spec/rules/1/timeouts/totalSeconds', 301 + number)]);
}

function providerTimeout(_round: number, number: number, place: Place): Change {
  const name = `provider-${number % counts.providers}`;
  return edit('provider', ['LLMProvider', name], place, [replace('/spec/timeouts/totalSeconds', 601 + number)]);
}

/** To the other upstream: requests that are under way end at the one where they began. */
function moveProvider(round: number, _number: number, place: Place): Change {
  const name = `provider-${round % counts.providers}`;
  const url = place.upstreams[Math.floor(round / counts.providers) % 2 === 0 ? 0 : 1];
  return edit('provider', ['LLMProvider', name], place, [replace('/spec/endpoint/url', url)]);
}

function keyWeight(round: number, number: number, place: Place): Change {
  const name = `upstream-${round % counts.upstreamKeys}`;
  return edit('upstream key', ['LLMKey', name], place, [replace('/spec/upstream/weight', 2 + number)]);
}

function clientModels(_round: number, number: number, place: Place): Change {
  const name = `client-${number % counts.clientKeys}`;
  const models = [...openModels, `added-${number}`];
  return edit('client key', ['LLMKey', name], place, [replace('/spec/client/models', models)]);
}

function secretChange(kind: ChangeKind, name: string, { namespace }: Place, patch: readonly object[]): Change {
  const path = `/api/v1/namespaces/${namespace}/secrets/${name}`;
  return { kind, path, patch, status: undefined, proofs: [] };
}

function toBase64(text: string): string {
  return Buffer.from(text).toString('base64');
}

function upstreamSecret(_round: number, number: number, place: Place): Change {
  const name = `upstream-${number % counts.upstreamKeys}`;
  const value = toBase64(`upstream-secret-${number}-renewed`);
  return secretChange('Secret of an upstream key', name, place, [replace('/data/key', value)]);
}

/** Twice a round: which version a key has follows from how often its turn has come. */
function renewClientKey(round: number, number: number, place: Place): Change {
  const turn = round * 2 + (number % slots.length === 6 ? 0 : 1);
  const name = `rotating-${turn % counts.rotatingKeys}`;
  const version = Math.floor(turn / counts.rotatingKeys);
  const change = secretChange('Secret of a client key', name, place, [
    replace('/data/key', toBase64(clientSecret(name, version + 1))),
  ]);
  const proof = (of: number, works: boolean): Proof => ({
    model: modelOf('route-0'),
    secret: clientSecret(name, of),
    works,
  });
  return { ...change, proofs: [proof(version + 1, true), proof(version, false)] };
}

/** What can be wrong without the API server knowing: values of one field of a route. */
interface Weakness {
  readonly name: string;
  /** Whether the route answers all the same: of a rule whose expression is wrong, only that rule is left out. */
  readonly serves: boolean;
  readonly field: string;
  readonly broken: (place: Place) => unknown;
  readonly whole: (place: Place) => unknown;
}

const weaknesses: readonly Weakness[] = [
  {
    name: 'weak-expression',
    serves: true,
    field: '/spec/rules/0/matches/0/cel',
    broken: () => 'client.tenant ==',
    whole: () => "client.tenant == 'nobody'",
  },
  {
    name: 'weak-provider',
    serves: false,
    field: '/spec/rules/1/backends',
    broken: () => [{ name: 'first', providerRef: { name: 'nowhere' } }],
    whole: () => [{ name: 'first', providerRef: { name: 'provider-2' } }],
  },
  {
    name: 'weak-path',
    serves: false,
    field: '/spec/path',
    broken: ({ className }) => `/${className}/route-0`,
    whole: ({ className }) => `/${className}/weak-path`,
  },
  {
    name: 'weak-circle',
    serves: false,
    field: '/spec/rules/1/backends',
    broken: () => [{ name: 'first', routeRef: { name: 'weak-circle' } }],
    whole: () => [{ name: 'first', providerRef: { name: 'provider-3' } }],
  },
];

const labelField = '/metadata/labels/sluice.dev~1credential';

function breakOne(round: number, _number: number, place: Place): Change {
  return weaken(round, place, 'broken');
}

function mendOne(round: number, _number: number, place: Place): Change {
  return weaken(round, place, 'whole');
}

function weaken(round: number, place: Place, to: 'broken' | 'whole'): Change {
  const works = to === 'whole';
  const [kind, ready] = works ? (['mended', 'True'] as const) : (['malformed', 'False'] as const);
  const weakness = weaknesses[round % (weaknesses.length + 1)];
  if (weakness === undefined) {
    const patch = works ? { op: 'add', path: labelField, value: 'true' } : { op: 'remove', path: labelField };
    const status = { name: `LLMKey ${place.namespace}/${weakKey}`, ready } as const;
    const proofs = [{ model: modelOf('route-0'), secret: clientSecret(weakKey), works }];
    return { ...secretChange(kind, weakKey, place, [patch]), status, proofs };
  }
  const { name, field, serves } = weakness;
  const change = edit(kind, ['LLMRoute', name], place, [replace(field, weakness[to](place))], ready);
  const proof = { model: modelOf(name), secret: clientSecret('client-0'), works: works || serves };
  return { ...change, proofs: [proof] };
}
