// What a change leaves as it is, is taken over from the configuration in force; the outcome is as if it were all compiled anew.

import { isDeepStrictEqual } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compile } from '../../../operator/compile/compile.ts';
import { type ConfigRefused, parseConfig, parseCredentials } from '../../../proxy/config/parse-config.ts';
import { sameJson } from '../../../proxy/config/same-json.ts';
import { compileSnapshot, type InForce } from '../../../proxy/config/snapshot-compile.ts';
import type { Route, Snapshot } from '../../../proxy/config/snapshot.ts';
import { arbitraryWorld } from '../../operator/compile/arbitrary-world.ts';
import {
  backend,
  type ConfigDraft,
  configOf,
  failover,
  provider,
  route,
  rule,
  upstreamKey,
} from '../../support/config.ts';

type Published = ReturnType<typeof configOf>;

function offer({ config, credentials }: Pick<Published, 'config' | 'credentials'>, before?: InForce): InForce {
  // As it comes: nothing in it is the same object as before.
  const parsed = parseConfig(structuredClone(config), before?.snapshot.config);
  const secrets = parseCredentials(structuredClone(credentials), before?.credentials);
  return { snapshot: compileSnapshot(parsed, secrets, before), credentials: secrets };
}

/** Everything that can be compared: functions are left out, references named. */
function describeSnapshot(snapshot: Snapshot): unknown {
  return JSON.parse(
    JSON.stringify(snapshot, (key, value: unknown) => {
      if (key === 'route' && typeof value === 'object') return (value as Route).id;
      if (value instanceof Map) return [...value];
      return value instanceof Set ? [...value] : value;
    }),
  );
}

/** Routes that others lead to, and which they really are. */
function referred(snapshot: Snapshot): readonly (readonly [Route, Route | undefined])[] {
  const rules = [...snapshot.routes.values()].flatMap(({ rules: own }) => own);
  const candidates = rules.flatMap(({ tiers, fallback }) => [
    ...tiers.flatMap((tier) => tier.candidates),
    ...(fallback === undefined ? [] : [fallback]),
  ]);
  return candidates.flatMap((candidate) =>
    candidate.kind === 'route' ? [[candidate.route, snapshot.routes.get(candidate.route.id)] as const] : [],
  );
}

test('whatever was in force before, the outcome is that of compiling it all', () => {
  let references = 0;
  fc.assert(
    fc.property(fc.array(arbitraryWorld, { minLength: 2, maxLength: 3 }), (worlds) => {
      let inForce: InForce | undefined;
      for (const published of [...worlds, worlds[0]!].map(compile)) {
        inForce = offer(published, inForce);
        const anew = offer(published).snapshot;
        expect(describeSnapshot(inForce.snapshot)).toEqual(describeSnapshot(anew));
        for (const [found, own] of referred(inForce.snapshot)) {
          expect(found).toBe(own);
          references++;
        }
      }
    }),
    { numRuns: 100 },
  );
  expect(references).toBeGreaterThan(0);
});

const draft: ConfigDraft = {
  providers: [provider('p', 'https://one.example'), provider('q', 'https://two.example')],
  upstreamKeys: [upstreamKey('p-key', 'p', 'sk-one-1'), upstreamKey('q-key', 'q', 'sk-two-2')],
  routes: [
    route('to-p', [rule([backend('p')])]),
    route('to-q', [rule([backend('q')])]),
    route('through', [rule([backend('to', { route: 'default/to-p' })])]),
    route('falls', [rule([backend('q')], { failover: failover({ fallbackRoute: 'default/to-p' }) })]),
  ],
};

function changed(over: Partial<ConfigDraft>): readonly string[] {
  const before = offer(configOf(draft));
  const after = offer(configOf({ ...draft, ...over }), before).snapshot;
  return [...after.routes].filter(([id, own]) => own !== before.snapshot.routes.get(id)).map(([id]) => id);
}

/** They lead to routes of one configuration, and are cheap. */
const referring = ['default/through', 'default/falls'];

