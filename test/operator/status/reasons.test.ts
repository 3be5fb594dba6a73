// Every reason that a condition may give, from the facts that lead to it.

import { expect, test } from 'vitest';
import { conditionReasons } from '../../../crds/conditions.ts';
import { llmKeyStatusSchema } from '../../../crds/llm-key.ts';
import { llmProviderStatusSchema } from '../../../crds/llm-provider.ts';
import { llmRouteStatusSchema } from '../../../crds/llm-route.ts';
import type { KeyFacts, ProviderFacts, RouteFacts } from '../../../operator/status/facts.ts';
import { decideKeyStatus, type KeyStatus } from '../../../operator/status/key-status.ts';
import { decideProviderStatus, type ProviderStatus } from '../../../operator/status/provider-status.ts';
import { decideRouteStatus, type RouteStatus } from '../../../operator/status/route-status.ts';
import {
  conditionOf,
  diagnostic,
  disabledKey,
  keyFacts,
  providerFacts,
  proxyAt,
  routeFacts,
  since,
} from './facts-of.ts';

interface Case {
  readonly facts: string;
  readonly status: KeyStatus | ProviderStatus | RouteStatus;
  /** Type, status and reason. */
  readonly says: readonly [string, 'True' | 'False' | 'Unknown', string];
  readonly message: string;
  /** Of Ready; the same, with the same message, where left out. */
  readonly ready?: readonly ['True' | 'False' | 'Unknown', string];
}

const route = (different?: Partial<RouteFacts>): RouteStatus =>
  llmRouteStatusSchema.parse(decideRouteStatus(routeFacts(different)));
const key = (different?: Partial<KeyFacts>): KeyStatus =>
  llmKeyStatusSchema.parse(decideKeyStatus(keyFacts(different)));
const provider = (different?: Partial<ProviderFacts>): ProviderStatus =>
  llmProviderStatusSchema.parse(decideProviderStatus(providerFacts(different)));

const absent = { type: 'absent' } as const;
const unpublished = 'nothing of it is served: see the condition Accepted';

const accepted: readonly Case[] = [
  {
    facts: 'nothing is wrong',
    status: route(),
    says: ['Accepted', 'True', 'Accepted'],
    message: 'it is in order',
    ready: ['True', 'Ready'],
  },
  ...(['Invalid', 'UnsupportedValue', 'Conflicted'] as const).map((reason) => ({
    facts: `the whole route is ${reason}`,
    status: route({ diagnostics: [diagnostic('Accepted', reason)], publication: absent }),
    says: ['Accepted', 'False', reason] as const,
    message: `spec.some.field: says ${reason}`,
  })),
  {
    facts: 'the form has not been compiled',
    status: route({ diagnostics: undefined, publication: absent }),
    says: ['Accepted', 'Unknown', 'Pending'],
    message: 'the operator has not looked at it in this form yet',
  },
];

const resolved: readonly Case[] = [
  {
    facts: 'nothing is wrong',
    status: route(),
    says: ['ResolvedRefs', 'True', 'ResolvedRefs'],
    message: 'all that it refers to is there and may be used',
    ready: ['True', 'Ready'],
  },
  ...(['ProviderNotFound', 'RouteNotFound', 'SecretNotFound', 'SecretKeyMissing', 'ServiceNotFound'] as const).map(
    (reason) => ({
      facts: `no reference leads anywhere: ${reason}`,
      status: route({ diagnostics: [diagnostic('ResolvedRefs', reason)] }),
      says: ['ResolvedRefs', 'False', reason] as const,
      message: `spec.some.field: says ${reason}`,
    }),
  ),
  ...(['RefNotPermitted', 'ModelNotListed'] as const).map((reason) => ({
    facts: `a part is left out: ${reason}`,
    status: route({ diagnostics: [diagnostic('ResolvedRefs', reason, { extent: 'part' })] }),
    says: ['ResolvedRefs', 'False', reason] as const,
    message: `spec.some.field: says ${reason}`,
  })),
  {
    facts: 'the route is not accepted',
    status: route({ diagnostics: [diagnostic('Accepted', 'Conflicted')], publication: absent }),
    says: ['ResolvedRefs', 'Unknown', 'Pending'],
    message: 'its references count once it is accepted',
    ready: ['False', 'Conflicted'],
  },
];

