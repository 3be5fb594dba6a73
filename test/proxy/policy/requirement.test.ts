import { describe, expect, test } from 'vitest';
import type { ModelConfig, RuleConfig } from '../../../proxy/config/schema.ts';
import { compileSnapshot } from '../../../proxy/config/snapshot-compile.ts';
import { backend, configOf, provider, route, rule } from '../../support/config.ts';

type Requirement = RuleConfig['require'][number];
type Attribute = NonNullable<Requirement['attribute']>;

/** Why a backend of a provider with these attributes and prices is left out, if it is. */
function exclusion(
  require: readonly Requirement[],
  attributes: Readonly<Record<string, string>> = {},
  price?: ModelConfig['price'],
): string | undefined {
  const model = { name: 'm', upstreamName: 'm', ...(price === undefined ? {} : { price }) };
  const { config, credentials } = configOf({
    providers: [provider('p', 'https://models.example', { attributes, models: [model] })],
    routes: [route('r', [rule([backend('p', { model: 'm' })], { require: [...require] })])],
  });
  const [compiled] = compileSnapshot(config, credentials).routes.get('default/r')?.rules ?? [];
  expect(compiled?.tiers).toHaveLength(compiled?.excluded.length === 0 ? 1 : 0);
  return compiled?.excluded[0]?.reason;
}

function attribute(name: string, operator: Attribute['operator'], ...values: string[]): Requirement {
  return { attribute: { name, operator, values } };
}

test('nothing required excludes nothing', () => {
  expect(exclusion([])).toBeUndefined();
});

describe('an attribute', () => {
  const eu = { residency: 'eu' };

  test.each([
    [attribute('residency', 'In', 'eu', 'ch'), undefined],
    [attribute('residency', 'In', 'us', 'ch'), 'residency must be one of us, ch'],
    [attribute('tier', 'In', 'gold'), 'tier must be one of gold'],
    [attribute('residency', 'NotIn', 'us'), undefined],
    [attribute('residency', 'NotIn', 'us', 'eu'), 'residency must not be eu'],
    [attribute('tier', 'NotIn', 'gold'), undefined],
    [attribute('residency', 'Exists'), undefined],
    [attribute('tier', 'Exists'), 'its provider has no attribute tier'],
  ])('%j: %s', (requirement, reason) => {
    expect(exclusion([requirement], eu)).toBe(reason);
  });

  test('all are asked for, and the first that fails is the reason', () => {
    const both = [attribute('residency', 'In', 'eu'), attribute('tier', 'In', 'gold')];
    expect(exclusion(both, { residency: 'eu', tier: 'gold' })).toBeUndefined();
    expect(exclusion(both, { tier: 'gold' })).toBe('residency must be one of eu');
    expect(exclusion(both, { residency: 'eu' })).toBe('tier must be one of gold');
  });

  test('named constructor is not there by inheritance', () => {
    expect(exclusion([attribute('constructor', 'Exists')])).toBe('its provider has no attribute constructor');
    expect(exclusion([attribute('constructor', 'In', 'yes')])).toBe('constructor must be one of yes');
    expect(exclusion([attribute('constructor', 'NotIn', 'yes')])).toBeUndefined();
    expect(exclusion([attribute('constructor', 'Exists')], { constructor: 'yes' })).toBeUndefined();
    expect(exclusion([attribute('constructor', 'In', 'yes')], { constructor: 'yes' })).toBeUndefined();
    expect(exclusion([attribute('constructor', 'NotIn', 'yes')], { constructor: 'yes' })).toBe(
      'constructor must not be yes',
    );
  });
});

describe('a price cap', () => {
  const price = { inputPerMillion: 2_000_000, outputPerMillion: 8_000_000 };

  test.each([
    [{ inputPerMillion: 2_000_000, outputPerMillion: 8_000_000 }, undefined],
    [{ inputPerMillion: 1_999_999 }, 'its inputPerMillion is above the cap'],
    [{ inputPerMillion: 2_000_000, outputPerMillion: 7_999_999 }, 'its outputPerMillion is above the cap'],
  ])('%j: %s', (maxPrice, reason) => {
    expect(exclusion([{ maxPrice }], {}, price)).toBe(reason);
  });

  test('excludes a model whose price is not known', () => {
    expect(exclusion([{ maxPrice: { inputPerMillion: 0 } }])).toBe('its model has no inputPerMillion');
    expect(exclusion([{ maxPrice: { outputPerMillion: 9 } }], {}, { inputPerMillion: 1 })).toBe(
      'its model has no outputPerMillion',
    );
  });
});
