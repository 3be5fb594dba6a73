// The two ways in which a program ends early, each with its exit code; the message is the one line that says why.

import { CommanderError } from 'commander';
import type { GatewayOptions } from '../gateway.ts';
import type { Terminal } from './terminal.ts';

/** Wrong usage: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The program cannot start: exit code 1. */
export class StartFailure extends Error {
  override readonly name = 'StartFailure';
}

/** Says why a program ended early, and gives its exit code. What is no failure of these kinds is thrown on. */
export function exitCodeOf(error: unknown, { warn }: Terminal): number {
  // Commander has already said what is wrong; help and version end this way too.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (!(error instanceof UsageError || error instanceof StartFailure)) throw error;
  warn(`sluice: ${error.message}`);
  return error instanceof UsageError ? 2 : 1;
}

/** What to do about a gateway that could not be started. */
export function toStartFailure(error: unknown, options: Pick<GatewayOptions, 'listen' | 'admin'>): StartFailure {
  return new StartFailure(describeStart(error, options), { cause: error });
}

function describeStart(error: unknown, { listen, admin }: Pick<GatewayOptions, 'listen' | 'admin'>): string {
  const { code, port, message } = error as NodeJS.ErrnoException & { readonly port?: number };
  const [flag, address] = port === admin.port && port !== listen.port ? ['--admin', admin] : ['--listen', listen];
  const where = `${address.host}:${port ?? address.port}`;
  switch (code) {
    case 'EADDRINUSE':
      return `${where} is in use: stop what listens there, or choose another place with ${flag} HOST:PORT`;
    case 'EACCES':
      return `${where} may not be used: choose a port from 1024 on with ${flag} HOST:PORT`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `${where} is no address of this machine: choose another with ${flag} HOST:PORT`;
    default:
      return `the gateway cannot start: ${message}`;
  }
}
