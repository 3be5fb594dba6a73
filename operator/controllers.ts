// The controllers of a leader: which change in which cache makes which key due, and who works on it.

import type { Ground } from './ground.ts';
import { createKeyReconciler } from './keys/key-reconciler.ts';
import { type Controller, createController, type Reconcile } from './queue/controller.ts';
import { createWorkQueue, lowPriority, type WorkQueue } from './queue/work-queue.ts';
import { createConfigurationReconciler } from './reconcile/configuration.ts';
import { createDisabledView } from './reconcile/disabled-targets.ts';
import { keyOf } from './reconcile/ledger.ts';
import { Pools } from './reconcile/pools.ts';
import { createStatusReconciler, type StatusOptions, type StatusReconciler } from './reconcile/status.ts';
import { projectSecret } from './watch/projections.ts';
import type { Resource } from './watch/resource.ts';

/** Statuses written at the same time: the API server takes far more, and each waits a few milliseconds for etcd. */
const statusWorkers = 8;
const keyWorkers = 2;
/** A run that takes longer hangs: each of its requests has a deadline of its own. */
const runMs = 120_000;
/** Statuses are looked at even where nothing has changed: somebody may have written to them. */
const resyncMs = 60_000;

/** Controllers that run. */
export interface Controllers {
  /** Proxies say something new. `isForward`: only that they have gone on to later revisions. */
  acked(isForward: boolean): void;
  stop(graceMs?: number): Promise<void>;
}

/** Starts the controllers. The caches must be full. */
export function startControllers(ground: Ground): Controllers {
  const { sources, ledger, acks, clock } = ground;
  const running: Controller[] = [];
  const start: Start = (name, workers, reconcile) => {
    const [queue, controller] = startController(ground, { name, workers, reconcile });
    running.push(controller);
    return queue;
  };
  const pools = new Pools(sources.keys);
  const generationProblems = new Map<string, string>();
  let publishedMs = Number.NEGATIVE_INFINITY;
  const publishedAgoMs = (): number => clock.monotonic() - publishedMs;
  const [statuses, isDue] = startStatuses(ground, start, { pools, generationProblems, publishedAgoMs });
  const refreshStatus = (priority = 0, concerns: (resource: Resource) => boolean = () => true): void => {
    const all: readonly Resource[] = [...sources.providers.list(), ...sources.routes.list(), ...sources.keys.list()];
    for (const resource of all) {
      if (concerns(resource) && isDue(resource)) statuses.add(keyOf(resource), { priority });
    }
  };
  const onRecorded = (isNew: boolean): void => {
    pools.update(ledger.config, ledger.credentials);
    if (isNew) publishedMs = clock.monotonic();
    if (ledger.config !== undefined) acks.expect(ledger.config.revision);
    refreshStatus();
  };
  const recompile = startConfiguration(ground, start, onRecorded);
  const generated = startGenerated(ground, start, (id, message) => {
    if (message === generationProblems.get(id)) return;
    if (message === undefined) generationProblems.delete(id);
    else generationProblems.set(id, message);
    statuses.add(`LLMKey ${id}`);
  });
  followResources(ground, recompile, generated);
  followPublished(ground, recompile);
  sources.proxies.onChange(() => {
    acks.hurry();
    refreshStatus();
  });
  const resync = startResync(ground, () => refreshStatus(lowPriority));
  return {
    acked(isForward) {
      // The objects were lost together with the memory of their revision, and the clock went back.
      if (acks.served() > (ledger.config?.revision ?? Number.POSITIVE_INFINITY)) recompile();
      // What is said to be programmed stays so when proxies go on: of thousands of objects that is all but a few.
      refreshStatus(0, isForward ? isUnprogrammed : undefined);
    },
    async stop(graceMs) {
      resync.stop();
      await Promise.all(running.map((controller) => controller.stop(graceMs)));
    },
  };
}

function isUnprogrammed({ conditions, generation }: Resource): boolean {
  return !conditions.some(
    ({ type, status, observedGeneration }) =>
      type === 'Programmed' && status === 'True' && observedGeneration === generation,
  );
}

type Start = (name: string, workers: number, reconcile: Reconcile) => WorkQueue;

