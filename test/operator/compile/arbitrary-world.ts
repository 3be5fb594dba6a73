// Worlds that are made of few names, so that references hit, miss, conflict and run in circles.

import fc from 'fast-check';
import type { World } from '../../../operator/compile/world.ts';
import { type Manifest, toWorld } from './world-of.ts';

const name = fc.constantFrom('x', 'y', 'z');
const namespace = fc.constantFrom('a', 'a', 'a', 'b');
const label = fc.constantFrom('p', 'q');
const labels = fc.dictionary(fc.constantFrom('app', 'tier', 'constructor'), label, { maxKeys: 2 });
const model = fc.constantFrom('gpt', 'gpt-4', 'llama');
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 2 });
const created = maybe(fc.constantFrom('2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z'));
const day = fc.constantFrom('2020-01-01T00:00:00Z', '2027-01-01T00:00:00+02:00');
const limits = fc.constant([{ resource: 'Requests', window: 'Minute', max: 5 }]);
/** So that most objects stay in order. */
const rarely = <T>(value: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value });

const uidOf = (it: { readonly name: string; readonly namespace: string }): string => `uid-${it.namespace}-${it.name}`;
const metadata = fc
  .record({ name, namespace, creationTimestamp: created, labels })
  .map((it) => ({ ...it, uid: uidOf(it) }));
const selector = fc.record(
  { matchLabels: labels, matchExpressions: fc.constant([{ key: 'app', operator: 'Exists' }]) },
  { requiredKeys: [] },
);

const endpoint = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ url: 'https://models.example/v1' }) },
  { weight: 1, arbitrary: fc.record({ serviceRef: fc.record({ name, port: fc.constantFrom(80, 443) }) }) },
);
const credentials = fc.oneof(
  fc.constant({ type: 'KeyPool' }),
  fc.record({ type: fc.constantFrom('None', 'None', 'Passthrough', 'Workload') }),
  fc.record({
    keyPool: fc.record({
      strategy: fc.constantFrom('Weighted', 'PriorityOrder'),
      stickiness: maybe(fc.constant('Client')),
    }),
  }),
);
const providerSpec = fc.record({
  type: fc.constantFrom('OpenAI', 'VLLM', 'Groq', 'OpenAICompatible', 'Cohere'),
  endpoint,
  credentials,
  models: maybe(
    fc.uniqueArray(fc.record({ name: model, upstreamName: maybe(model) }), { selector: (it) => it.name, maxLength: 2 }),
  ),
  attributes: maybe(labels),
  tls: rarely(
    fc.record({
      caCertificateRef: fc.record({ kind: fc.constantFrom('ConfigMap', 'Secret'), name, key: fc.constant('key') }),
    }),
  ),
  limits: rarely(limits),
});

const target = fc.oneof(
  fc.record({ providerRef: fc.record({ name, namespace: maybe(namespace) }), model: maybe(model) }),
  fc.record({ routeRef: fc.record({ name }) }),
);
const backend = fc
  .tuple(
    fc.constantFrom('one', 'two', 'three'),
    target,
    fc.record({ weight: maybe(fc.nat(3)), priority: maybe(fc.nat(2)) }),
  )
  .map(([own, where, rest]) => ({ name: own, ...where, ...rest }));
const backends = fc.uniqueArray(backend, { selector: (it) => it.name, minLength: 1, maxLength: 3 });
const match = fc.oneof(
  fc.record({ tenant: namespace }),
  fc.record({ headers: fc.constant([{ name: 'X-Team', value: 'a' }]) }),
  fc.record({ keySelector: selector }),
  fc.record({ cel: fc.constantFrom('request.stream', 'request.headers["x"] == "1"', 'no such thing') }),
  fc.record({ tenant: namespace, cel: fc.constantFrom('request.stream', 'no such thing') }),
);
const failover = fc.record(
  {
    fallbackRouteRef: fc.record({ name }),
    fallbacks: fc.array(fc.record({ class: fc.constantFrom('ContextLength'), routeRef: fc.record({ name }) }), {
      maxLength: 1,
    }),
    statusCodes: fc.constantFrom([404], ['4xx', '201-599']),
    disable: fc.constantFrom({}, { seconds: 0 }, { maxSeconds: 30 }, { probeSeconds: 5 }),
  },
  { requiredKeys: [] },
);
const rule = fc.record({
  matches: fc.array(match, { minLength: 1, maxLength: 2 }),
  backends,
  strategy: fc.constantFrom('Random', 'RoundRobin', 'Weighted', 'LeastBusy'),
  failover: maybe(failover),
});
const routeSpec = fc
  .record({
    path: maybe(fc.constantFrom('/x', '/x/y', '/z')),
    models: fc.uniqueArray(fc.record({ name: model, type: fc.constantFrom('Exact', 'Prefix') }), {
      selector: (it) => it.name,
      maxLength: 2,
    }),
    access: fc.constantFrom(
      {},
      { mode: 'Anonymous' },
      { namespaces: { from: 'All' } },
      { namespaces: { from: 'Selector', selector: {} } },
    ),
    rules: fc.array(rule, { minLength: 1, maxLength: 3 }),
    prompt: rarely(fc.constant({ language: 'de' })),
  })
  .map((spec) => ({ ...spec, rules: spec.rules.map((it, index) => ({ ...it, name: `rule-${index}` })) }));

