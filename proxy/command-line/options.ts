// Options of a command line, each with its environment variable. The flag wins; an empty variable counts as unset.

import { StartFailure, UsageError } from './failures.ts';

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** One option. */
export interface OptionSpec {
  /** As commander wants it: `--listen <host:port>`. */
  readonly flag: string;
  readonly variable: string;
  /** For `--help`. */
  readonly says: string;
  /** What counts where neither flag nor variable is given. */
  readonly fallback?: string;
  /** May be given several times, which is the same as commas between the values. */
  readonly repeats?: boolean;
}

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
