// Every option of the command line with its environment variable. The flag wins; an empty variable counts as unset.

import { StartFailure, UsageError } from './failures.ts';
import type { Environment } from './load/variables.ts';

/** One option. */
export interface OptionSpec {
  /** As commander wants it: `--listen <host:port>`. */
  readonly flag: string;
  readonly variable: string;
  /** For `--help`. */
  readonly says: string;
  /** What counts where neither flag nor variable is given. */
  readonly fallback?: string;
}

/** Options of `sluice run`, in the order of `--help`. */
export const runOptions = {
  className: {
    flag: '--class <name>',
    variable: 'SLUICE_CLASS',
    says: 'only objects of this spec.className count',
    fallback: 'default',
  },
  listen: {
    flag: '--listen <host:port>',
    variable: 'SLUICE_LISTEN',
    says: 'where clients connect',
    fallback: '127.0.0.1:8080',
  },
  admin: {
    flag: '--admin <host:port>',
    variable: 'SLUICE_ADMIN',
    says: 'where metrics, health and the state are served',
    fallback: '127.0.0.1:9090',
  },
  redis: {
    flag: '--redis <url>',
    variable: 'REDIS_URL',
    says: 'Redis through which several gateways share what they learn; memory where left out',
  },
  replicas: {
    flag: '--replicas <count>',
    variable: 'SLUICE_REPLICAS',
    says: 'how many gateways share the limits until Redis says how many there are',
    fallback: '1',
  },
  drainSeconds: {
    flag: '--drain-seconds <seconds>',
    variable: 'SLUICE_DRAIN_SECONDS',
    says: 'longest time for streams to end after SIGTERM or SIGINT; a second signal ends at once',
    fallback: '600',
  },
  strict: {
    flag: '--strict',
    variable: 'SLUICE_STRICT',
    says: 'do not start if there is anything to complain about',
    fallback: 'false',
  },
  allowEndpointCidr: {
    flag: '--allow-endpoint-cidr <cidrs>',
    variable: 'SLUICE_ALLOW_ENDPOINT_CIDR',
    says: 'addresses that providers may have besides public, private and loopback ones, with commas between them',
  },
  logLevel: {
    flag: '--log-level <level>',
    variable: 'LOG_LEVEL',
    says: 'trace, debug, info, warn, error, fatal or silent',
    fallback: 'info',
  },
  accessLog: {
    flag: '--access-log',
    variable: 'SLUICE_ACCESS_LOG',
    says: 'log one line for each request',
    fallback: 'false',
  },
  standIns: {
    flag: '--stand-ins [port]',
    variable: 'SLUICE_STAND_INS',
    says: 'start the upstreams of the quickstart on this machine, on three ports from 18081 or the given one',
  },
} as const satisfies Record<string, OptionSpec>;

/** Options of `sluice check`. */
export const checkOptions = { className: runOptions.className } as const satisfies Record<string, OptionSpec>;

/** What has no flag: secrets, which a list of processes would show, and what others define. */
export const variables = {
  DISABLED_TIME:
    'minutes for which a failing backend is out where its route does not say; fractions allowed, 0 = never, 10 where left out',
  SLUICE_ADMIN_TOKEN: 'bearer token that the admin port asks for',
  OTEL_EXPORTER_OTLP_ENDPOINT:
    'where traces go; none are made where left out. Further OTEL_* as OpenTelemetry defines them',
} as const;

/** Values of flags as commander gives them, by name of the option. */
export type Flags = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

/** Reads options: each from its flag, else its variable, else its fallback. */
export class Options {
  readonly #flags: Flags;
  readonly #environment: Environment;

  constructor(flags: Flags, environment: Environment) {
    this.#flags = flags;
    this.#environment = environment;
  }

  /** The parsed value. What cannot be parsed is wrong usage in a flag, and a failure to start in a variable. */
  read<T>(spec: OptionSpec & { readonly fallback: string }, parse: (text: string) => T): T;
  read<T>(spec: OptionSpec, parse: (text: string) => T): T | undefined;
  read<T>(spec: OptionSpec, parse: (text: string) => T): T | undefined {
    const [name = ''] = spec.flag.split(' ');
    const flag = this.#flags[toAttribute(name)];
    if (flag !== undefined)
      return attempt(
        () => parse(String(flag)),
        (why) => new UsageError(`${name} ${why}`),
      );
    const variable = this.variable(spec.variable, parse);
    if (variable !== undefined) return variable;
    return spec.fallback === undefined ? undefined : parse(spec.fallback);
  }

  /** The parsed value of a variable that is set to something. */
  variable<T>(name: string, parse: (text: string) => T): T | undefined {
    const value = this.#environment[name];
    if (value === undefined || value === '') return undefined;
    return attempt(
      () => parse(value),
      (why) => new StartFailure(`the environment variable ${name} ${why}`),
    );
  }
}

/** `--drain-seconds` as commander calls its value: `drainSeconds`. */
function toAttribute(flag: string): string {
  return flag.slice(2).replaceAll(/-([a-z])/g, (_found, letter: string) => letter.toUpperCase());
}

function attempt<T>(parse: () => T, fail: (why: string) => Error): T {
  try {
    return parse();
  } catch (error) {
    throw fail(error instanceof Error ? error.message : String(error));
  }
}

/** `true` or `false`. */
export function parseSwitch(text: string): boolean {
  if (/^(true|1|yes|on)$/i.test(text)) return true;
  if (/^(false|0|no|off)$/i.test(text)) return false;
  throw new Error('must be true or false');
}

/** A whole number between two bounds. */
export function parseInteger(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new Error(`must be a whole number from ${min} to ${max}`);
  };
}

/** One of some words. */
export function parseWord<Word extends string>(words: readonly Word[]): (text: string) => Word {
  return (text) => {
    const word = words.find((candidate) => candidate === text);
    if (word === undefined) throw new Error(`must be one of ${words.join(', ')}`);
    return word;
  };
}
