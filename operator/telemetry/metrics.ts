// Metrics of the operator, under the names of controller-runtime and client-go, so that dashboards and alerts which know
// those work. https://book.kubebuilder.io/reference/metrics-reference

import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { DropCause } from '../events/event-sender.ts';
import type { RequestObserver } from '../kube/client.ts';
import type { ControllerObserver } from '../queue/controller.ts';
import type { QueueObserver, WorkQueue } from '../queue/work-queue.ts';

const reconcileSeconds = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.25, 1.5, 1.75, 2,
  2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60,
];
/** From 10 ns, each ten times the one before. */
const queueSeconds = Array.from({ length: 12 }, (_, exponent) => 10 ** (exponent - 8));
const requestSeconds = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 45, 60];
const results = ['success', 'error', 'requeue', 'requeue_after'] as const;

/** Facts about the whole installation, as of the moment of a scrape. */
export interface OperatorFacts {
  readonly revision: number | undefined;
  /** Objects by kind and by whether they are ready. */
  readonly objects: readonly { readonly kind: string; readonly ready: string; readonly count: number }[];
  /** Ready proxies: those that serve the revision, have refused it, or have not come to it yet. */
  readonly proxies: Readonly<Record<'current' | 'refused' | 'behind', number>>;
}

/** All metrics. */
export interface OperatorMetrics {
  readonly requests: RequestObserver;
  /** Observers of one controller and its queue. */
  controller(name: string, workers: number): ControllerObserver;
  queue(name: string): QueueObserver;
  /** Lets a scrape look into a queue. */
  watchQueue(name: string, queue: WorkQueue): void;
  setLeader(name: string, leads: boolean): void;
  slowPath(name: string): void;
  /** An Event, or the count of one, was not written. */
  eventDropped(cause: DropCause): void;
  expose(): Promise<{ readonly contentType: string; readonly text: string }>;
}

/** Makes all metrics; every series that is known beforehand begins at 0. */
export function createOperatorMetrics(options: {
  readonly host: string;
  readonly version: string;
  readonly facts: () => OperatorFacts;
}): OperatorMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const series = createSeries(registry);
  const buildInfo = gauge(registry, 'sluice_operator_build_info', 'Version of this operator.', ['version']);
  buildInfo.set({ version: options.version }, 1);
  const showFacts = createFactGauges(registry);
  const queues = new Map<string, WorkQueue>();
  createQueueGauges(registry, queues);
  return {
    requests: {
      requestEnded({ method, code, seconds }) {
        series.requests.inc({ code, method, host: options.host });
        series.requestDuration.observe({ verb: method, host: options.host }, seconds);
      },
    },
    controller: (name, workers) => observeController(series, name, workers),
    queue: (name) => observeQueue(series, name),
    watchQueue: (name, queue) => void queues.set(name, queue),
    setLeader(name, leads) {
      series.leader.set({ name }, leads ? 1 : 0);
      series.slowPath.inc({ name }, 0);
    },
    slowPath: (name) => series.slowPath.inc({ name }),
    eventDropped: (cause) => series.eventsDropped.inc({ cause }),
    async expose() {
      showFacts(options.facts());
      return { contentType: registry.contentType, text: await registry.metrics() };
    },
  };
}

function counter<Label extends string>(registry: Registry, name: string, help: string, labelNames: Label[]) {
  return new Counter({ name, help, labelNames, registers: [registry] });
}

function gauge<Label extends string>(registry: Registry, name: string, help: string, labelNames: Label[]) {
  return new Gauge({ name, help, labelNames, registers: [registry] });
}

function histogram<Label extends string>(
  registry: Registry,
  name: string,
  help: string,
  { labelNames, buckets }: { readonly labelNames: Label[]; readonly buckets: number[] },
) {
  return new Histogram({ name, help, labelNames, buckets, registers: [registry] });
}

type Series = ReturnType<typeof createSeries>;

