// Runs helm on the charts of this repository, apart from whatever helm the machine's user has set up.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';

/** The charts. */
export type ChartName = 'sluice' | 'sluice-crds';

/** The folder of each chart, without a slash at the end. */
export const chartFolder = (chart: ChartName): string =>
  fileURLToPath(new URL(`../../charts/${chart}`, import.meta.url));

/** What a chart is rendered or installed with. */
export interface ReleaseOptions {
  readonly chart?: ChartName;
  readonly release?: string;
  readonly namespace?: string;
  /** Files first, then values, as helm takes them. */
  readonly valuesFiles?: readonly string[];
  readonly values?: object;
  /** Kinds that the cluster has besides Kubernetes' own: `monitoring.coreos.com/v1/PodMonitor`. */
  readonly apiVersions?: readonly string[];
}

/** A rendered object, as far as tests look into it. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [member: string]: unknown;
}

/** What helm came to. */
export interface HelmResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Helm. */
export interface Helm {
  /** Runs it; resolves whatever its exit code is. */
  run(args: readonly string[]): Promise<HelmResult>;
  /** Everything that a release would be, as text. Rejects with what helm says. */
  template(options?: ReleaseOptions): Promise<string>;
  /** The same, read. */
  render(options?: ReleaseOptions): Promise<readonly Manifest[]>;
}

/** Kinds of the Prometheus Operator that the chart makes objects of. */
export const monitoringKinds = ['PodMonitor', 'ServiceMonitor', 'PrometheusRule'].map(
  (kind) => `monitoring.coreos.com/v1/${kind}`,
);

const outputBytesMax = 64 * 1024 * 1024;

/** Makes a helm out of the program at a path, and a folder for what it remembers of servers. */
export function createHelm(path: string, folder: string): Helm {
  const run = (args: readonly string[]): Promise<HelmResult> => runHelm(path, folder, args);
  const rendered = new Map<string, Promise<string>>();
  const template = (options: ReleaseOptions = {}): Promise<string> => {
    const key = JSON.stringify(options);
    const text = rendered.get(key) ?? must(run(['template', ...releaseArgs(options)]));
    rendered.set(key, text);
    return text;
  };
  return { run, template, render: async (options) => parseManifests(await template(options)) };
}

/** The arguments that say which release of which chart is meant, and with which values. */
export function releaseArgs(options: ReleaseOptions): readonly string[] {
  const { chart = 'sluice', release = 'sluice', namespace = 'sluice-system' } = options;
  const { valuesFiles = [], values = {}, apiVersions = [] } = options;
  return [
    release,
    chartFolder(chart),
    `--namespace=${namespace}`,
    ...valuesFiles.map((file) => `--values=${file}`),
    ...Object.entries(values).map(([name, value]) => `--set-json=${name}=${JSON.stringify(value)}`),
    ...apiVersions.map((version) => `--api-versions=${version}`),
  ];
}

/** Reads YAML as Kubernetes does: 0440 is octal. */
export function parseManifests(text: string): readonly Manifest[] {
  return parseAllDocuments(text, { version: '1.1' }).flatMap((document) => {
    const [error] = document.errors;
    if (error) throw error;
    const object = document.toJS() as Manifest | null;
    return object === null ? [] : [object];
  });
}

function runHelm(path: string, folder: string, args: readonly string[]): Promise<HelmResult> {
  const env = {
    PATH: process.env['PATH'],
    HOME: folder,
    HELM_CACHE_HOME: join(folder, 'cache'),
    HELM_CONFIG_HOME: join(folder, 'config'),
    HELM_DATA_HOME: join(folder, 'data'),
  };
  return new Promise((resolve, reject) => {
    execFile(path, args, { env, maxBuffer: outputBytesMax }, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number') return reject(error);
      resolve({ code: Number(error?.code ?? 0), stdout, stderr });
    });
  });
}

async function must(result: Promise<HelmResult>): Promise<string> {
  const { code, stdout, stderr } = await result;
  if (code !== 0) throw new Error(stderr.trim());
  return stdout;
}