const programmed: readonly Case[] = [
  {
    facts: 'every proxy serves the revision or a later one',
    status: route(),
    says: ['Programmed', 'True', 'Programmed'],
    message: 'every proxy serves it in this form',
    ready: ['True', 'Ready'],
  },
  {
    facts: 'a proxy refused it',
    status: route({
      proxies: [proxyAt(since), proxyAt(since - 1, 'proxy-1', { revision: since, reasons: ['team-a/chat is odd'] })],
    }),
    says: ['Programmed', 'False', 'RejectedByProxy'],
    message: `1 of 2 proxies refused revision ${since} (proxy-1): team-a/chat is odd`,
  },
  {
    facts: 'what holds it cannot be published',
    status: route({ publication: { type: 'too-large', message: 'it takes 9 bytes too many' } }),
    says: ['Programmed', 'False', 'ConfigTooLarge'],
    message: 'it takes 9 bytes too many',
  },
  {
    facts: 'there is no proxy',
    status: route({ proxies: [] }),
    says: ['Programmed', 'False', 'NoProxies'],
    message: 'no proxy is ready, so nothing is served',
  },
  {
    facts: 'a proxy serves an earlier revision',
    status: route({ proxies: [proxyAt(since), proxyAt(since - 1, 'proxy-1')] }),
    says: ['Programmed', 'Unknown', 'Pending'],
    message: '1 of 2 proxies serve it in this form',
  },
  {
    facts: 'nothing of it is published, because it is not accepted',
    status: route({ diagnostics: [diagnostic('Accepted', 'Invalid')], publication: absent }),
    says: ['Programmed', 'Unknown', 'Pending'],
    message: unpublished,
    ready: ['False', 'Invalid'],
  },
];

const partial: readonly Case[] = [
  {
    facts: 'a backend is left out and the rest serves',
    status: route({ diagnostics: [diagnostic('Accepted', 'UnsupportedValue', { extent: 'part' })] }),
    says: ['PartiallyInvalid', 'True', 'PartiallyInvalid'],
    message: 'spec.some.field: says UnsupportedValue',
    ready: ['False', 'PartiallyInvalid'],
  },
];

const keysAvailable: readonly Case[] = [
  {
    facts: 'some key is usable',
    status: provider({ keys: { usable: 1, total: 2 } }),
    says: ['KeysAvailable', 'True', 'KeysAvailable'],
    message: '1 of 2 keys can be used',
    ready: ['True', 'Ready'],
  },
  {
    facts: 'the provider takes no keys',
    status: provider({ credentials: 'None', keys: { usable: 0, total: 0 } }),
    says: ['KeysAvailable', 'True', 'NotRequired'],
    message: 'with credentials None it needs no keys',
    ready: ['True', 'Ready'],
  },
  {
    facts: 'the compiler found no usable key',
    status: provider({
      diagnostics: [diagnostic('KeysAvailable', 'NoUsableKey', { extent: 'none' })],
      keys: { usable: 0, total: 0 },
    }),
    says: ['KeysAvailable', 'False', 'NoUsableKey'],
    message: 'no LLMKey names this provider',
  },
  {
    facts: 'proxies have disabled every key',
    status: provider({ keys: { usable: 0, total: 2 } }),
    says: ['KeysAvailable', 'False', 'NoUsableKey'],
    message: 'no key can be used: see the condition Usable of the LLMKeys that name this provider (2)',
  },
  {
    facts: 'the provider is not resolved',
    status: provider({ diagnostics: [diagnostic('ResolvedRefs', 'ServiceNotFound')], publication: absent }),
    says: ['KeysAvailable', 'Unknown', 'Pending'],
    message: 'its keys count once ResolvedRefs is True',
    ready: ['False', 'ServiceNotFound'],
  },
];

