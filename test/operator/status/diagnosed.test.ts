import { describe, expect, test } from 'vitest';
import { checkAccepted, checkPartiallyInvalid, checkResolvedRefs } from '../../../operator/status/diagnosed.ts';
import { diagnostic } from './facts-of.ts';

const badBackend = diagnostic('Accepted', 'UnsupportedValue', { extent: 'part', field: 'spec.rules[0].strategy' });
const noProvider = diagnostic('ResolvedRefs', 'ProviderNotFound', { extent: 'part', field: 'spec.rules[1]' });

describe('a route of which a part is left out', () => {
  test('stays Accepted and says which part is invalid', () => {
    const diagnostics = [badBackend];
    expect(checkAccepted({ diagnostics })).toMatchObject({
      status: 'True',
      message: 'it is in order, except for a part that is left out',
    });
    expect(checkResolvedRefs({ diagnostics })).toMatchObject({ status: 'True' });
    expect(checkPartiallyInvalid({ diagnostics })).toMatchObject({
      status: 'True',
      message: 'spec.rules[0].strategy: says UnsupportedValue',
    });
  });

  test('is not resolved while one reference leads nowhere', () => {
    const diagnostics = [badBackend, noProvider];
    expect(checkAccepted({ diagnostics }).status).toBe('True');
    expect(checkResolvedRefs({ diagnostics })).toMatchObject({
      status: 'False',
      reason: 'ProviderNotFound',
      message: 'spec.rules[1]: says ProviderNotFound',
    });
    expect(checkPartiallyInvalid({ diagnostics })?.message).toBe(
      'spec.rules[0].strategy: says UnsupportedValue; spec.rules[1]: says ProviderNotFound',
    );
  });
});

describe('a route of which nothing serves', () => {
  const diagnostics = [badBackend, noProvider].map((finding) => ({ ...finding, extent: 'whole' as const }));

  test('is not partially invalid', () => {
    expect(checkPartiallyInvalid({ diagnostics })).toBeUndefined();
  });

  test('is not so either where some findings are about a part only', () => {
    expect(checkPartiallyInvalid({ diagnostics: [badBackend, diagnostic('Accepted', 'Conflicted')] })).toBeUndefined();
  });

  test('is neither accepted nor resolved, with the reason of the first finding of each', () => {
    expect(checkAccepted({ diagnostics })).toMatchObject({ status: 'False', reason: 'UnsupportedValue' });
    expect(checkResolvedRefs({ diagnostics })).toMatchObject({ status: 'False', reason: 'ProviderNotFound' });
  });
});

test('a problem that leaves nothing out is one all the same', () => {
  const diagnostics = [diagnostic('Accepted', 'Invalid', { extent: 'none' })];
  expect(checkAccepted({ diagnostics })).toMatchObject({ status: 'False', reason: 'Invalid' });
  expect(checkPartiallyInvalid({ diagnostics })).toBeUndefined();
});

test('what is wrong with the use of an object leaves it accepted and resolved', () => {
  const diagnostics = [diagnostic('Usable', 'Disabled'), diagnostic('KeysAvailable', 'NoUsableKey')];
  expect(checkAccepted({ diagnostics }).status).toBe('True');
  expect(checkResolvedRefs({ diagnostics }).status).toBe('True');
});

test('findings beyond what a message holds are counted', () => {
  const diagnostics = Array.from({ length: 100 }, (_, index) =>
    diagnostic('Accepted', 'Invalid', { field: `spec.rules[${index}].name`, message: 'is not a name' }),
  );
  const { message } = checkAccepted({ diagnostics });
  expect(message.length).toBeLessThanOrEqual(1024);
  expect(message).toMatch(/^spec\.rules\[0\]\.name: is not a name; .*; and \d+ more$/);
  const told = message.split('; ').length - 1;
  expect(message.endsWith(`and ${100 - told} more`)).toBe(true);
});

test('a finding about no field in particular is told without one', () => {
  const diagnostics = [diagnostic('Accepted', 'Invalid', { field: '', message: 'is no object' })];
  expect(checkAccepted({ diagnostics }).message).toBe('is no object');
});
