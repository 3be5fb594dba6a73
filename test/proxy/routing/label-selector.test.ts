import { describe, expect, test } from 'vitest';
import { compileLabelSelector } from '../../../proxy/routing/label-selector.ts';

const labels = { app: 'checkout', tier: 'gold' };

test('an empty selector takes everything', () => {
  expect(compileLabelSelector({})({})).toBe(true);
  expect(compileLabelSelector({ matchLabels: {}, matchExpressions: [] })(labels)).toBe(true);
});

describe('matchLabels', () => {
  test.each([
    [{ app: 'checkout' }, true],
    [{ app: 'checkout', tier: 'gold' }, true],
    [{ app: 'checkout', tier: 'silver' }, false],
    [{ app: 'check' }, false],
    [{ region: 'eu' }, false],
    [{ region: '' }, false],
  ])('%j: %s', (matchLabels, expected) => {
    expect(compileLabelSelector({ matchLabels })(labels)).toBe(expected);
  });
});

describe('matchExpressions', () => {
  test.each([
    ['app', 'In', ['search', 'checkout'], true],
    ['app', 'In', ['search'], false],
    ['region', 'In', ['eu'], false],
    ['app', 'NotIn', ['search'], true],
    ['app', 'NotIn', ['search', 'checkout'], false],
    ['region', 'NotIn', ['eu'], true],
    ['app', 'Exists', undefined, true],
    ['region', 'Exists', undefined, false],
    ['app', 'DoesNotExist', undefined, false],
    ['region', 'DoesNotExist', undefined, true],
  ] as const)('%s %s %j: %s', (key, operator, values, expected) => {
    const expression = { key, operator, ...(values === undefined ? {} : { values: [...values] }) };
    expect(compileLabelSelector({ matchExpressions: [expression] })(labels)).toBe(expected);
  });

  test('must all hold, and matchLabels too', () => {
    const selects = compileLabelSelector({
      matchLabels: { app: 'checkout' },
      matchExpressions: [
        { key: 'tier', operator: 'In', values: ['gold', 'silver'] },
        { key: 'retired', operator: 'DoesNotExist' },
      ],
    });
    expect(selects(labels)).toBe(true);
    expect(selects({ ...labels, app: 'search' })).toBe(false);
    expect(selects({ ...labels, tier: 'bronze' })).toBe(false);
    expect(selects({ ...labels, retired: '' })).toBe(false);
  });
});

describe.each(['constructor', 'toString', '__proto__'])('a label named %s', (key) => {
  const one = (operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist') =>
    compileLabelSelector({ matchExpressions: [{ key, operator, values: ['yes'] }] });
  const own = Object.fromEntries([[key, 'yes']]);

  test('is not there by inheritance', () => {
    expect(one('Exists')({})).toBe(false);
    expect(one('DoesNotExist')({})).toBe(true);
    expect(one('In')({})).toBe(false);
    expect(one('NotIn')({})).toBe(true);
  });

  test('is there if somebody gave it', () => {
    expect(one('Exists')(own)).toBe(true);
    expect(one('DoesNotExist')(own)).toBe(false);
    expect(one('In')(own)).toBe(true);
    expect(one('NotIn')(own)).toBe(false);
    expect(compileLabelSelector({ matchLabels: own })(own)).toBe(true);
    expect(compileLabelSelector({ matchLabels: own })({})).toBe(false);
  });
});
