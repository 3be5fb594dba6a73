// Metrics: an observer that counts requests and attempts, and the text that Prometheus reads. Label values come from
// the configuration or from closed sets; what a configuration no longer names leaves the output with it.

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AttemptRecord, Observer, Trail } from '../accounting/trail.ts';
import type { Clock } from '../canonical/clock.ts';
import type { GatewayConfig } from '../config/schema.ts';
import type { DisableChange } from '../state/store.ts';
import { createDisableCounters } from './disable-counters.ts';
import { createFactGauges, type FactSources } from './fact-gauges.ts';
import { createRequestFamilies, listFamilies } from './request-families.ts';
import { createSeriesTables, type SeriesTables } from './series-tables.ts';
import { createGauge, type Family } from './series.ts';
import { attemptBefore, attemptOutcome, secondsBetween, secondsToFirstContent } from './trail-facts.ts';

/** Lines written before requests get a turn: less than a millisecond of work. */
const linesPerTurn = 500;

/** What metrics are made of. */
export interface MetricsOptions {
  readonly clock: Clock;
  readonly version: string;
  /** This proxy, as disable entries name it. */
  readonly proxyId: string;
  readonly sources: FactSources;
  /** Writes the metrics of the process (process-metrics.ts); left out, there are none. */
  readonly processMetrics?: () => Promise<string>;
}

/** Text for Prometheus, encoded. */
export interface RenderedMetrics {
  readonly contentType: string;
  readonly body: Buffer;
}

/** Counts everything, and writes it down when asked. */
export interface Metrics {
  readonly observer: Observer;
  /** Names the routes and backends that may have series from now on; all others lose theirs. */
  setConfig(config: GatewayConfig): void;
  /** Counts a configuration that was refused. */
  configRefused(): void;
  /** Listens to the disable book. */
  disableChanged(change: DisableChange): void;
  /** Counts a frame of a stream that was dropped; the backend by its id. */
  malformedFrame(backend: string): void;
  /** Adds a metric of another room. */
  register(family: Family): void;
  /** Everything as text. Simultaneous scrapes share one rendering. */
  render(): Promise<RenderedMetrics>;
}

/** Makes the metrics of one proxy. */
export function createMetrics({ clock, version, proxyId, sources, processMetrics }: MetricsOptions): Metrics {
  const requestFamilies = createRequestFamilies();
  const tables = createSeriesTables(requestFamilies);
  const disables = createDisableCounters(proxyId);
  const facts = createFactGauges(sources);
  const counts = { inFlight: 0, configsApplied: 0, configsRefused: 0 };
  const families: Family[] = [
    ...ownGauges(version, counts),
    ...listFamilies(requestFamilies),
    disables.family,
    ...facts.families,
  ];
  return {
    observer: createObserver({ clock, tables, counts }),
    setConfig(config) {
      counts.configsApplied += 1;
      tables.setConfig(config);
    },
    configRefused() {
      counts.configsRefused += 1;
    },
    disableChanged: (change) => disables.changed(change),
    malformedFrame: (backend) => tables.backend(backend).malformedFrame(),
    register(family) {
      if (families.some(({ name }) => name === family.name)) throw new Error(`There are two metrics ${family.name}.`);
      families.push(family);
    },
    render: sharedWhileRunning(async () => {
      facts.refresh();
      const chunks = await renderFamilies(families);
      if (processMetrics !== undefined) chunks.push(Buffer.from(await processMetrics()));
      return { contentType: 'text/plain; version=0.0.4; charset=utf-8', body: Buffer.concat(chunks) };
    }),
  };
}

/** Gauges and counters of the proxy as a whole. */
interface OwnCounts {
  inFlight: number;
  configsApplied: number;
  configsRefused: number;
}

function ownGauges(version: string, counts: OwnCounts): readonly Family[] {
  return [
    createGauge({
      name: 'sluice_build_info',
      help: 'Always 1; the label names the version that runs.',
      labelNames: ['version'],
      read: () => [[1, version]],
    }),
    createGauge({
      name: 'sluice_requests_in_flight',
      help: 'Requests that have begun and not ended.',
      labelNames: [],
      read: () => [[counts.inFlight]],
    }),
    createGauge({
      name: 'sluice_config_changes_total',
      help: 'Configurations that were applied or refused.',
      labelNames: ['result'],
      type: 'counter',
      read: () => [
        [counts.configsApplied, 'applied'],
        [counts.configsRefused, 'refused'],
      ],
    }),
  ];
}

interface ObserverOptions {
  readonly clock: Clock;
  readonly tables: SeriesTables;
  readonly counts: OwnCounts;
}

function createObserver({ clock, tables, counts }: ObserverOptions): Observer {
  return {
    requestStarted() {
      counts.inFlight += 1;
    },
    attemptStarted(trail: Trail, attempt: AttemptRecord) {
      const before = attemptBefore(trail, attempt);
      if (before !== undefined) tables.route(trail.route).attemptAfter(before, attempt);
      return undefined;
    },
    attemptEnded(_trail: Trail, attempt: AttemptRecord) {
      const series = tables.backend(attempt.backend);
      const seconds = secondsBetween(attempt.startedAtMs, attempt.endedAtMs ?? clock.now());
      series.attemptEnded(attemptOutcome(attempt), seconds);
      const secondsToContent = secondsToFirstContent(attempt);
      if (secondsToContent !== undefined) series.firstContent(secondsToContent);
      if (attempt.failure !== undefined) series.failure(attempt.failure.class);
    },
    requestEnded(trail: Trail) {
      counts.inFlight -= 1;
      const { protocol, status, outcome = 'refused', startedAtMs, endedAtMs, errorCode, attempts } = trail;
      const series = tables.route(trail.route);
      const seconds = secondsBetween(startedAtMs, endedAtMs ?? clock.now());
      series.requestEnded({ protocol, status, outcome, seconds });
      const secondsToContent = secondsToFirstContent(trail);
      if (secondsToContent !== undefined) series.firstContent(secondsToContent);
      if (errorCode !== undefined) series.error(errorCode);
      for (const { backend, usage } of attempts) if (usage !== undefined) tables.backend(backend).usage(usage);
    },
  };
}

/** Turn by turn, and off the heap at once: megabytes of young strings would be copied by the garbage collector. */
async function renderFamilies(families: readonly Family[]): Promise<Buffer[]> {
  const chunks: Buffer[] = [];
  let text = '';
  let lines = 0;
  for (const family of families) {
    for (const line of family.lines()) {
      text += line;
      lines += 1;
      if (lines % linesPerTurn !== 0) continue;
      chunks.push(Buffer.from(text));
      text = '';
      await nextTurn();
    }
  }
  chunks.push(Buffer.from(text));
  return chunks;
}

/** Scrapes need no token: however many come at once, the work is done once. */
function sharedWhileRunning<Result>(run: () => Promise<Result>): () => Promise<Result> {
  let running: Promise<Result> | undefined;
  return () => {
    running ??= run().finally(() => {
      running = undefined;
    });
    return running;
  };
}