test('what has not changed is the same', () => {
  expect(changed({})).toEqual(referring);
});

test('a route that has changed is compiled', () => {
  const [first, ...others] = draft.routes!;
  const heavier = route('to-p', [rule([backend('p', { weight: 7 })])]);
  expect(first).not.toEqual(heavier);
  expect(changed({ routes: [heavier, ...others] })).toEqual(['default/to-p', ...referring]);
});

test('so is one whose provider, or the key of it, has changed', () => {
  const moved = [provider('p', 'https://three.example'), provider('q', 'https://two.example')];
  expect(changed({ providers: moved })).toEqual(['default/to-p', ...referring]);
  const renewed = [upstreamKey('p-key', 'p', 'sk-one-1'), upstreamKey('q-key', 'q', 'sk-two-3')];
  expect(changed({ upstreamKeys: renewed })).toEqual(['default/to-q', ...referring]);
});

/** A configuration after which one of two routes, and the key of one of two providers, differs from the one before. */
function byTurns(revision: number): Published {
  const [odd, even] = [Math.ceil(revision / 2), Math.floor(revision / 2)];
  return configOf({
    ...draft,
    upstreamKeys: [upstreamKey('p-key', 'p', `sk-one-${odd}`), upstreamKey('q-key', 'q', `sk-two-${even}`)],
    routes: [
      route('to-p', [rule([backend('p', { weight: odd + 1 })], { failover: failover({ fallbacks: [] }) })]),
      route('to-q', [rule([backend('q', { weight: even + 1 })])]),
    ],
  });
}

test('what no configuration names any more is let go, however long others have been taken over', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const old: WeakRef<object>[] = [];
  let inForce: InForce | undefined;
  for (let revision = 0; revision < 100; revision++) {
    inForce = offer(byTurns(revision), inForce);
    const { routes, providers } = inForce.snapshot;
    old.push(...[...routes.values(), ...providers.values()].map((each) => new WeakRef<object>(each)));
  }
  // Those in force, and no others with their secrets.
  const { routes, providers } = inForce!.snapshot;
  const wanted = routes.size + providers.size;
  const countAlive = (): number => new Set(old.map((each) => each.deref()).filter((each) => each !== undefined)).size;
  let alive = Infinity;
  // In the turn of its WeakRef nothing is collected, and what runs beside this may still have something in its hands.
  for (let attempt = 0; attempt < 20 && alive !== wanted; attempt++) {
    await new Promise((resolve) => setImmediate(resolve));
    collect();
    alive = countAlive();
  }
  expect(alive).toBe(wanted);
});

test('a change that is wrong is refused with every reason, as if nothing had been there before', () => {
  const before = offer(configOf(draft));
  const { config } = configOf(draft);
  const broken = { ...config, revision: -1, routes: [{ ...config.routes[0], rules: 7 }, config.routes[1], null] };
  const reasonsOf = (previous: InForce | undefined): readonly string[] => {
    try {
      parseConfig(broken, previous?.snapshot.config);
      return [];
    } catch (error) {
      return (error as ConfigRefused).reasons;
    }
  };
  expect(reasonsOf(before)).toEqual(reasonsOf(undefined));
  expect(reasonsOf(before).map((reason) => reason.split(':')[0])).toEqual(['revision', 'routes.0.rules', 'routes.2']);
});

/** Without what JSON cannot say. */
const parsed = fc.json().map((text): unknown => JSON.parse(text));

test('values of JSON are the same if they say the same, members in any order', () => {
  fc.assert(
    fc.property(parsed, parsed, (one, other) => {
      expect(sameJson(one, structuredClone(one))).toBe(true);
      expect(sameJson(one, other)).toBe(isDeepStrictEqual(one, other));
    }),
    { numRuns: 500 },
  );
  expect(sameJson({ a: 1, b: [{}] }, { b: [{}], a: 1 })).toBe(true);
  expect(sameJson({ a: undefined }, { b: undefined })).toBe(false);
  expect(sameJson([], {})).toBe(false);
});
