// What a real proxy and the operator's own code say when Prometheus asks, as series for promtool: counters grow, gauges
// stand still, and each has the labels that Prometheus adds for a pod.

/** A sample of the text format, with the type of its family. */
export interface Sample {
  readonly name: string;
  /** Without braces: `route="team-a/chat"`. */
  readonly labels: string;
  readonly value: number;
  readonly type: string;
}

/** A series of a promtool test. */
export interface InputSeries {
  readonly series: string;
  readonly values: string;
}

/** Reads the text format. */
export function parseExposition(text: string): readonly Sample[] {
  const types = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type = '']) => [name, type]));
  return [...text.matchAll(/^([a-z_]\w*)(?:\{(.*)\})? (\S+)$/gm)].map(([, name = '', labels = '', value]) => {
    const family = types.has(name) ? name : name.replace(/_(bucket|sum|count)$/, '');
    return { name, labels, value: Number(value), type: types.get(family) ?? 'untyped' };
  });
}

/** An hour of samples, one a minute. */
export function toSeries(samples: readonly Sample[], pod: string): readonly InputSeries[] {
  return samples
    .filter(({ value }) => Number.isFinite(value))
    .map(({ name, labels, value, type }) => {
      const own = [`namespace="sluice-system"`, `pod="${pod}"`, `instance="${pod}:9090"`];
      const grows = type === 'counter' || type === 'histogram';
      const all = [...own, ...(labels === '' ? [] : [labels])].join(',');
      return { series: `${name}{${all}}`, values: grows ? `0+${value}x60` : `${value}x60` };
    });
}

/** Names of labels, by metric; what a family has not been asked for yet stands in its TYPE line only. */
export function labelNames(samples: readonly Sample[]): ReadonlyMap<string, ReadonlySet<string>> {
  const known = new Map<string, Set<string>>();
  for (const { name, labels } of samples) {
    const names = known.get(name) ?? new Set(['namespace', 'pod', 'instance']);
    for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) names.add(label);
    known.set(name, names);
  }
  return known;
}