function createSeries(registry: Registry) {
  const reconcile = (name: string): string => `controller_runtime_${name}`;
  const byController: 'controller'[] = ['controller'];
  const ofQueue: ('name' | 'controller')[] = ['name', 'controller'];
  return {
    total: counter(registry, reconcile('reconcile_total'), 'Reconciles by result.', ['controller', 'result']),
    errors: counter(registry, reconcile('reconcile_errors_total'), 'Reconciles that failed.', byController),
    terminal: counter(
      registry,
      reconcile('terminal_reconcile_errors_total'),
      'Reconciles that failed and are not tried again.',
      byController,
    ),
    timeouts: counter(registry, reconcile('reconcile_timeouts_total'), 'Reconciles that took too long.', byController),
    panics: counter(
      registry,
      reconcile('reconcile_panics_total'),
      'Always 0: whatever is thrown is an error here.',
      byController,
    ),
    time: histogram(registry, reconcile('reconcile_time_seconds'), 'Time that reconciles took.', {
      labelNames: byController,
      buckets: reconcileSeconds,
    }),
    concurrent: gauge(
      registry,
      reconcile('max_concurrent_reconciles'),
      'Reconciles that may run at once.',
      byController,
    ),
    active: gauge(registry, reconcile('active_workers'), 'Reconciles that are running.', byController),
    depth: gauge(registry, 'workqueue_depth', 'Keys that are ready.', ['name', 'controller', 'priority']),
    adds: counter(registry, 'workqueue_adds_total', 'Keys that became ready.', ofQueue),
    retries: counter(registry, 'workqueue_retries_total', 'Keys that were added with a delay.', ofQueue),
    waited: histogram(registry, 'workqueue_queue_duration_seconds', 'How long keys were ready before a worker came.', {
      labelNames: ofQueue,
      buckets: queueSeconds,
    }),
    worked: histogram(registry, 'workqueue_work_duration_seconds', 'How long workers had their keys.', {
      labelNames: ofQueue,
      buckets: queueSeconds,
    }),
    requests: counter(registry, 'rest_client_requests_total', 'Requests to the API server.', [
      'code',
      'method',
      'host',
    ]),
    requestDuration: histogram(
      registry,
      'rest_client_request_duration_seconds',
      'Time to the headers of the API server’s answers.',
      { labelNames: ['verb', 'host'], buckets: requestSeconds },
    ),
    leader: gauge(registry, 'leader_election_master_status', 'Whether this replica leads.', ['name']),
    eventsDropped: counter(registry, 'sluice_operator_events_dropped_total', 'Events that were not written.', [
      'cause',
    ]),
    slowPath: counter(registry, 'leader_election_slowpath_total', 'Renewals that had to look at the lease first.', [
      'name',
    ]),
  };
}

function observeController(series: Series, controller: string, workers: number): ControllerObserver {
  for (const result of results) series.total.inc({ controller, result }, 0);
  for (const count of [series.errors, series.terminal, series.timeouts, series.panics]) count.inc({ controller }, 0);
  series.concurrent.set({ controller }, workers);
  series.active.set({ controller }, 0);
  return {
    started: () => series.active.inc({ controller }),
    finished({ result, durationMs, terminal, timedOut }) {
      series.active.dec({ controller });
      series.total.inc({ controller, result });
      series.time.observe({ controller }, durationMs / 1000);
      if (result === 'error') series.errors.inc({ controller });
      if (terminal) series.terminal.inc({ controller });
      if (timedOut) series.timeouts.inc({ controller });
    },
  };
}

function observeQueue(series: Series, name: string): QueueObserver {
  const labels = { name, controller: name };
  series.adds.inc(labels, 0);
  series.retries.inc(labels, 0);
  return {
    added: () => series.adds.inc(labels),
    depthChanged: (priority, depth) => series.depth.set({ ...labels, priority: String(priority) }, depth),
    taken: (waitedMs) => series.waited.observe(labels, waitedMs / 1000),
    done: (workedMs) => series.worked.observe(labels, workedMs / 1000),
    retried: () => series.retries.inc(labels),
  };
}

function createQueueGauges(registry: Registry, queues: ReadonlyMap<string, WorkQueue>): void {
  const of = (name: string, help: string, read: (queue: WorkQueue) => number): void => {
    new Gauge({
      name,
      help,
      labelNames: ['name', 'controller'],
      registers: [registry],
      collect() {
        for (const [queueName, queue] of queues) {
          this.set({ name: queueName, controller: queueName }, read(queue) / 1000);
        }
      },
    });
  };
  of('workqueue_unfinished_work_seconds', 'Time spent so far on keys that workers have.', (queue) =>
    queue.unfinishedMs(),
  );
  of('workqueue_longest_running_processor_seconds', 'How long the slowest worker has had its key.', (queue) =>
    queue.longestRunningMs(),
  );
}

/** Returns what shows them: facts are put together once per scrape. */
function createFactGauges(registry: Registry): (facts: OperatorFacts) => void {
  const revisions = gauge(registry, 'sluice_operator_config_revision', 'Revision that was published last.', []);
  const objects = gauge(
    registry,
    'sluice_operator_objects',
    'Objects by kind and by the status of their condition Ready.',
    ['kind', 'ready'],
  );
  const proxies = gauge(
    registry,
    'sluice_operator_proxies',
    'Ready proxies that serve the last revision (current), have refused it, or have not come to it yet (behind), as the leader knows them.',
    ['state'],
  );
  return (facts) => {
    revisions.set(facts.revision ?? 0);
    for (const { kind, ready, count } of facts.objects) objects.set({ kind, ready }, count);
    for (const [state, count] of Object.entries(facts.proxies)) proxies.set({ state }, count);
  };
}
