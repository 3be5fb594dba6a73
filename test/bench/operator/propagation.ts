// How long it takes from a change that a person makes to all three proxies, and to the status that says so.

import { setTimeout as delay } from 'node:timers/promises';
import { Agent } from 'undici';
import { ApiServerError } from '../../cluster/api-request.ts';
import { type Change, type ChangeKind, changeOf, type Place } from './changes.ts';
import type { LoadPlan, LoadResult } from './load.ts';
import { requestsBetween, runsBetween, type Scrape, scrape } from './operator-metrics.ts';
import type { SeenObject } from './collection-watch.ts';
import { findLies } from './proof.ts';
import type { OperatorProgram, Rig } from './rig.ts';
import { Serving } from './serving.ts';
import { loadFor, startLoad } from './steady-load.ts';
import { clientSecret, counts, modelOf, smallWorld } from './small-world.ts';
import { processorSeconds } from './processor.ts';

/** What became of one change; times in milliseconds since its PATCH was sent. */
export interface Propagated {
  readonly kind: ChangeKind;
  readonly answered: number;
  readonly published: number;
  /** The last of the three proxies. */
  readonly served: number;
  /** Undefined where no status tells. */
  readonly stated: number | undefined;
}

/** What the measurement came to. */
export interface PropagationResult {
  readonly changes: readonly Propagated[];
  /** Changes that did not arrive, and proxies that did not do what they said: there should be none. */
  readonly problems: readonly string[];
  readonly quiet: LoadResult;
  readonly during: LoadResult;
  readonly requests: ReadonlyMap<string, number>;
  readonly runs: { readonly runs: number; readonly ms: number };
  readonly seconds: number;
  /** CPU seconds by program, of the time of the changes. */
  readonly cpu: ReadonlyMap<string, number>;
}

/** A change that takes longer has got lost. */
const arriveMsMax = 15_000;
/** Pauses between changes, so that they meet the operator and the proxies at all points of what these do regularly. */
const pauseMsMax = 60;
/** Every route under load, with one key or another. */
const asks: LoadPlan['asks'] = Array.from({ length: counts.routes * counts.clientKeys }, (_, index) => ({
  model: modelOf(`route-${index % counts.routes}`),
  secret: clientSecret(`client-${index % counts.clientKeys}`),
}));

/** Measures. `quietSeconds`: how long the load runs before the first change. */
export async function measurePropagation(
  rig: Rig,
  {
    changes,
    quietSeconds,
    progress,
  }: {
    readonly changes: number;
    readonly quietSeconds: number;
    readonly progress: (line: string) => void;
  },
): Promise<PropagationResult> {
  const { plane, installation, upstreams, statuses, proxies } = rig;
  const namespace = await plane.newNamespace();
  const objects = smallWorld(installation, namespace, upstreams);
  for (const object of objects) await plane.apply(object);
  const operator = await rig.startOperator('operator');
  const resources = objects.filter((object) => (object as { readonly kind: string }).kind.startsWith('LLM')).length;
  const allReady = (): true | undefined => (statuses.count('True') === resources ? true : undefined);
  await statuses.until(allReady, 60_000, `not all of ${resources} resources became ready`);
  progress(`${resources} resources are ready`);
  const quiet = await loadFor(rig, { name: 'load-quiet', asks, seconds: quietSeconds });
  const churn = await startLoad(rig, 'load-during', asks);
  const programs = [operator.program, ...proxies.map(({ program }) => program)];
  const before = await takeFigures(operator, programs);
  const made = await makeChanges(
    rig,
    { namespace, className: installation.className, upstreams },
    { changes, progress },
  );
  const after = await takeFigures(operator, programs);
  const during = await churn.end();
  return {
    ...made,
    quiet,
    during,
    requests: requestsBetween(before.scrape, after.scrape),
    runs: runsBetween(before.scrape, after.scrape, 'configuration'),
    seconds: (after.atMs - before.atMs) / 1000,
    cpu: new Map([...after.cpu].map(([name, seconds]) => [name, seconds - (before.cpu.get(name) ?? 0)])),
  };
}

async function takeFigures(
  { admin }: OperatorProgram,
  programs: readonly OperatorProgram['program'][],
): Promise<{ readonly scrape: Scrape; readonly cpu: ReadonlyMap<string, number>; readonly atMs: number }> {
  return { scrape: await scrape(admin), cpu: await processorSeconds(programs), atMs: performance.now() };
}

async function makeChanges(
  rig: Rig,
  place: Place,
  { changes, progress }: { readonly changes: number; readonly progress: (line: string) => void },
): Promise<Pick<PropagationResult, 'changes' | 'problems'>> {
  const done: Propagated[] = [];
  const problems: string[] = [];
  const agent = new Agent();
  const serving = new Serving();
  for (let number = 0; number < changes; number += 1) {
    const change = changeOf(number, place);
    try {
      done.push(await follow(rig, change, serving));
      problems.push(...(await findLies(rig.proxies, change.proofs, agent)));
    } catch (error) {
      if (error instanceof ApiServerError) throw error;
      problems.push(`change ${number} (${change.kind}): ${error instanceof Error ? error.message : String(error)}`);
    }
    if ((number + 1) % 50 === 0) progress(`${number + 1} of ${changes} changes, ${problems.length} problems`);
    await delay(Math.random() * pauseMsMax);
  }
  await agent.destroy();
  await serving.close();
  return { changes: done, problems };
}

/**
 * Makes one change and waits for it. Changes come one at a time, each after the one before is everywhere: the first revision
 * with another content that is published after the PATCH was sent is the one that holds the change.
 */
async function follow(
  { plane, publications, statuses, proxies }: Rig,
  change: Change,
  serving: Serving,
): Promise<Propagated> {
  const { kind, path, patch, status } = change;
  const { count, digest } = publications;
  statuses.forget();
  const sentMs = Date.now();
  const changed = await plane.request<SeenObject>('PATCH', path, patch, 'application/json-patch+json');
  const answeredMs = Date.now();
  const { revision, atMs } = await publications.next(count, digest, arriveMsMax);
  const servedMs = Math.max(...(await serving.since(proxies, revision, arriveMsMax)));
  const statedMs = status && (await statuses.first(status, changed, arriveMsMax));
  return {
    kind,
    answered: answeredMs - sentMs,
    published: atMs - sentMs,
    served: servedMs - sentMs,
    stated: statedMs === undefined ? undefined : statedMs - sentMs,
  };
}