const usable: readonly Case[] = [
  {
    facts: 'nothing is wrong',
    status: key(),
    says: ['Usable', 'True', 'Usable'],
    message: 'it can be used',
    ready: ['True', 'Ready'],
  },
  ...(['Disabled', 'Expired'] as const).map((reason) => ({
    facts: `the key is ${reason}`,
    status: key({ diagnostics: [diagnostic('Usable', reason)], publication: absent }),
    says: ['Usable', 'False', reason] as const,
    message: `spec.some.field: says ${reason}`,
  })),
  ...(['Authentication', 'Permission'] as const).map((reason) => ({
    facts: `proxies disabled it hard: ${reason}`,
    status: key({ disabled: disabledKey(reason) }),
    says: ['Usable', 'False', 'AuthenticationFailed'] as const,
    message: `the provider refuses the key (${reason}); it is tried again at 2026-06-01T12:15:00Z`,
  })),
  {
    facts: 'proxies disabled it hard: Quota',
    status: key({ disabled: disabledKey('Quota', { until: undefined }) }),
    says: ['Usable', 'False', 'QuotaExhausted'],
    message: 'the provider says that the quota of the key is used up',
  },
  {
    facts: 'a budget is used up',
    status: key({ type: 'Client', exhaustedBudgets: ['monthly'] }),
    says: ['Usable', 'False', 'BudgetExhausted'],
    message: 'the budget monthly is used up',
  },
  {
    facts: 'its Secret is still to be made',
    status: key({ type: 'Client', diagnostics: [diagnostic('Usable', 'Pending')], publication: absent }),
    says: ['Usable', 'Unknown', 'Pending'],
    message: 'spec.some.field: says Pending',
    // The message is that of Programmed, which says where to look.
    ready: ['Unknown', 'Pending'],
  },
  {
    facts: 'its Secret could not be made',
    status: key({
      type: 'Client',
      diagnostics: [diagnostic('Usable', 'Pending')],
      generationProblem: 'it is not ours',
    }),
    says: ['Usable', 'Unknown', 'Pending'],
    message: 'it is not ours',
  },
  {
    facts: 'its Secret is not there',
    status: key({ diagnostics: [diagnostic('ResolvedRefs', 'SecretNotFound')], publication: absent }),
    says: ['Usable', 'Unknown', 'Pending'],
    message: 'whether it can be used is known once ResolvedRefs is True',
    ready: ['False', 'SecretNotFound'],
  },
];

const cases = [...accepted, ...resolved, ...programmed, ...partial, ...keysAvailable, ...usable];

for (const { facts, status, says, message, ready: summary } of cases) {
  const [type, verdict, reason] = says;
  const ready = summary ?? [verdict, reason];
  test(`${type} is ${verdict}/${reason} and Ready is ${ready.join('/')} where ${facts}`, () => {
    expect(conditionOf(status, type)).toMatchObject({ status: verdict, reason, message });
    expect(conditionOf(status, 'Ready')).toMatchObject({ status: ready[0], reason: ready[1] });
    if (summary === undefined) expect(conditionOf(status, 'Ready')?.message).toBe(message);
  });
}

test('every reason of every condition has a case above, and no case has another', () => {
  const listed = Object.entries(conditionReasons).flatMap(([type, reasons]) =>
    Object.entries(reasons).flatMap(([status, names]: [string, readonly string[]]) =>
      names.map((name) => `${type} ${status} ${name}`),
    ),
  );
  const tested = cases.flatMap(({ says, ready }) => [
    says.join(' '),
    // What Ready says where it is False is the reason of another condition.
    ...(ready === undefined || ready[0] === 'False' ? [] : [`Ready ${ready.join(' ')}`]),
    ...(ready === undefined && says[1] === 'Unknown' ? [`Ready Unknown ${says[2]}`] : []),
  ]);
  expect(new Set(tested)).toEqual(new Set(listed));
});
