// Counters, histograms and gauges whose children are plain objects: counting on the request path is an addition, and
// everything that costs (hashing labels, text) happens when a child is made or Prometheus asks. prom-client hashes the
// labels at every increment, which alone would cost more than all other telemetry of a request.

/** One metric with all its children, as Prometheus reads it. */
export interface Family {
  readonly name: string;
  /** Lines of the text format, HELP and TYPE first; nothing if there is nothing to say. */
  lines(): Iterable<string>;
}

/** What a metric is called and which labels its children carry. */
export interface FamilyOptions {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
}

/** One counter. Only ever goes up. */
export class Counter {
  readonly labels: string;
  value = 0;

  constructor(labels: string) {
    this.labels = labels;
  }

  add(amount: number): void {
    this.value += amount;
  }
}

/** One histogram: counts per bucket, not yet cumulative. */
export class Histogram {
  readonly labels: string;
  readonly counts: number[];
  sum = 0;
  readonly #bounds: readonly number[];

  constructor(labels: string, bounds: readonly number[]) {
    this.labels = labels;
    this.#bounds = bounds;
    this.counts = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  observe(value: number): void {
    const bounds = this.#bounds;
    let index = 0;
    while (index < bounds.length && value > (bounds[index] as number)) index += 1;
    this.counts[index] = (this.counts[index] as number) + 1;
    this.sum += value;
  }
}

/** A metric whose children come and go with the configuration. */
export interface ChildFamily<Child> extends Family {
  /** Makes a child, once per set of label values; the caller keeps it. */
  child(...labelValues: readonly string[]): Child;
  /** Takes a child out of the output. */
  remove(child: Child): void;
}

/** Makes a family of counters. */
export function createCounters(options: FamilyOptions): ChildFamily<Counter> {
  return createFamily<Counter>(options, 'counter', {
    create: (labels) => new Counter(labels),
    *write({ labels, value }) {
      yield `${options.name}${braced(labels)} ${value}\n`;
    },
  });
}

/** Makes a family of histograms with the same upper bounds. */
export function createHistograms(
  options: FamilyOptions & { readonly bounds: readonly number[] },
): ChildFamily<Histogram> {
  const { name, bounds } = options;
  return createFamily<Histogram>(options, 'histogram', {
    create: (labels) => new Histogram(labels, bounds),
    *write({ labels, counts, sum }) {
      const prefix = labels === '' ? '' : `${labels},`;
      let total = 0;
      for (const [index, count] of counts.entries()) {
        total += count;
        yield `${name}_bucket{${prefix}le="${bounds[index] ?? '+Inf'}"} ${total}\n`;
      }
      yield `${name}_sum${braced(labels)} ${sum}\n${name}_count${braced(labels)} ${total}\n`;
    },
  });
}

/** One value of a gauge, with the values of its labels. */
export type Sample = readonly [value: number, ...labelValues: readonly string[]];

/** Makes a gauge, or a counter kept elsewhere, that is read when Prometheus asks. */
export function createGauge(
  options: FamilyOptions & { readonly type?: 'gauge' | 'counter'; readonly read: () => Iterable<Sample> },
): Family {
  const { name, labelNames, type = 'gauge', read } = options;
  return {
    name,
    *lines() {
      yield head(options, type);
      for (const [value, ...labelValues] of read())
        yield `${name}${braced(labelText(labelNames, labelValues))} ${value}\n`;
    },
  };
}

/** Finds a child, or makes it: once per key, so `make` may cost something. */
export function reach<Key, Child>(made: Map<Key, Child>, key: Key, make: () => Child): Child {
  const found = made.get(key);
  if (found !== undefined) return found;
  const child = make();
  made.set(key, child);
  return child;
}

function createFamily<Child extends { readonly labels: string }>(
  options: FamilyOptions,
  type: string,
  kind: { create(labels: string): Child; write(child: Child): Iterable<string> },
): ChildFamily<Child> {
  const children = new Set<Child>();
  return {
    name: options.name,
    child(...labelValues) {
      const child = kind.create(labelText(options.labelNames, labelValues));
      children.add(child);
      return child;
    },
    remove(child) {
      children.delete(child);
    },
    *lines() {
      yield head(options, type);
      for (const child of children) yield* kind.write(child);
    },
  };
}

function head({ name, help }: FamilyOptions, type: string): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
}

function braced(labels: string): string {
  return labels === '' ? '' : `{${labels}}`;
}

/** Label pairs as the text format wants them, without the braces. */
function labelText(names: readonly string[], values: readonly string[]): string {
  return names.map((name, index) => `${name}="${escapeLabel(values[index] ?? '')}"`).join(',');
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
