// The pickers of all tiers and key pools. They outlive configurations, so that an edit does not start every turn anew.

import type { Provider, Rule, Tier, UpstreamKey } from '../config/snapshot.ts';
import { type Choice, createPicker, type Picker, type PickerStrategy } from './picker.ts';

/** Tiers and pools of an installation number thousands at most; more are leftovers of old configurations. */
const pickersMax = 20_000;

/** Picks inside tiers and pools. */
export class Balancer {
  readonly #random: () => number;
  readonly #pickers = new Map<string, Picker>();

  constructor(random: () => number) {
    this.#random = random;
  }

  /** One of a tier's eligible candidates, by the rule's strategy. */
  pick<C extends Choice>(tier: Tier, rule: Rule, eligible: readonly C[]): C {
    return this.#picker(tier.id, rule.strategy).pick(eligible);
  }

  /** One of a pool's eligible keys, by the provider's strategy. Keys of one priority share by turns. */
  pickKey(provider: Provider, eligible: readonly UpstreamKey[]): UpstreamKey {
    const strategy = provider.config.credentials.keyPool?.strategy ?? 'RoundRobin';
    if (strategy !== 'PriorityOrder') return this.#picker(`${provider.id}#keys`, strategy).pick(eligible);
    const first = Math.min(...eligible.map((key) => key.priority));
    const tier = eligible.filter((key) => key.priority === first);
    return this.#picker(`${provider.id}#keys/${first}`, 'RoundRobin').pick(tier);
  }

  #picker(id: string, strategy: PickerStrategy): Picker {
    const key = `${strategy} ${id}`;
    let picker = this.#pickers.get(key);
    if (picker === undefined) {
      if (this.#pickers.size >= pickersMax) this.#pickers.clear();
      picker = createPicker(strategy, this.#random);
      this.#pickers.set(key, picker);
    }
    return picker;
  }
}
