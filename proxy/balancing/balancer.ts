// The pickers of all tiers and key pools. They outlive configurations, so that an edit does not start every turn anew.

import type { ProviderConfig, Strategy } from '../config/schema.ts';
import type { Provider, Rule, Tier, UpstreamKey } from '../config/snapshot.ts';
import { createPicker, type PickerSettings } from './create-picker.ts';
import type { Choice, PickContext, Picker } from './picker.ts';

/** Tiers and pools of an installation number thousands at most; more are leftovers of old configurations. */
const pickersMax = 20_000;

type Stickiness = NonNullable<ProviderConfig['credentials']['keyPool']>['stickiness'];

const stickyTo = {
  None: undefined,
  Conversation: { affinity: { on: 'Conversation' } },
  Client: { affinity: { on: 'Client' } },
} as const;

/** Picks inside tiers and pools. */
export class Balancer {
  readonly #settings: PickerSettings;
  readonly #pickers = new Map<string, Picker>();

  constructor(settings: PickerSettings) {
    this.#settings = settings;
  }

  /** One of a tier's eligible candidates, by the rule's strategy. */
  pick<C extends Choice>(tier: Tier, rule: Rule, eligible: readonly C[], context: PickContext): C {
    return this.#picker(tier.id, rule.strategy).pick(eligible, context, rule);
  }

  /** A backend's usual time to first content in streams, milliseconds; undefined where it has never answered one. */
  usualFirstContentMs(backendId: string, nowMs: number): number | undefined {
    return this.#settings.loads.of(backendId).latency(true).usualMs(nowMs);
  }

  /** One of a pool's eligible keys, by the provider's strategy. Keys of one priority share by turns. */
  pickKey(provider: Provider, eligible: readonly UpstreamKey[], context: PickContext): UpstreamKey {
    const { strategy = 'RoundRobin', stickiness = 'None' } = provider.config.credentials.keyPool ?? {};
    if (strategy !== 'PriorityOrder') {
      return this.#pickKey(`${provider.id}#keys`, strategy, stickiness, eligible, context);
    }
    const first = Math.min(...eligible.map((key) => key.priority));
    const tier = eligible.filter((key) => key.priority === first);
    return this.#pickKey(`${provider.id}#keys/${first}`, 'RoundRobin', stickiness, tier, context);
  }

  /** A conversation, or a client, keeps to its key; what is nobody's goes by the strategy. */
  #pickKey(
    id: string,
    strategy: Strategy,
    stickiness: Stickiness,
    eligible: readonly UpstreamKey[],
    context: PickContext,
  ): UpstreamKey {
    const options = stickyTo[stickiness];
    const isSticky = options !== undefined && context.keyOf(options.affinity) !== undefined;
    return this.#picker(id, isSticky ? 'Affinity' : strategy).pick(eligible, context, options ?? {});
  }

  #picker(id: string, strategy: Strategy): Picker {
    const key = `${strategy} ${id}`;
    let picker = this.#pickers.get(key);
    if (picker === undefined) {
      if (this.#pickers.size >= pickersMax) this.#pickers.clear();
      picker = createPicker(strategy, this.#settings);
      this.#pickers.set(key, picker);
    }
    return picker;
  }
}