const secretRef = fc.record({ name, key: fc.constantFrom('key', 'key', 'key', 'other') });
const upstreamSpec = fc.record({
  type: fc.constant('Upstream'),
  state: maybe(fc.constantFrom('Enabled', 'Disabled')),
  expirationTime: maybe(day),
  secretRef,
  upstream: fc.record({ providerRef: fc.record({ name }), weight: maybe(fc.nat(3)) }),
  limits: rarely(limits),
});
const client = fc.record({
  tenant: maybe(fc.constantFrom('a', 'shop')),
  models: fc.constantFrom(['*'], ['gpt*', 'llama']),
});
const clientSpec = fc.oneof(
  fc.record({
    type: fc.constant('Client'),
    state: maybe(fc.constant('Disabled')),
    expirationTime: maybe(day),
    secretRef,
    client,
  }),
  fc.record({
    type: fc.constant('Client'),
    client: fc.tuple(client, name).map(([it, secretName]) => ({ ...it, generate: { secretName } })),
  }),
);

/** Every secret of every world begins so; two Secrets may hold the same one. */
export const canary = 'CANARY-';
const secretValue = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(`${canary}1`, `${canary}2`, `${canary}3`, `  ${canary}4\n`) },
  { weight: 1, arbitrary: fc.constantFrom('', `${canary}two\nlines`) },
);
const grantSpec = fc.record({
  from: namespace.map((it) => [{ group: 'sluice.dev', kind: 'LLMRoute', namespace: it }]),
  to: maybe(name).map((it) => [
    { group: 'sluice.dev', kind: 'LLMProvider', ...(it === undefined ? {} : { name: it }) },
  ]),
});

const of = (kind: string, spec: fc.Arbitrary<object>) => fc.record({ kind: fc.constant(kind), metadata, spec });
const manifest: fc.Arbitrary<Manifest> = fc.oneof(
  { weight: 3, arbitrary: of('LLMProvider', providerSpec) },
  { weight: 4, arbitrary: of('LLMRoute', routeSpec) },
  { weight: 2, arbitrary: of('LLMKey', upstreamSpec) },
  { weight: 2, arbitrary: of('LLMKey', clientSpec) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('Secret'),
      metadata: fc.record({
        name,
        namespace,
        labels: fc.constantFrom({ 'sluice.dev/credential': 'true' }, { 'sluice.dev/credential': 'true' }, {}),
        annotations: fc.record({ 'sluice.dev/previous-until': day }, { requiredKeys: [] }),
        ownerReferences: fc.array(
          fc.record({ name, namespace }).map((it) => ({ uid: uidOf(it) })),
          { maxLength: 3 },
        ),
      }),
      stringData: fc.record({ key: secretValue, previous: secretValue }, { requiredKeys: ['key'] }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('ConfigMap'), metadata, data: fc.constant({ key: 'no certificate' }) }),
  },
  {
    weight: 1,
    arbitrary: of(
      'Service',
      fc.record({ ports: fc.constant([{ port: 80 }]), type: maybe(fc.constant('ExternalName')) }),
    ),
  },
  { weight: 1, arbitrary: of('ReferenceGrant', grantSpec) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('Namespace'),
      metadata: fc.record({ name: namespace, labels: fc.constantFrom({}, { 'sluice.dev/tenant': 'shop' }) }),
    }),
  },
);

const settings = fc.record({
  source: fc.constantFrom('cluster' as const, 'files' as const),
  disableSecondsDefault: fc.constantFrom(600, 0, 90.5),
  grantsReadable: fc.boolean(),
});

/** Objects that are in order and fit together: without some of them hardly anything would resolve. */
const sound: readonly Manifest[] = ['x', 'y', 'z'].flatMap((own) => [
  {
    kind: 'LLMProvider',
    metadata: { name: own, namespace: 'a' },
    spec: { type: 'Groq', credentials: { type: own === 'z' ? 'None' : 'KeyPool' } },
  },
  {
    kind: 'LLMKey',
    metadata: { name: own, namespace: 'a' },
    spec: { type: 'Upstream', secretRef: { name: own, key: 'key' }, upstream: { providerRef: { name: 'x' } } },
  },
  {
    kind: 'LLMKey',
    metadata: { name: own, namespace: 'b' },
    spec: { type: 'Client', secretRef: { name: own, key: 'key' }, client: { models: ['*'] } },
  },
  ...['a', 'b'].map((space) => ({
    kind: 'Secret',
    metadata: { name: own, namespace: space, labels: { 'sluice.dev/credential': 'true' } },
    stringData: { key: `${canary}${own}` },
  })),
]);

const idOf = ({ kind, metadata: it }: Manifest): string => `${kind} ${it.namespace} ${it.name}`;

/** What became of an object since something was published last; what is broken no longer parses. */
const fate = fc.constantFrom('same', 'same', 'same', 'same', 'same', 'gone', 'broken');

/** Any world; no two objects of a kind have the same namespace and name. */
export const arbitraryWorld: fc.Arbitrary<World> = fc
  .tuple(
    fc.uniqueArray(manifest, { selector: idOf, minLength: 3, maxLength: 20, size: 'max' }),
    fc.subarray([...sound], { minLength: 6 }),
    settings,
    fc.array(fate, { minLength: 5, maxLength: 20 }),
  )
  .map(([manifests, background, given, fates]) => {
    const taken = new Set(manifests.map(idOf));
    const before = [...manifests, ...background.filter((it) => !taken.has(idOf(it)))];
    const now = before.flatMap((it, index) => {
      const became = fates[index % fates.length];
      if (became === 'gone') return [];
      return became === 'broken' && it.kind.startsWith('LLM') ? [{ ...it, spec: {} }] : [it];
    });
    return toWorld(now, { ...given, published: before });
  });
