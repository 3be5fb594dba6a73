// Facts of every sort, also such as never come together, with names of another namespace in all that proxies say.

import fc from 'fast-check';
import type { DiagnosticCondition } from '../../../operator/compile/diagnostic.ts';
import { diagnosticReasons } from '../../../operator/compile/diagnostic.ts';
import type { KeyFacts, ObjectFacts, ProviderFacts, RouteFacts } from '../../../operator/status/facts.ts';
import type { DisabledTarget, ProxyReport } from '../../../operator/status/proxy-report.ts';
import { diagnostic } from './facts-of.ts';

/** Stands in names and reasons of another namespace, and nowhere else. */
export const foreign = 'foreign';

const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const text = fc.string({ unit: 'binary', maxLength: 400 });

const diagnostics = fc.array(
  fc
    .constantFrom(...(Object.keys(diagnosticReasons) as DiagnosticCondition[]))
    .chain((condition) =>
      fc.record({
        condition: fc.constant(condition),
        reason: fc.constantFrom(...diagnosticReasons[condition]),
        extent: fc.constantFrom('whole', 'part', 'none'),
        field: text,
        message: text,
      }),
    )
    .map(({ condition, reason, ...rest }) => diagnostic(condition, reason, rest)),
  { maxLength: 6 },
);

const revision = fc.integer({ min: 995, max: 1005 });
const reason = fc
  .array(fc.constantFrom('team-a/chat', 'team-a/chat/one', 'team-a/x', `${foreign}/x`, 'is', 'odd:', '. ', '/'), {
    maxLength: 6,
  })
  .map((words) => words.join(' '));

const disabledTarget: fc.Arbitrary<DisabledTarget> = fc.record({
  kind: fc.constantFrom('backend', 'key'),
  id: fc.constant('team-a/chat'),
  hard: fc.boolean(),
  reason: fc.constantFrom('Authentication', 'Permission', 'Quota', 'RateLimit', 'Timeout', 'Manual', 'Curse'),
  until: maybe(fc.constantFrom('2026-06-01T12:15:00Z', '2026-06-01T12:15:00.123Z')),
});

const proxy: fc.Arbitrary<ProxyReport> = fc.record({
  proxy: fc.constantFrom('proxy-0', 'proxy-1', 'proxy-2'),
  revision: maybe(revision),
  refusal: maybe(fc.record({ revision: maybe(revision), reasons: fc.array(reason, { maxLength: 3 }) })),
  disabled: fc.constant([]),
});

const publication: fc.Arbitrary<ObjectFacts['publication']> = fc.oneof(
  fc.constant({ type: 'absent' } as const),
  fc.record({ type: fc.constant('published' as const), since: revision }),
  fc.record({ type: fc.constant('too-large' as const), message: text }),
);

const objectFacts = fc.record({
  id: fc.constant('team-a/chat'),
  generation: fc.integer({ min: 1, max: 3 }),
  previous: fc.constant([]),
  diagnostics: fc.option(diagnostics, { nil: undefined, freq: 8 }),
  publication,
  proxies: fc.uniqueArray(proxy, { selector: (it) => it.proxy, maxLength: 3 }),
  now: fc.integer({ min: 0, max: 59 }).map((second) => `2026-06-01T12:00:${String(second).padStart(2, '0')}Z`),
});

const keys = fc
  .tuple(fc.nat(200_000), fc.nat(200_000))
  .map(([one, other]) => ({ usable: Math.min(one, other), total: Math.max(one, other) }));

/** Facts about a provider. */
export const arbitraryProvider: fc.Arbitrary<ProviderFacts> = fc
  .tuple(objectFacts, fc.constantFrom('KeyPool', 'KeyPool', 'None', 'Passthrough', 'Workload'), keys)
  .map(([facts, credentials, counted]) => ({ ...facts, credentials, keys: counted }));

const names = fc.uniqueArray(fc.stringMatching(/^[a-z][a-z0-9]{0,20}$/), { maxLength: 80 });

/** Facts about a route. */
export const arbitraryRoute: fc.Arbitrary<RouteFacts> = fc
  .tuple(objectFacts, names, fc.infiniteStream(fc.tuple(fc.boolean(), maybe(disabledTarget))), fc.array(text), names)
  .map(([facts, backends, fates, models, strategies]) => {
    const served = new Set<string>();
    const disabled = new Map<string, DisabledTarget>();
    for (const name of backends) {
      const [serves, target] = fates.next().value;
      if (serves) served.add(name);
      if (target !== undefined) disabled.set(name, target);
    }
    return { ...facts, backends, served, disabled, models, strategies };
  });

/** Facts about a key. */
export const arbitraryKey: fc.Arbitrary<KeyFacts> = fc
  .tuple(
    objectFacts,
    fc.record({
      type: fc.constantFrom('Upstream', 'Client'),
      tenant: maybe(fc.constant('team-a')),
      secretName: maybe(fc.constant('made')),
      lastRotationTime: maybe(fc.constant('2026-05-01T12:00:00Z')),
      disabled: maybe(disabledTarget),
      exhaustedBudgets: fc.array(fc.constantFrom('daily', 'monthly'), { maxLength: 2 }),
      generationProblem: maybe(text),
    }),
  )
  .map(([facts, rest]) => ({ ...facts, ...rest }));
