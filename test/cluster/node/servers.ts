// Starts what a node is made of, and waits until it works.

import { Resolver } from 'node:dns/promises';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { connectControlPlane, type ControlPlaneClient, type ControlPlaneFacts } from '../client.ts';
import { toKubeconfig } from '../kubeconfig.ts';
import type { NodePrograms } from '../programs.ts';
import type { Callers } from './certificates.ts';
import { runInside } from './cluster.ts';
import { type Daemon, startDaemon } from './daemon.ts';
import type { Holder } from './namespaces.ts';
import { filesOf, type NodePlace } from './place.ts';
import {
  containerdToml,
  kubeletArgs,
  kubeletSettings,
  kubeProxyArgs,
  kubeProxySettings,
  networkSettings,
  nodeApiServerArgs,
  nodeControllerManagerArgs,
  nodeEtcdArgs,
  schedulerArgs,
  settingsOf,
} from './settings.ts';

/** A node that is coming up. */
export interface StartingNode {
  readonly place: NodePlace;
  readonly holder: Holder;
  readonly programs: NodePrograms;
  readonly facts: ControlPlaneFacts;
  readonly signal: AbortSignal;
}

/** Two cores may have other things to do. */
const readyWithinMs = 90_000;
const pollMs = 50;

/** Writes the files that the servers read. */
export function writeSettings(place: NodePlace, callers: Callers, facts: ControlPlaneFacts): void {
  const files = settingsOf(place);
  const write = (path: string, content: string | object): void => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content, undefined, 2), { mode: 0o600 });
  };
  write(files.containerd, containerdToml(place));
  write(files.network, networkSettings(place));
  write(files.kubelet, kubeletSettings(place));
  write(files.proxy, kubeProxySettings(place));
  write(files.resolver, '# nothing outside\n');
  for (const [name, { token }] of Object.entries(callers))
    write(files.kubeconfig(name), toKubeconfig(facts, { token }));
  write(facts.adminKubeconfig, toKubeconfig(facts, { token: callers.admin.token }));
}

/** etcd, and the API server on it. */
export async function startApiServer(node: StartingNode): Promise<ControlPlaneClient> {
  const { place, programs, facts } = node;
  const etcd = await start(node, 'etcd', [programs.etcd, ...nodeEtcdArgs(place)]);
  const apiServer = await start(node, 'kube-apiserver', [programs['kube-apiserver'], ...nodeApiServerArgs(place)]);
  const client = connectControlPlane(facts);
  await ready(node, [etcd, apiServer], () => client.request('GET', '/readyz').then(isOk));
  return client;
}

/** What decides where pods run. */
export async function startControllers(node: StartingNode): Promise<void> {
  const { place, programs } = node;
  const controllerManager = [programs['kube-controller-manager'], ...nodeControllerManagerArgs(place)];
  await start(node, 'kube-controller-manager', controllerManager);
  await start(node, 'kube-scheduler', [programs['kube-scheduler'], ...schedulerArgs(place)]);
}

/** What runs containers. */
export async function startContainerd(node: StartingNode): Promise<void> {
  const daemon = await start(node, 'containerd', ['containerd', '--config', settingsOf(node.place).containerd]);
  await ready(node, [daemon], () => runInside(node.holder, ['ctr', '--connect-timeout=1s', 'version']).then(isOk));
}

/** What runs pods, and what leads Services to them; resolves when pods can be scheduled. */
export async function startNode(node: StartingNode, client: ControlPlaneClient): Promise<void> {
  const { place, programs } = node;
  const kubelet = await start(node, 'kubelet', [programs.kubelet, ...kubeletArgs(place)]);
  const proxy = await start(node, 'kube-proxy', [programs['kube-proxy'], ...kubeProxyArgs(place)]);
  await ready(node, [kubelet, proxy], async () => {
    const { status } = await client.request<NodeObject>('GET', `/api/v1/nodes/${place.name}`);
    return status.conditions.some(({ type, status: is }) => type === 'Ready' && is === 'True');
  });
}

interface NodeObject {
  readonly status: { readonly conditions: readonly { readonly type: string; readonly status: string }[] };
}

/** Waits until a look-up through the Service answers: the first of a pod would take five seconds otherwise. */
export async function dnsAnswers(node: StartingNode): Promise<void> {
  const resolver = new Resolver({ timeout: 500, tries: 1 });
  resolver.setServers([node.place.dnsAddress]);
  const name = 'kubernetes.default.svc.cluster.local';
  await ready(node, [], async () => (await resolver.resolve4(name)).includes(node.place.apiServiceAddress));
}

async function start(node: StartingNode, name: string, command: readonly string[]): Promise<Daemon> {
  node.signal.throwIfAborted();
  return startDaemon(node.holder, { name, command, logFile: join(filesOf(node.place).logs, `${name}.log`) });
}

/** Polls; whatever the question rejects with is another no. */
async function ready(node: StartingNode, servers: readonly Daemon[], isReady: () => Promise<boolean>): Promise<void> {
  let last: unknown = 'no';
  for (const deadlineMs = performance.now() + readyWithinMs; performance.now() < deadlineMs;) {
    node.signal.throwIfAborted();
    for (const server of servers) server.assertRunning();
    if (await isReady().catch((error: unknown) => ((last = error), false))) return;
    await delay(pollMs);
  }
  const names = servers.map(({ name }) => name).join(' and ') || 'cluster DNS';
  throw new Error(`${names}: not ready after ${readyWithinMs / 1000} s (${String(last)})`);
}

function isOk(): boolean {
  return true;
}
