import { describe, expect, test } from 'vitest';
import type { Condition, KeyFacts, RouteFacts } from '../../../operator/status/facts.ts';
import { decideKeyStatus } from '../../../operator/status/key-status.ts';
import { decideRouteStatus } from '../../../operator/status/route-status.ts';
import { findTransitions, type Transition } from '../../../operator/status/transitions.ts';
import { diagnostic, disabledKey, keyFacts, proxyAt, routeFacts, since } from './facts-of.ts';

/** The Events that a series of facts leads to, one list for each step. */
function follow<Facts>(
  decide: (facts: Facts) => { readonly conditions?: readonly object[] | undefined },
  steps: readonly ((previous: readonly Condition[]) => Facts)[],
): readonly (readonly Transition[])[] {
  let previous: readonly Condition[] = [];
  return steps.map((factsAt) => {
    const next = (decide(factsAt(previous)).conditions ?? []) as readonly Condition[];
    const transitions = findTransitions(previous, next);
    previous = next;
    return transitions;
  });
}

const routes = (...steps: readonly Partial<RouteFacts>[]) =>
  follow(
    decideRouteStatus,
    steps.map((step) => (previous: readonly Condition[]) => routeFacts({ previous, ...step })),
  );
const keys = (...steps: readonly Partial<KeyFacts>[]) =>
  follow(
    decideKeyStatus,
    steps.map((step) => (previous: readonly Condition[]) => keyFacts({ previous, ...step })),
  );

const onTheWay = { proxies: [proxyAt(since - 1)] };
const lost = { diagnostics: [diagnostic('ResolvedRefs', 'ProviderNotFound')] };
const partlyLost = { diagnostics: [diagnostic('ResolvedRefs', 'ProviderNotFound', { extent: 'part' })] };
const partlyInvalid = { diagnostics: [diagnostic('Accepted', 'Invalid', { extent: 'part' })] };
const refused = {
  proxies: [proxyAt(since - 1, 'proxy-0', { revision: since, reasons: ['team-a/chat: no'] })],
};

describe('an Event is recorded', () => {
  test('when an object is Ready from the beginning', () => {
    expect(routes({})).toEqual([
      [{ type: 'Normal', reason: 'Ready', action: 'Reconcile', note: 'it is in order, and every proxy serves it' }],
    ]);
  });

  test('once when a condition becomes False, and once when it is True again', () => {
    expect(routes({}, lost, lost, {}, {}).slice(1)).toEqual([
      [
        {
          type: 'Warning',
          reason: 'ProviderNotFound',
          action: 'ResolveReferences',
          note: 'spec.some.field: says ProviderNotFound',
        },
      ],
      [],
      [
        {
          type: 'Normal',
          reason: 'ResolvedRefs',
          action: 'ResolveReferences',
          note: 'all that it refers to is there and may be used',
        },
      ],
      [],
    ]);
  });

  test('once for a reference that takes a part with it, although two conditions say so', () => {
    expect(routes({}, partlyLost)[1]).toMatchObject([{ type: 'Warning', reason: 'ProviderNotFound' }]);
  });

  test('when a part is left out, and when nothing is any more', () => {
    expect(routes({}, partlyInvalid, partlyInvalid, {}).slice(1)).toMatchObject([
      [{ type: 'Warning', reason: 'PartiallyInvalid', action: 'Compile' }],
      [],
      [{ type: 'Normal', reason: 'Ready' }],
    ]);
  });

  test('when a condition is False for another reason', () => {
    const tooLarge = { publication: { type: 'too-large', message: 'too large' } } as const;
    expect(routes(refused, tooLarge)).toMatchObject([
      [{ type: 'Warning', reason: 'RejectedByProxy', action: 'Publish' }],
      [{ type: 'Warning', reason: 'ConfigTooLarge', action: 'Publish' }],
    ]);
  });

  test('for each cause, where two come at once', () => {
    expect(routes({}, { ...lost, ...refused })[1]).toMatchObject([
      { reason: 'ProviderNotFound' },
      { reason: 'RejectedByProxy' },
    ]);
  });

  test('when a provider refuses a key, and when it takes it again', () => {
    expect(keys({}, { disabled: disabledKey('Authentication') }, {}).slice(1)).toMatchObject([
      [{ type: 'Warning', reason: 'AuthenticationFailed', action: 'CheckKey' }],
      [{ type: 'Normal', reason: 'Usable', action: 'CheckKey' }],
    ]);
  });
});

describe('no Event is recorded', () => {
  test('while forms come and go', () => {
    expect(routes(onTheWay, {}, onTheWay, { generation: 4 })).toEqual([[], [], [], []]);
  });

  test('while a Secret is made', () => {
    const waiting = { type: 'Client', diagnostics: [diagnostic('Usable', 'Pending')] } as const;
    expect(keys(waiting, { ...waiting, generationProblem: 'no' }, { type: 'Client' })).toEqual([[], [], []]);
  });

  test('by every object when the last proxy goes, nor when one comes', () => {
    expect(routes({}, { proxies: [] }, {}).slice(1)).toEqual([[], []]);
    expect(routes({}, { proxies: [] }, refused).slice(1)).toMatchObject([[], [{ reason: 'RejectedByProxy' }]]);
  });
});

test('the note of an Event has at most 1024 bytes, as the API server wants', () => {
  const diagnostics = [diagnostic('Accepted', 'Invalid', { message: '→'.repeat(5000) })];
  const [transitions = []] = routes({ diagnostics });
  expect(transitions).toHaveLength(1);
  for (const { note } of transitions) expect(Buffer.byteLength(note)).toBeLessThanOrEqual(1024);
});
