import { describe, expect, test } from 'vitest';
import { checkKeysAvailable } from '../../../operator/status/keys-available.ts';
import { checkUsable } from '../../../operator/status/usable.ts';
import type { AnyVerdict } from '../../../operator/status/verdict.ts';
import { diagnostic, disabledKey, keyFacts, providerFacts } from './facts-of.ts';

const notAccepted: AnyVerdict = { type: 'Accepted', status: 'False', reason: 'Invalid', message: '' };

describe('an upstream key', () => {
  test('stays usable while it rests', () => {
    for (const reason of ['RateLimit', 'Authentication', 'Permission', 'Quota', 'Manual']) {
      const disabled = disabledKey(reason, { hard: false });
      expect(checkUsable(keyFacts({ disabled }), []).status, reason).toBe('True');
    }
  });

  test('stays usable where a person has disabled it at the proxies for a while', () => {
    expect(checkUsable(keyFacts({ disabled: disabledKey('Manual') }), []).status).toBe('True');
  });

  test('that is switched off is not usable, whatever else is wrong with it', () => {
    const facts = keyFacts({ diagnostics: [diagnostic('Usable', 'Disabled')], disabled: disabledKey('Quota') });
    expect(checkUsable(facts, [notAccepted])).toMatchObject({ status: 'False', reason: 'Disabled' });
  });

  test('that is both switched off and over says both', () => {
    const diagnostics = [diagnostic('Usable', 'Disabled'), diagnostic('Usable', 'Expired')];
    expect(checkUsable(keyFacts({ diagnostics }), [])).toMatchObject({
      reason: 'Disabled',
      message: 'spec.some.field: says Disabled; spec.some.field: says Expired',
    });
  });

  test('that is not accepted says nothing about what proxies found', () => {
    expect(checkUsable(keyFacts({ disabled: disabledKey('Quota') }), [notAccepted])).toMatchObject({
      status: 'Unknown',
      message: 'whether it can be used is known once Accepted is True',
    });
  });

  test('has no budgets, and a client key is shown to no provider', () => {
    expect(checkUsable(keyFacts({ exhaustedBudgets: ['monthly'] }), []).status).toBe('True');
    expect(checkUsable(keyFacts({ type: 'Client', disabled: disabledKey('Quota') }), []).status).toBe('True');
  });
});

describe('a provider', () => {
  test('that takes no keys needs none, whether it is accepted or not', () => {
    const facts = providerFacts({ credentials: 'Passthrough', keys: { usable: 0, total: 0 } });
    expect(checkKeysAvailable(facts, [notAccepted])).toMatchObject({ status: 'True', reason: 'NotRequired' });
  });

  test('has no usable key where the compiler says so, whatever was counted', () => {
    const facts = providerFacts({ diagnostics: [diagnostic('KeysAvailable', 'NoUsableKey')] });
    expect(checkKeysAvailable(facts, []).status).toBe('False');
  });
});
