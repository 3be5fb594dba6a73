// An operator from start to end, in the order of controller-runtime's manager: port, caches, election, controllers; and
// backwards, with the lease given away when nothing is written any more.

import { waitOrAbort } from './clock.ts';
import { type Controllers, startControllers } from './controllers.ts';
import { type Ground, layGround, leaseName, type OperatorContext, type OperatorOptions } from './ground.ts';
import { electorSettings } from './leader/elector.ts';
import { type HealthServer, startHealthServer } from './telemetry/health-server.ts';

/** An operator that runs. */
export interface Operator {
  readonly listening: HealthServer['listening'];
  isLeader(): boolean;
  /** Resolves when it has ended: because it was asked to, or because it lost its lease and must not go on. */
  readonly ended: Promise<'stopped' | 'lost'>;
  /** Finishes what is under way, gives the lease away, and ends. */
  stop(): Promise<void>;
}

/** A leader that has not renewed for its whole lease and this much longer is stuck. */
const renewalToleranceMs = 20_000;
/** Events that cannot be written within this time are not worth waiting for. */
const flushMs = 2_000;
/** How often full caches are looked for when the operator starts. */
const syncPollMs = 20;
/** Caches that were filled so lately need not be read anew. */
const freshMs = 5_000;
/** Who cannot read anew for so long leads with what it has: it is no worse than what the last leader had. */
const refreshMsMax = 10_000;

/** Starts an operator. Rejects if its credentials cannot be read or its port cannot be had; it waits for everything else. */
export async function startOperator(options: OperatorOptions, context: OperatorContext): Promise<Operator> {
  let controllers: Controllers | undefined;
  const ground = layGround(options, context, (isForward) => controllers?.acked(isForward));
  const { sources, elector, metrics, acks, client, clock } = ground;
  const health = await openHealth(ground);
  const reflecting = new AbortController();
  const electing = new AbortController();
  const leading = new AbortController();
  const caches = sources.run(reflecting.signal);
  const name = leaseName(options);
  metrics.setLeader(name, false);

  const run = async (): Promise<'stopped' | 'lost'> => {
    await waitForCaches(ground, electing.signal);
    const filledMs = clock.monotonic();
    const begin = async (): Promise<void> => {
      if (clock.monotonic() - filledMs > freshMs) await readAnew(ground, leading.signal);
      if (!leading.signal.aborted) controllers = startControllers(ground);
    };
    let begun = Promise.resolve();
    const onStartedLeading = (): void => {
      metrics.setLeader(name, true);
      void acks.run(reflecting.signal);
      begun = begin();
      begun.catch(() => electing.abort());
    };
    const end = await elector.run({ onStartedLeading, signal: electing.signal });
    leading.abort();
    metrics.setLeader(name, false);
    // Whoever was asked to stop has stopped them already, unless leadership came in that very moment.
    const stopped = controllers?.stop(0);
    if (end === 'released') await stopped;
    reflecting.abort();
    // Whoever has lost the lease must not finish anything: what is under way is broken off.
    if (end === 'lost') await client.close();
    await Promise.all([begun, stopped, caches]);
    if (end === 'released') await flushEvents(ground);
    await close(ground, health);
    return end === 'lost' ? 'lost' : 'stopped';
  };
  const ended = run();
  return {
    listening: health.listening,
    isLeader: () => elector.isLeader(),
    ended,
    async stop() {
      leading.abort();
      await controllers?.stop();
      electing.abort();
      await ended;
    },
  };
}

/** A replica that has not read everything must not lead: it could publish nothing. */
async function waitForCaches({ sources, clock, log }: Ground, signal: AbortSignal): Promise<void> {
  const startedMs = clock.monotonic();
  while (sources.waiting().length > 0 && !signal.aborted) await waitOrAbort(clock, syncPollMs, signal);
  log.info({ seconds: Math.round(clock.monotonic() - startedMs) / 1000 }, 'everything has been read');
}

/**
 * A replica that has waited for long may have missed something without knowing it, since connections die in silence: it
 * would put an old state in the place of what the last leader has published.
 */
async function readAnew({ sources, clock, log }: Ground, signal: AbortSignal): Promise<void> {
  const startedMs = clock.monotonic();
  const done = new AbortController();
  void sources.refresh().then(() => done.abort());
  await waitOrAbort(clock, refreshMsMax, AbortSignal.any([signal, done.signal]));
  const seconds = Math.round(clock.monotonic() - startedMs) / 1000;
  if (done.signal.aborted) log.info({ seconds }, 'everything has been read anew');
  else if (!signal.aborted) log.warn({ seconds }, 'cannot read everything anew; going on with what is known');
}

async function flushEvents({ events, clock }: Ground): Promise<void> {
  await Promise.race([events.flush(), new Promise<void>((resolve) => clock.setTimer(flushMs, resolve))]);
}

async function close({ events, client, log }: Ground, health: HealthServer): Promise<void> {
  events.stop();
  await client.close();
  await health.close();
  log.info({}, 'the operator has ended');
}

function openHealth({ options, elector, sources, metrics }: Ground): Promise<HealthServer> {
  return startHealthServer({
    ...options.admin,
    health: {
      ping: () => undefined,
      'leader-election'() {
        const ago = elector.renewedAgoMs() ?? 0;
        const late = ago > electorSettings.leaseDurationMs + renewalToleranceMs;
        return late ? `the lease was renewed ${Math.round(ago / 1000)} s ago` : undefined;
      },
    },
    readiness: {
      caches() {
        const waiting = sources.waiting();
        return waiting.length === 0 ? undefined : `not read yet: ${waiting.join(', ')}`;
      },
    },
    metrics: () => metrics.expose(),
  });
}
