// One installation in a control plane of its own: the operator and three proxies as processes, acting as their service
// accounts, and two upstreams on loopback.

import { startControlPlane, type ControlPlane } from '../../cluster/control-plane.ts';
import { crdManifests } from '../../cluster/crds.ts';
import { install, type Installation } from '../../support/installation.ts';
import { type Program, startProgram } from './program.ts';
import { Publications } from './publications.ts';
import { Statuses } from './statuses.ts';

/** How many proxies there are: as in the chart. */
const proxyCount = 3;

/** A proxy that listens. */
export interface ProxyProgram {
  readonly program: Program;
  /** `HOST:PORT` of its admin port. */
  readonly admin: string;
  readonly url: string;
}

/** An operator that listens. */
export interface OperatorProgram {
  readonly program: Program;
  readonly admin: string;
  /** When its process was started, Unix milliseconds. */
  readonly startedMs: number;
}

/** Where CPU profiles of the operator and of the first proxy go; undefined: none are made. */
export type ProfileFolder = string | undefined;

/** The installation, and everything that is looked at. */
export interface Rig extends AsyncDisposable {
  readonly plane: ControlPlane;
  readonly installation: Installation;
  /** Base URLs of the upstreams. */
  readonly upstreams: readonly [string, string];
  readonly publications: Publications;
  readonly statuses: Statuses;
  readonly proxies: readonly ProxyProgram[];
  /** Starts an operator, to be stopped by whoever starts it or with the rig. `name` names its log. */
  readonly startOperator: (name: string) => Promise<OperatorProgram>;
  /** Starts one more process of any kind. */
  readonly start: (name: string, entry: string, args: readonly string[]) => Promise<Program>;
}

/** Starts everything but the operator. */
export async function startRig(profiles: ProfileFolder): Promise<Rig> {
  const programs: Program[] = [];
  const following = new AbortController();
  const plane = await startControlPlane({ manifests: crdManifests() });
  const stop = async (): Promise<void> => {
    following.abort();
    // The last first: the load before the proxies, the proxies before their upstreams.
    for (const program of programs.toReversed()) await program.stop();
    await plane.stop();
  };
  try {
    const start: Start = async (name, entry, args, nodeArgs = []) => {
      const program = await startProgram({ name, entry, args, nodeArgs, folder: plane.folder });
      programs.push(program);
      return program;
    };
    const installation = await install(plane);
    const upstreams = [await startUpstream(start, 1), await startUpstream(start, 2)] as const;
    const proxies: ProxyProgram[] = [];
    for (let number = 1; number <= proxyCount; number += 1) {
      proxies.push(await startProxy(start, installation, { number, profiles }));
    }
    const { namespace, className } = installation;
    const { signal } = following;
    return {
      plane,
      installation,
      upstreams,
      proxies,
      publications: await Publications.follow(plane, { namespace, name: `sluice-${className}` }, signal),
      statuses: await Statuses.follow(plane, signal),
      startOperator: (name) => startOperator(start, installation, { name, proxies, profiles }),
      start: (name, entry, args) => start(name, entry, args),
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

type Start = (name: string, entry: string, args: readonly string[], nodeArgs?: readonly string[]) => Promise<Program>;

const program = 'deploy/standalone/main.ts';

async function startUpstream(start: Start, number: number): Promise<string> {
  const upstream = await start(`upstream-${number}`, 'test/bench/upstream.ts', []);
  const [, port] = await upstream.says(/^listening (\d+)/m);
  return `http://127.0.0.1:${port}/v1`;
}

async function startProxy(
  start: Start,
  { namespace, className, proxyKubeconfig }: Installation,
  { number, profiles }: { readonly number: number; readonly profiles: ProfileFolder },
): Promise<ProxyProgram> {
  const args = [
    ['--class', className],
    ['--watch', `${namespace}/sluice-${className}`],
    ['--kubeconfig', proxyKubeconfig],
    ['--listen', '127.0.0.1:0'],
    ['--admin', '127.0.0.1:0'],
    // Where the upstreams are.
    ['--allow-endpoint-cidr', '127.0.0.0/8'],
    ['--drain-seconds', '5'],
  ].flat();
  const name = `proxy-${number}`;
  const proxy = await start(name, program, ['proxy', ...args], number === 1 ? profileArgs(profiles, name) : []);
  const [, data, admin = ''] = await proxy.says(/"data":"([^"]+)","admin":"([^"]+)","msg":"listening"/);
  return { program: proxy, admin, url: `http://${data}` };
}

async function startOperator(
  start: Start,
  { namespace, className, operatorKubeconfig }: Installation,
  {
    name,
    proxies,
    profiles,
  }: {
    readonly name: string;
    readonly proxies: readonly ProxyProgram[];
    readonly profiles: ProfileFolder;
  },
): Promise<OperatorProgram> {
  const args = [
    ['--class', className],
    ['--install-namespace', namespace],
    ['--kubeconfig', operatorKubeconfig],
    ['--proxy-admin', proxies.map(({ admin }) => admin).join(',')],
    ['--admin', '127.0.0.1:0'],
  ].flat();
  const startedMs = Date.now();
  const operator = await start(name, program, ['operator', ...args], profileArgs(profiles, name));
  const [, admin = ''] = await operator.says(/"admin":"([^"]+)".*"msg":"listening"/);
  return { program: operator, admin, startedMs };
}

function profileArgs(folder: ProfileFolder, name: string): readonly string[] {
  if (folder === undefined) return [];
  return ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-name=${name}.cpuprofile`];
}
