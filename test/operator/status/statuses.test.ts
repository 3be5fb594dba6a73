// What the statuses hold besides verdicts: times, generations, counts, backends.

import { describe, expect, test } from 'vitest';
import { decideKeyStatus } from '../../../operator/status/key-status.ts';
import { decideProviderStatus } from '../../../operator/status/provider-status.ts';
import type { DisabledTarget } from '../../../operator/status/proxy-report.ts';
import { decideRouteStatus } from '../../../operator/status/route-status.ts';
import {
  before,
  conditionOf,
  diagnostic,
  earlier,
  keyFacts,
  now,
  providerFacts,
  proxyAt,
  routeFacts,
  since,
} from './facts-of.ts';

function disabledBackend(name: string, different: Partial<DisabledTarget> = {}): [string, DisabledTarget] {
  const target = { kind: 'backend', id: `team-a/chat/${name}`, hard: false, reason: 'Timeout', until: now } as const;
  return [name, { ...target, ...different }];
}

describe('conditions', () => {
  test('stand in the order in which they are to be mended, with their summary last', () => {
    const diagnostics = [diagnostic('Accepted', 'Invalid', { extent: 'part' })];
    const types = (status: { readonly conditions?: readonly { readonly type: string }[] | undefined }) =>
      status.conditions?.map(({ type }) => type);
    expect(types(decideRouteStatus(routeFacts({ diagnostics })))).toEqual([
      'Accepted',
      'ResolvedRefs',
      'PartiallyInvalid',
      'Programmed',
      'Ready',
    ]);
    expect(types(decideProviderStatus(providerFacts()))).toEqual([
      'Accepted',
      'ResolvedRefs',
      'Programmed',
      'KeysAvailable',
      'Ready',
    ]);
    expect(types(decideKeyStatus(keyFacts()))).toEqual(['Accepted', 'ResolvedRefs', 'Programmed', 'Usable', 'Ready']);
  });

  test('and the status itself name the generation that was looked at', () => {
    const status = decideKeyStatus(keyFacts({ generation: 7 }));
    expect(status.observedGeneration).toBe(7);
    expect(status.conditions?.map(({ observedGeneration }) => observedGeneration)).toEqual([7, 7, 7, 7, 7]);
  });

  test('keep their time where only the reason changes', () => {
    const previous = [before('Programmed', 'False', 'NoProxies'), before('Accepted', 'False', 'Invalid')];
    const status = decideRouteStatus(
      routeFacts({ previous, publication: { type: 'too-large', message: 'too large' } }),
    );
    expect(conditionOf(status, 'Programmed')).toMatchObject({ reason: 'ConfigTooLarge', lastTransitionTime: earlier });
    expect(conditionOf(status, 'Accepted')).toMatchObject({ status: 'True', lastTransitionTime: now });
    expect(conditionOf(status, 'Ready')).toMatchObject({ status: 'False', lastTransitionTime: now });
  });

  test('are not made of those of others', () => {
    const previous = [before('example.com/Audited', 'True')];
    expect(conditionOf(decideRouteStatus(routeFacts({ previous })), 'example.com/Audited')).toBeUndefined();
  });
});

describe('Ready', () => {
  test('gives the reason of the condition that is to be mended first', () => {
    const facts = keyFacts({
      diagnostics: [diagnostic('ResolvedRefs', 'SecretNotFound'), diagnostic('Usable', 'Expired')],
      publication: { type: 'absent' },
    });
    expect(conditionOf(decideKeyStatus(facts), 'Ready')).toMatchObject({ status: 'False', reason: 'SecretNotFound' });
  });

  test('is False where anything is, however much is still unknown', () => {
    const facts = providerFacts({ keys: { usable: 0, total: 1 }, proxies: [proxyAt(since - 1)] });
    expect(conditionOf(decideProviderStatus(facts), 'Ready')).toMatchObject({ status: 'False', reason: 'NoUsableKey' });
  });

  test('is False while a part of a route is left out, so that nobody waits for it in vain and believes it', () => {
    const diagnostics = [diagnostic('Accepted', 'UnsupportedValue', { extent: 'part' })];
    expect(conditionOf(decideRouteStatus(routeFacts({ diagnostics })), 'Ready')).toMatchObject({
      status: 'False',
      reason: 'PartiallyInvalid',
    });
  });
});

