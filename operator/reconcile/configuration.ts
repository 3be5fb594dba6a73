// Gather, compile, publish: one run for the whole class, whatever it was that changed. Level-based: it looks at how things
// are, never at what has happened.

import type { Compiled } from '../compile/compile.ts';
import { compile } from '../compile/compile.ts';
import type { Clock } from '../clock.ts';
import { NotLeading, type Outcome, type Publisher } from '../apply/publisher.ts';
import { parseConfig, readCredentials, readIndex, readParts } from '../apply/read-back.ts';
import type { Log } from '../log.ts';
import type { OutputNames } from '../watch/output.ts';
import type { Resource } from '../watch/resource.ts';
import type { Sources } from '../watch/sources.ts';
import { gatherWorld } from './gather.ts';
import type { Ledger } from './ledger.ts';

/** What a run needs. */
export interface ConfigurationOptions {
  readonly sources: Sources;
  readonly publisher: Publisher;
  readonly names: OutputNames;
  readonly ledger: Ledger;
  readonly className: string;
  readonly disableSecondsDefault: number;
  readonly clock: Clock;
  readonly log: Log;
  /** The highest revision that any proxy serves; 0 if none does. */
  readonly served: () => number;
  /** Every secret of the configuration, for whoever keeps them out of logs. */
  readonly onSecrets: (secrets: readonly string[]) => void;
  /** After each run, whether or not it published something new: statuses may have changed. */
  readonly onRecorded: (isNew: boolean) => void;
}

/** The next run that is due by the clock alone, at least this far away, so that no clock can make it spin. */
const requeueMsMin = 1_000;

/** What fails for less is a conflict, or an API server that is away for a moment, and nothing to speak of. */
const failingMs = 1_000;

/** Makes the reconcile function of the configuration. */
export function createConfigurationReconciler(options: ConfigurationOptions) {
  const { sources, publisher, ledger, clock, log } = options;
  const publish = createPublishing(options);
  let complaint: string | undefined;
  return async function reconcileConfiguration(): Promise<{ readonly requeueAfterMs?: number }> {
    // Half of what there is would take the other half away from the proxies. Whoever fills the caches asks again.
    if (sources.waiting().length > 0) return {};
    if (ledger.config === undefined) adoptPublished(options);
    const now = clock.now();
    const served = options.served();
    const resources = [...sources.providers.list(), ...sources.routes.list(), ...sources.keys.list()];
    const compiled = compileAll(options, now, served);
    options.onSecrets(compiled.credentials.upstream.map(({ value }) => value));
    const before = ledger.config?.revision;
    const outcome = await publish(resources, compiled, served);
    ledger.record(resources, compiled, outcome);
    const why = outcome.type === 'too-large' ? outcome.message : undefined;
    // Once, not with every change of anything.
    if (why !== undefined && why !== complaint) log.error({ why }, 'the configuration cannot be published');
    complaint = why;
    if (outcome.type === 'published' && outcome.config.revision !== before) logPublished(log, outcome.config);
    options.onRecorded(ledger.config?.revision !== before);
    // Last: what stays is untidy, and nothing more.
    await publisher.prune();
    const due = [nextExpiryMs(compiled, now), outcome.type === 'published' ? outcome.requeueAfterMs : undefined];
    const afterMs = due.filter((ms) => ms !== undefined);
    return afterMs.length === 0 ? {} : { requeueAfterMs: Math.max(requeueMsMin, Math.min(...afterMs)) };
  };
}

function compileAll(
  { sources, publisher, names, ledger, className, disableSecondsDefault }: ConfigurationOptions,
  now: number,
  served: number,
): Compiled {
  const published = readIndex(names, publisher.objects)?.revision ?? 0;
  const lastRevision = Math.max(published, ledger.config?.revision ?? 0, served);
  const settings = { className, disableSecondsDefault, now, published: ledger.config, lastRevision };
  return compile(gatherWorld(sources, settings));
}

/** Publishes; while that goes on failing, objects are told how they stand without it. */
function createPublishing({ publisher, ledger, clock, onRecorded }: ConfigurationOptions) {
  let failingSinceMs: number | undefined;
  return async (resources: readonly Resource[], compiled: Compiled, served: number): Promise<Outcome> => {
    try {
      const outcome = await publisher.publish(compiled.config, compiled.credentials, served);
      failingSinceMs = undefined;
      return outcome;
    } catch (error) {
      failingSinceMs ??= clock.monotonic();
      if (!(error instanceof NotLeading) && clock.monotonic() - failingSinceMs >= failingMs) {
        ledger.record(resources, compiled, { type: 'failed' });
        onRecorded(false);
      }
      throw error;
    }
  };
}

/** An operator that has just started goes on from what another has published. */
function adoptPublished({ names, publisher, ledger }: ConfigurationOptions): void {
  const { objects } = publisher;
  const index = readIndex(names, objects);
  const parts = index && readParts(names, objects, index);
  const config = parts && parseConfig(parts, index);
  const credentials = index && readCredentials(index.credentialsDigest, objects);
  if (config !== undefined && credentials !== undefined) ledger.adopt(config, credentials);
}

function logPublished(
  log: Log,
  { revision, digest, providers, routes, upstreamKeys, clientKeys }: Compiled['config'],
): void {
  const counts = { providers: providers.length, routes: routes.length, keys: upstreamKeys.length + clientKeys.length };
  log.info({ revision, digest, ...counts }, 'configuration published');
}

/** When the next key ends: its status changes then, and its credentials go. */
function nextExpiryMs({ credentials }: Compiled, now: number): number | undefined {
  let next: number | undefined;
  for (const { expiresAt } of [...credentials.upstream, ...credentials.clients]) {
    if (expiresAt !== undefined && expiresAt > now && (next === undefined || expiresAt < next)) next = expiresAt;
  }
  return next === undefined ? undefined : next - now;
}