function startController(
  { clock, log, metrics }: Ground,
  { name, workers, reconcile }: { readonly name: string; readonly workers: number; readonly reconcile: Reconcile },
): readonly [WorkQueue, Controller] {
  const queue = createWorkQueue({ clock, observer: metrics.queue(name) });
  metrics.watchQueue(name, queue);
  const observer = metrics.controller(name, workers);
  const controller = createController({ name, queue, reconcile, workers, clock, log, observer, timeoutMs: runMs });
  controller.start();
  return [queue, controller];
}

function startStatuses(
  ground: Ground,
  start: Start,
  around: Pick<StatusOptions, 'pools' | 'generationProblems' | 'publishedAgoMs'>,
): readonly [WorkQueue, StatusReconciler['isDue']] {
  const { acks, elector, clock } = ground;
  const { reconcile, isDue } = createStatusReconciler({
    ...ground,
    ...around,
    reports: () => acks.reports(),
    disabled: createDisabledView(() => acks.reports()),
    now: () => `${new Date(clock.now()).toISOString().slice(0, 19)}Z`,
    mayWrite: () => elector.isLeader(),
  });
  return [start('status', statusWorkers, reconcile), isDue];
}

/** Returns what makes a new compilation due; the first is. */
function startConfiguration(ground: Ground, start: Start, onRecorded: (isNew: boolean) => void): () => void {
  const { className, disableSecondsDefault } = ground.options;
  const reconcile = createConfigurationReconciler({
    ...ground,
    className,
    disableSecondsDefault,
    served: () => ground.acks.served(),
    onRecorded,
  });
  const queue = start('configuration', 1, reconcile);
  queue.add(className);
  return () => queue.add(className);
}

function startGenerated(
  { client, sources, elector, clock, randomBytes, log }: Ground,
  start: Start,
  onProblem: (id: string, message: string | undefined) => void,
): WorkQueue {
  const reconcile = createKeyReconciler({
    client,
    getKey: (id) => parsedKey(sources.keys.get(id)),
    getSecret: (id) => sources.secrets.get(id),
    readSecret: projectSecret,
    learn: (object) => sources.secrets.learn(object),
    mayWrite: () => elector.isLeader(),
    clock,
    randomBytes,
    problems: { set: onProblem },
    log,
  });
  const queue = start('generated-key', keyWorkers, reconcile);
  for (const key of sources.keys.list()) addGenerated(key, queue, lowPriority);
  return queue;
}

/** Whatever the compiler reads makes a new compilation due, and keys that are generated a look at their Secrets. */
function followResources({ sources }: Ground, recompile: () => void, generated: WorkQueue): void {
  const { providers, routes, keys, secrets, configMaps, services, grants, namespaces } = sources;
  const read = [providers, routes, keys, secrets, configMaps, services, grants, namespaces] as const;
  for (const cache of read) cache.onChange(recompile);
  keys.onChange((_id, after) => {
    if (after !== undefined) addGenerated(after, generated);
  });
  secrets.onChange((_id, after, before) => {
    const { namespace, name } = after ?? before ?? {};
    for (const key of keys.list()) {
      const secretName = parsedKey(key)?.spec.client?.generate?.secretName;
      if (key.namespace === namespace && secretName === name) addGenerated(key, generated);
    }
  });
}

/** What others do to published objects is undone. Own writes come back here too, and are nothing new. */
function followPublished({ sources, publisher }: Ground, recompile: () => void): void {
  for (const cache of [sources.outputs, sources.publishedCredentials]) {
    cache.onChange((_id, after) => {
      if (after === undefined || !publisher.isOwn(after)) recompile();
    });
  }
}

function parsedKey(resource: Resource<'LLMKey'> | undefined) {
  return resource?.parsed.ok === true ? resource.parsed.resource : undefined;
}

function addGenerated(key: Resource<'LLMKey'>, queue: WorkQueue, priority = 0): void {
  if (parsedKey(key)?.spec.client?.generate !== undefined) queue.add(`${key.namespace}/${key.name}`, { priority });
}

function startResync({ clock }: Ground, look: () => void): { stop(): void } {
  let timer = clock.setTimer(resyncMs, again);
  function again(): void {
    look();
    timer = clock.setTimer(resyncMs, again);
  }
  return { stop: () => timer.cancel() };
}
