// `sluice proxy`: serves what is mounted, until it is told to stop.

import { readdir } from 'node:fs/promises';
import type { Gateway } from '../gateway.ts';
import type { ProxyOptions } from '../proxy.ts';
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
    says: 'where the ConfigMaps and the Secret of the installation are mounted; must be given',
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
    .description('The data plane alone: serves the configuration that is mounted, and follows its changes.')
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
  if (configDirectory === undefined) {
    const { flag, variable } = proxyOptions.config;
    throw new UsageError(`${flag} must be given, or the environment variable ${variable}`);
  }
  // What a provider may name inside the cluster is a Service, or allowed by name (failure.md, rule 18).
  return { ...readGatewayOptions(options, { version, allowPrivate: false }), configDirectory };
}

function parseDirectory(text: string): string {
  if (text === '') throw new Error('must be a directory');
  return text;
}

async function serve(options: ProxyOptions, stop: AbortSignal): Promise<void> {
  await requireDirectory(options.configDirectory);
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
