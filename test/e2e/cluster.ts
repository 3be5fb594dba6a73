// The cluster that the suite runs on, and what it is spoken to with: kubectl and helm, as people do, so that any cluster
// will do. `npm run cluster:up` brings one up on this machine; kind and others are given by the environment.

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { afterAll, describe } from 'vitest';
import { findCluster } from '../cluster/node/cluster.ts';
import type { Missing } from '../support/requires.ts';
import { provideClientImage } from './image/client-image.ts';
import { providePrometheusImage } from './image/prometheus-image.ts';

/** A cluster with the images on it. */
export interface E2eCluster {
  readonly images: ClusterImages;
  /** Reference of a Prometheus; built where it has to be, which takes minutes, once. */
  readonly prometheusImage: () => Promise<string>;
  /** Resolves with its output; rejects with what it says if it fails. */
  kubectl(args: readonly string[], input?: string): Promise<string>;
  helm(args: readonly string[]): Promise<string>;
  /** Starts a kubectl that goes on until its input ends. */
  start(args: readonly string[]): RunningKubectl;
}

/** A kubectl that runs. */
export interface RunningKubectl {
  endInput(): void;
  /** Resolves with the first thing that it says. */
  readonly begun: Promise<void>;
  readonly output: Promise<string>;
  /** Rejects if it ends with an error; never resolves. */
  readonly failed: Promise<never>;
}

/** What the cluster can run without asking a registry. */
export interface ClusterImages {
  readonly sluice: string;
  readonly redis: string;
  /** Node with the official client of OpenAI. */
  readonly client: string;
}

/** What a test file may do where there is a cluster. */
export interface RequiredCluster {
  /** To be read inside `describe`, whose tests and hooks run only if there is one. */
  readonly cluster: E2eCluster;
  /** vitest's `describe`, skipped as a whole (hooks too) where there is none. */
  readonly describe: (name: string, body: () => void) => void;
}

const outputBytesMax = 64 * 1024 * 1024;

/**
 * The cluster: that of KUBECONFIG if SLUICE_IMAGE, REDIS_IMAGE and CLIENT_IMAGE say what is on it (with kubectl and helm
 * on the PATH), else the one that `npm run cluster:up` brought up.
 */
export async function requiresCluster(): Promise<RequiredCluster> {
  const cluster = givenCluster() ?? (await ownCluster());
  if (cluster !== undefined) return { cluster, describe: (name, body) => void describe(name, body) };
  const missing: Missing = { tool: 'a cluster', command: 'npm run cluster:up' };
  if (process.env['CI']) throw new Error(`there is no cluster: ${missing.command}`);
  return {
    get cluster(): E2eCluster {
      throw new Error('there is no cluster');
    },
    describe: (name, body) => void describe(name, { skip: true, meta: { missing } }, body),
  };
}

function givenCluster(): E2eCluster | undefined {
  const { KUBECONFIG, SLUICE_IMAGE, REDIS_IMAGE, CLIENT_IMAGE, PROMETHEUS_IMAGE } = process.env;
  if (!KUBECONFIG || !SLUICE_IMAGE || !REDIS_IMAGE || !CLIENT_IMAGE) return undefined;
  const images = { sluice: SLUICE_IMAGE, redis: REDIS_IMAGE, client: CLIENT_IMAGE };
  const programs = { kubeconfig: KUBECONFIG, kubectl: 'kubectl', helm: 'helm' };
  return connect(programs, images, async () => PROMETHEUS_IMAGE || 'docker.io/prom/prometheus:latest');
}

async function ownCluster(): Promise<E2eCluster | undefined> {
  const facts = findCluster();
  if (facts?.images === undefined) return undefined;
  const images = { ...facts.images, client: await provideClientImage(facts) };
  return connect(facts, images, () => providePrometheusImage(facts));
}

function connect(
  { kubeconfig, kubectl, helm }: { readonly kubeconfig: string; readonly kubectl: string; readonly helm: string },
  images: ClusterImages,
  prometheusImage: E2eCluster['prometheusImage'],
): E2eCluster {
  // What the machine's user has set up is not to count.
  const folder = mkdtempSync(join(tmpdir(), 'sluice-e2e-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const env = { PATH: process.env['PATH'], HOME: folder, KUBECONFIG: kubeconfig };
  return {
    images,
    prometheusImage,
    kubectl: (args, input = '') => runWith(kubectl, args, env, (stdin) => stdin.end(input)),
    helm: (args) => runWith(helm, args, env, (stdin) => stdin.end()),
    start(args) {
      const { promise: input, resolve } = Promise.withResolvers<Writable>();
      const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
      const output = runWith(kubectl, args, env, resolve, begin);
      const failed = output.then(() => new Promise<never>(() => {}));
      failed.catch(() => {});
      return { output, begun, failed, endInput: () => void input.then((stdin) => stdin.end()) };
    },
  };
}

function runWith(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  feed: (stdin: Writable) => void,
  onOutput: () => void = () => {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, { env, maxBuffer: outputBytesMax }, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      reject(new Error(`${program.split('/').pop()} ${args.join(' ')}: ${stderr || stdout || error.message}`));
    });
    child.stdout?.once('data', onOutput);
    if (child.stdin === null) return;
    child.stdin.on('error', () => {});
    feed(child.stdin);
  });
}
