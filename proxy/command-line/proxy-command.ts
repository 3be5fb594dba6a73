// `sluice proxy`: serves what is mounted or watched, until it is told to stop.

import { readdir } from 'node:fs/promises';
import { delimiter } from 'node:path';
import type { Gateway } from '../gateway.ts';
import type { ProxyOptions, WatchTarget } from '../proxy.ts';
import { createProgram, describeRows, toOption } from './command.ts';
import { exitCodeOf, StartFailure, toStartFailure, UsageError } from './failures.ts';
import { gatewayOptions, gatewayVariables, readGatewayOptions } from './gateway-options.ts';
import { toAuthority } from './listen-address.ts';
import { type Environment, type Flags, Options, type OptionSpec } from './options.ts';
import type { Terminal } from './terminal.ts';

/** Options of `sluice proxy`, in the order of `--help`. */
export const proxyOptions = {
  config: {
    flag: '--config <directory>',
    variable: 'SLUICE_CONFIG',
    says: 'where the ConfigMaps and the Secret of the installation are mounted; this or --watch must be given',
  },
  watch: {
    flag: '--watch <namespace/name>',
    variable: 'SLUICE_WATCH',
    says: 'the ConfigMap of the installation, which is watched with all that belongs to it; best with --config, which needs no API server to start',
  },
  kubeconfig: {
    flag: '--kubeconfig <file>',
    variable: 'KUBECONFIG',
    says: 'who the proxy is to the API server; the ServiceAccount of its pod where left out',
  },
  ...gatewayOptions,
} as const satisfies Record<string, OptionSpec>;

/** Everything that the proxy gets from the process. */
export interface ProxyContext {
  readonly version: string;
  readonly environment: Environment;
  readonly terminal: Terminal;
  /** Aborted when the proxy is to stop taking requests and end. */
  readonly stop: AbortSignal;
}

/** Runs the command with its arguments. Returns the exit code. */
export async function runProxyCommand(args: readonly string[], context: ProxyContext): Promise<number> {
  const { version, environment, terminal, stop } = context;
  const program = createProgram('sluice proxy', version, terminal)
    .description('The data plane alone: serves the configuration that is mounted or watched, and follows its changes.')
    .action(async (flags: Flags) => serve(readProxyOptions(flags, environment, version), stop));
  for (const spec of Object.values(proxyOptions)) program.addOption(toOption(spec));
  program.addHelpText(
    'after',
    `\nEnvironment variables besides:\n${describeRows(Object.entries(gatewayVariables))}\n\n${exitCodes}`,
  );
  try {
    await program.parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    return exitCodeOf(error, terminal);
  }
}

const exitCodes = 'Exit codes: 0 after SIGTERM or SIGINT and a whole drain, 1 if it cannot start, 2 for wrong usage.';

/** How the proxy is to be run. Throws UsageError or StartFailure. */
export function readProxyOptions(flags: Flags, environment: Environment, version: string): ProxyOptions {
  const options = new Options(flags, environment);
  const configDirectory = options.read(proxyOptions.config, parseDirectory);
  const watch = readWatchTarget(options, environment);
  if (configDirectory === undefined && watch === undefined) {
    const { config, watch: watched } = proxyOptions;
    throw new UsageError(
      `${config.flag} or ${watched.flag} must be given, or the environment variable ${config.variable} or ${watched.variable}`,
    );
  }
  // What a provider may name inside the cluster is a Service, or allowed by name (failure.md, rule 18).
  return { ...readGatewayOptions(options, { version, allowPrivate: false }), configDirectory, watch };
}

function parseDirectory(text: string): string {
  if (text === '') throw new Error('must be a directory');
  return text;
}

/** Who asks for no watch may have a KUBECONFIG all the same: it is not looked at. */
function readWatchTarget(options: Options, environment: Environment): WatchTarget | undefined {
  const object = options.read(proxyOptions.watch, parseObjectName);
  if (object === undefined) return undefined;
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = environment;
  return { ...object, kubeconfig: options.read(proxyOptions.kubeconfig, parseFile), serviceAddress: { host, port } };
}

/** Names of namespaces and of ConfigMaps, which may have dots. */
function parseObjectName(text: string): Pick<WatchTarget, 'namespace' | 'name'> {
  const [, namespace, name] = /^([a-z0-9][a-z0-9-]{0,62})\/([a-z0-9][a-z0-9.-]{0,252})$/.exec(text) ?? [];
  if (namespace === undefined || name === undefined) throw new Error('must be NAMESPACE/NAME of a ConfigMap');
  return { namespace, name };
}

/** kubectl would merge several files; here one is enough. */
function parseFile(text: string): string {
  if (text === '' || text.includes(delimiter)) throw new Error('must be one file');
  return text;
}

async function serve(options: ProxyOptions, stop: AbortSignal): Promise<void> {
  if (options.configDirectory !== undefined) await requireDirectory(options.configDirectory);
  const gateway = await open(options);
  const { data, admin } = gateway.listening;
  gateway.log.info({ data: toAuthority(data), admin: toAuthority(admin) }, 'listening');
  if (!stop.aborted) await new Promise((resolve) => stop.addEventListener('abort', resolve, { once: true }));
  await gateway.drain();
}

/** A mount is there before the process is, and be it empty: where there is none, the name is wrong. */
async function requireDirectory(path: string): Promise<void> {
  try {
    await readdir(path);
  } catch (error) {
    throw new StartFailure(`--config ${path}: ${describeAccess(error)}`, { cause: error });
  }
}

function describeAccess(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'ENOENT':
      return 'there is no such directory';
    case 'ENOTDIR':
      return 'is no directory';
    case 'EACCES':
      return 'may not be read: permission denied';
    default:
      return message;
  }
}

async function open(options: ProxyOptions): Promise<Gateway> {
  // Loaded only here: a gateway is half a second of modules, which help and wrong usage do without.
  const { startProxy } = await import('../proxy.ts');
  try {
    return await startProxy(options);
  } catch (error) {
    throw toStartFailure(error, options);
  }
}
