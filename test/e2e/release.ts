// A release of the chart in a namespace of its own, with a class of its own, so that many can be on one cluster.

import { randomBytes } from 'node:crypto';
import { chartFolder } from '../charts/helm.ts';
import { eventually } from '../support/eventually.ts';
import type { E2eCluster } from './cluster.ts';

/** A release that is installed. */
export interface Release {
  readonly cluster: E2eCluster;
  readonly namespace: string;
  readonly className: string;
  /** What `helm install` printed. */
  readonly notes: string;
  /** In its namespace. */
  kubectl(args: readonly string[], input?: string): Promise<string>;
  /** Names of its pods that run and are not on their way out. */
  pods(component: 'proxy' | 'operator' | 'redis'): Promise<readonly string[]>;
  /** Takes away the release and its namespace; the definitions stay. */
  remove(): Promise<void>;
}

/** What differs from the usual release. */
export interface ReleaseOptions {
  readonly className?: string;
  readonly chart?: string;
  readonly values?: object;
  /** Install into this one, which must be there. */
  readonly namespace?: string;
  readonly name?: string;
}

/** Long enough for a machine that is busy with others; helm waits until everything is ready. */
const installTimeout = '180s';

/** Values that every release on a cluster of tests needs. */
export function usualValues({ images }: E2eCluster, className: string): object {
  return {
    className,
    image: imageValues(images.sluice),
    redis: { bundled: { image: imageValues(images.redis) } },
    // A machine with two cores carries several releases; nobody waits ten minutes for a stream here.
    operator: { resources: { requests: { cpu: '10m' } } },
    proxy: { resources: { requests: { cpu: '50m' } }, drainSeconds: 60, preStopSeconds: 5 },
  };
}

function imageValues(reference: string): object {
  const colon = reference.lastIndexOf(':');
  return { repository: reference.slice(0, colon), tag: reference.slice(colon + 1) };
}

/** Makes a namespace that lets only pods of the restricted profile in. */
export async function makeNamespace(cluster: E2eCluster): Promise<string> {
  const name = `e2e-${randomBytes(3).toString('hex')}`;
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
  await cluster.kubectl(['apply', '-f', '-'], JSON.stringify(object));
  return name;
}

/** The arguments of helm for a release. */
export function releaseArgs(cluster: E2eCluster, name: string, namespace: string, options: ReleaseOptions): string[] {
  const { className = namespace, chart = chartFolder('sluice'), values = {} } = options;
  const all = merge(usualValues(cluster, className), values);
  const sets = Object.entries(all).map(([key, value]) => `--set-json=${key}=${JSON.stringify(value)}`);
  return [name, chart, `--namespace=${namespace}`, ...sets, '--wait', `--timeout=${installTimeout}`];
}

/** Installs a release and waits until it is ready. */
export async function install(cluster: E2eCluster, options: ReleaseOptions = {}): Promise<Release> {
  const namespace = options.namespace ?? (await makeNamespace(cluster));
  const name = options.name ?? 'sluice';
  const kubectl = (args: readonly string[], input?: string): Promise<string> =>
    cluster.kubectl([`--namespace=${namespace}`, ...args], input);
  const remove = async (): Promise<void> => {
    await cluster.helm(['uninstall', name, `--namespace=${namespace}`, '--ignore-not-found', '--wait=hookOnly']);
    await cluster.kubectl(['delete', 'namespace', namespace, '--wait=false', '--ignore-not-found']);
  };
  try {
    // The definitions are those of whichever release came last.
    const notes = await cluster.helm([
      'install',
      ...releaseArgs(cluster, name, namespace, options),
      '--take-ownership',
    ]);
    return {
      cluster,
      namespace,
      className: options.className ?? namespace,
      notes,
      kubectl,
      pods: (component) => livingPods(kubectl, name, component),
      remove,
    };
  } catch (error) {
    const state = await kubectl(['get', 'pods,events', '-o', 'wide']).catch(String);
    const logs = await kubectl(['logs', '-l', 'app.kubernetes.io/name=sluice', '--tail=20', '--prefix']).catch(String);
    await remove().catch(() => {});
    throw new Error(`${(error as Error).message}\n${state}\n${logs}`, { cause: error });
  }
}

async function livingPods(kubectl: Release['kubectl'], name: string, component: string): Promise<readonly string[]> {
  const selector = `app.kubernetes.io/instance=${name},app.kubernetes.io/component=${component}`;
  const { items } = JSON.parse(await kubectl(['get', 'pods', `--selector=${selector}`, '-o', 'json'])) as {
    readonly items: readonly PodObject[];
  };
  return items
    .filter(({ metadata, status }) => metadata.deletionTimestamp === undefined && status.phase === 'Running')
    .map(({ metadata }) => metadata.name);
}

interface PodObject {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly status: { readonly phase: string };
}

function merge(base: object, over: object): Readonly<Record<string, unknown>> {
  const result: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const before = result[key];
    const areBoth = isPlain(before) && isPlain(value);
    result[key] = areBoth ? merge(before, value) : value;
  }
  return result;
}

function isPlain(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Waits until something is so; looks rarely, as every look is a program that is run. */
export function until(what: string, isSo: () => Promise<boolean>, withinMs = 60_000): Promise<number> {
  return eventually(isSo, withinMs, { everyMs: 100, what });
}
