// Brings a node up: what can go side by side does.

import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ControlPlaneFacts } from '../client.ts';
import { nodePackages, providePrograms } from '../debian.ts';
import type { Progress } from '../go-build.ts';
import { provideProgramImage } from '../image/program.ts';
import { provideRedisImage, redisImage } from '../image/linked.ts';
import { provideSluiceImage, sluiceImage } from '../image/sluice.ts';
import { type NodePrograms, prepareNodePrograms } from '../programs.ts';
import { type Callers, makeCallers, makeCertificates } from './certificates.ts';
import { makeCgroups } from './cgroups.ts';
import { importImages } from './cluster.ts';
import { dnsManifests } from './dns.ts';
import { clearAway } from './down.ts';
import { makeNamespaces } from './namespaces.ts';
import { connect, freeNumber } from './network.ts';
import { apiServerPort, filesOf, type NodePlace, placeOf } from './place.ts';
import { assertCanCarryNode, assertMayCarryNode } from './requirements.ts';
import {
  dnsAnswers,
  startApiServer,
  startContainerd,
  startControllers,
  type StartingNode,
  startNode,
  writeSettings,
} from './servers.ts';
import { nodeImages } from './settings.ts';
import { type ClusterFacts, recordedNumbers, recordFacts, recordNode, statusOf } from './state.ts';

/** What to bring up. */
export interface UpOptions {
  readonly name: string;
  /** A pinned minor version. */
  readonly kubernetes: string;
  /** Whether the image of this checkout is built and imported, and Redis. */
  readonly withImages: boolean;
  /** Archives of further images. */
  readonly archives: readonly string[];
  readonly progress: Progress;
  /** Aborted, whatever has been made so far goes again. */
  readonly signal: AbortSignal;
}

/** Brings a node up, or finds it up; leaves nothing but logs if it fails. */
export async function bringUp(options: UpOptions): Promise<ClusterFacts> {
  const { name, kubernetes, progress } = options;
  assertMayCarryNode();
  const status = statusOf(name);
  if (status.is === 'up') return status.facts;
  if (status.is === 'starting') throw new Error(`process ${status.by} is bringing ${name} up already`);
  await providePrograms(nodePackages, { cni: true, progress });
  await assertCanCarryNode();
  const programs = await prepareNodePrograms(kubernetes, progress);
  assertVisibleInside(programs);
  if (status.is === 'left') {
    progress('clearing away what is left of the one before');
    await clearAway(status.place, status.holder);
  }
  const place = placeOf(name, await freeNumber(name, recordedNumbers()));
  recordNode(place);
  try {
    return await start(place, programs, options);
  } catch (error) {
    const keepLogs = mkdtempSync(join(tmpdir(), `sluice-cluster-${name}-failed-`));
    const left = statusOf(name);
    await clearAway(place, left.is === 'left' ? left.holder : undefined, { keepLogs });
    throw new Error(`${error instanceof Error ? error.message : String(error)}\nThe logs are in ${keepLogs}`, {
      cause: error,
    });
  }
}

async function start(place: NodePlace, programs: NodePrograms, options: UpOptions): Promise<ClusterFacts> {
  const { progress, signal, withImages } = options;
  const built = expected(withImages ? buildImages(progress) : Promise.resolve([]));
  const { node, callers } = await makeNode(place, programs, signal);
  writeSettings(place, callers, node.facts);
  progress('etcd, API server and containerd');
  const hasNodeImages = expected(startContainerd(node).then(() => importNodeImages(node)));
  const hasAllImages = expected(
    hasNodeImages.then(async () => {
      for (const archive of [...(await built), ...options.archives]) await importImages(node.holder, archive);
    }),
  );
  const client = await startApiServer(node);
  await startControllers(node);
  await orAborted(hasNodeImages, signal);
  progress('kubelet, kube-proxy and cluster DNS');
  const isReady = expected(startNode(node, client));
  for (const manifest of dnsManifests(place)) await client.apply(manifest);
  await isReady;
  await dnsAnswers(node);
  progress('images');
  await orAborted(hasAllImages, signal);
  const facts = toClusterFacts(node, withImages ? { sluice: sluiceImage, redis: redisImage } : undefined);
  recordFacts(facts);
  return facts;
}

/** Will be awaited further down; should something else fail before, this one's failure is nobody's. */
function expected<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

/** A build takes minutes, and does not listen. */
async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort);
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** Archives of what the chart installs. */
async function buildImages(progress: Progress): Promise<readonly string[]> {
  const { archive } = await provideSluiceImage(progress);
  return [archive, await provideRedisImage(progress)];
}

/** Everything that must be there before the first server: certificates, namespaces, the link, cgroups. */
async function makeNode(
  place: NodePlace,
  programs: NodePrograms,
  signal: AbortSignal,
): Promise<{ readonly node: StartingNode; readonly callers: Callers }> {
  const files = filesOf(place);
  mkdirSync(files.logs, { recursive: true });
  const certificates = makeCertificates(place);
  certificates.catch(() => {});
  const holder = await makeNamespaces(place, programs.pause);
  recordNode(place, holder);
  await connect(place, holder);
  makeCgroups(place);
  await certificates;
  const callers = makeCallers(place);
  const facts: ControlPlaneFacts = {
    url: `https://${place.nodeAddress}:${apiServerPort}`,
    port: apiServerPort,
    caFile: files.ca.certificate,
    adminKubeconfig: files.adminKubeconfig,
    adminToken: callers.admin.token,
    kubectl: programs.kubectl,
    folder: place.folder,
  };
  return { node: { place, holder, programs, facts, signal }, callers };
}

async function importNodeImages({ holder, programs }: StartingNode): Promise<void> {
  for (const name of ['pause', 'coredns'] as const) {
    await importImages(holder, await provideProgramImage(programs[name], nodeImages[name]));
  }
}

function toClusterFacts(
  { place, holder, programs, facts }: StartingNode,
  images: ClusterFacts['images'],
): ClusterFacts {
  const { logs, varLog } = filesOf(place);
  return {
    ...facts,
    name: place.name,
    kubeconfig: facts.adminKubeconfig,
    helm: programs.helm,
    ...(images === undefined ? {} : { images }),
    nodeAddress: place.nodeAddress,
    hostAddress: place.hostAddress,
    dnsAddress: place.dnsAddress,
    logs,
    podLogs: `${varLog}/pods`,
    holder,
  };
}

/** The node sees its own /var/lib, /var/log and /run, not the machine's. */
function assertVisibleInside(programs: NodePrograms): void {
  const hidden = Object.values(programs).find((path) => /^\/(var\/lib|var\/log|run|var\/run)\//.test(path));
  if (hidden !== undefined) {
    throw new Error(`the node does not see ${hidden}: keep the programs elsewhere, with SLUICE_CLUSTER_CACHE`);
  }
}
