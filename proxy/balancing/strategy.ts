// The strategies that this version has, by name.

/** Strategies that decide when they are asked, from what they know here. */
export type PickerStrategy =
  | 'Random'
  | 'RoundRobin'
  | 'Weighted'
  | 'LeastUsed'
  | 'LeastBusy'
  | 'LeastLatency'
  | 'DynamicWeighted'
  | 'Cheapest'
  | 'Affinity'
  | 'FirstAvailable';

const pickerStrategies: ReadonlySet<string> = new Set<PickerStrategy>([
  'Random',
  'RoundRobin',
  'Weighted',
  'LeastUsed',
  'LeastBusy',
  'LeastLatency',
  'DynamicWeighted',
  'Cheapest',
  'Affinity',
  'FirstAvailable',
]);

/** The strategy of a rule, as a picker; undefined where this version has none. */
export function toPickerStrategy(strategy: string): PickerStrategy | undefined {
  return pickerStrategies.has(strategy) ? (strategy as PickerStrategy) : undefined;
}