describe('the status of a route', () => {
  test('names disabled backends first, with the class of the failure and the time of return', () => {
    const disabled = new Map([disabledBackend('two')]);
    expect(decideRouteStatus(routeFacts({ disabled }))).toMatchObject({
      backends: [
        { name: 'two', state: 'Disabled', reason: 'Timeout', until: now },
        { name: 'one', state: 'Enabled' },
      ],
      summary: { backends: '1/2', models: 'chat-large', strategies: 'Random' },
    });
  });

  test('gives no reason that the schema does not know, and no end where only a person ends it', () => {
    const disabled = new Map([disabledBackend('one', { reason: 'Curse', until: undefined })]);
    expect(decideRouteStatus(routeFacts({ disabled })).backends?.[0]).toEqual({ name: 'one', state: 'Disabled' });
  });

  test('counts backends that are left out, and does not call them disabled', () => {
    const status = decideRouteStatus(
      routeFacts({ served: new Set(['two']), disabled: new Map([disabledBackend('one')]) }),
    );
    expect(status).toMatchObject({ backends: [{ name: 'two', state: 'Enabled' }], summary: { backends: '1/2' } });
  });

  test('has room for 64 backends, and for every disabled one before any other', () => {
    const backends = Array.from({ length: 512 }, (_, index) => `backend-${index}`);
    const disabled = new Map(backends.slice(-60).map((name) => disabledBackend(name)));
    const status = decideRouteStatus(routeFacts({ backends, served: new Set(backends), disabled }));
    expect(status.backends).toHaveLength(64);
    expect(status.backends?.filter(({ state }) => state === 'Disabled')).toHaveLength(60);
    expect(status.summary?.backends).toBe('452/512');
  });

  test('cuts columns where there are many models, and names strategies once', () => {
    const models = Array.from({ length: 64 }, (_, index) => `model-${index}-${'x'.repeat(20)}`);
    const { summary } = decideRouteStatus(routeFacts({ models, strategies: ['Random', 'Weighted', 'Random'] }));
    expect(summary?.models?.length).toBeLessThanOrEqual(256);
    expect(summary?.models).toMatch(/^model-0-x+, .*, and \d+ more$/);
    expect(summary?.strategies).toBe('Random, Weighted');
  });

  test('has no summary where nothing is known of the route', () => {
    const facts = routeFacts({ backends: [], served: new Set(), models: [], strategies: [] });
    expect(Object.keys(decideRouteStatus(facts))).toEqual(['observedGeneration', 'conditions']);
  });
});

test('the status of a provider counts keys only where there is a pool', () => {
  expect(decideProviderStatus(providerFacts({ keys: { usable: 2, total: 3 } }))).toMatchObject({
    keys: { usable: 2, total: 3 },
    summary: { keys: '2/3' },
  });
  expect(Object.keys(decideProviderStatus(providerFacts({ credentials: 'Passthrough' })))).toEqual([
    'observedGeneration',
    'conditions',
  ]);
});

test('the status of a key says whom it proves, where it is and when it was made', () => {
  const facts = keyFacts({ type: 'Client', tenant: 'team-a', secretName: 'made', lastRotationTime: earlier });
  expect(decideKeyStatus(facts)).toMatchObject({ tenant: 'team-a', secretName: 'made', lastRotationTime: earlier });
  expect(Object.keys(decideKeyStatus(keyFacts({ secretName: undefined })))).toEqual([
    'observedGeneration',
    'conditions',
  ]);
});
