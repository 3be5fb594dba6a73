import { describe, expect, it } from 'vitest';
import type { ModelConfig, RuleConfig } from '../../../proxy/config/schema.ts';
import type { Backend, Rule } from '../../../proxy/config/snapshot.ts';
import { compileSnapshot } from '../../../proxy/config/snapshot-compile.ts';
import { backend, configOf, provider, route, rule } from '../../support/config.ts';

type Wish = RuleConfig['prefer'][number];

const eu: Wish = { attribute: { name: 'residency', operator: 'In', values: ['eu'] } };
const cheap: Wish = { maxPrice: { inputPerMillion: 1_000_000 } };
const quick: Wish = { maxFirstContentMillis: 500 };

const providers = {
  near: { residency: 'eu', price: 2_000_000 },
  far: { residency: 'us', price: 500_000 },
  best: { residency: 'eu', price: 500_000 },
  worst: { residency: 'us', price: 3_000_000 },
} as const;

function compiled(settings: Partial<RuleConfig>): { of: Rule; backends: readonly Backend[] } {
  const names = Object.keys(providers);
  const { config, credentials } = configOf({
    providers: Object.entries(providers).map(([name, { residency, price }]) => {
      const model: ModelConfig = { name: 'm', upstreamName: 'm', price: { inputPerMillion: price } };
      return provider(name, 'https://models.example', { attributes: { residency }, models: [model] });
    }),
    routes: [
      route('r', [
        rule(
          names.map((name) => backend(name, { model: 'm' })),
          settings,
        ),
      ]),
    ],
  });
  const snapshot = compileSnapshot(config, credentials);
  const of = snapshot.routes.get('default/r')?.rules[0];
  if (of === undefined) throw new Error('no rule');
  return { of, backends: [...snapshot.backends.values()] };
}

/** Names from the one that is asked first on; those of the same rank together. */
function order(prefer: readonly Wish[], usual: Readonly<Record<string, number>> = {}): string[] {
  const { of, backends } = compiled({ prefer: [...prefer] });
  const byRank = new Map<number, string[]>();
  for (const it of backends) {
    const rank = of.preference?.rankOf(it, usual[it.name]) ?? 0;
    byRank.set(rank, [...(byRank.get(rank) ?? []), it.name]);
  }
  return [...byRank].sort(([a], [b]) => a - b).map(([, names]) => names.join('+'));
}

describe('a preference', () => {
  it('puts those first that fulfil it', () => {
    expect(order([])).toEqual(['near+far+best+worst']);
    expect(order([eu])).toEqual(['near+best', 'far+worst']);
    expect(order([cheap])).toEqual(['far+best', 'near+worst']);
  });

  it('goes by the order of its entries: the first weighs more than all that follow', () => {
    expect(order([eu, cheap])).toEqual(['best', 'near', 'far', 'worst']);
    expect(order([cheap, eu])).toEqual(['best', 'far', 'near', 'worst']);
  });

  it('asks how fast a backend is each time, and lets those be first that nobody has measured', () => {
    expect(order([quick])).toEqual(['near+far+best+worst']);
    expect(order([quick], { near: 900, far: 100 })).toEqual(['far+best+worst', 'near']);
    expect(order([quick, eu], { best: 501, far: 500 })).toEqual(['near', 'far+worst', 'best']);
  });
});

describe('the longest usual time to first content', () => {
  it('is the shortest that the requirements name, and excludes nobody when the configuration is compiled', () => {
    expect(compiled({}).of.firstContentMsMax).toBeUndefined();
    const { of } = compiled({ require: [{ maxFirstContentMillis: 900 }, eu, quick] });
    expect(of.firstContentMsMax).toBe(500);
    expect(of.excluded.map(({ candidate }) => candidate.name)).toEqual(['far', 'worst']);
  });
});
