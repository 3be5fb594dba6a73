// What every program here has in common on the command line: where its help goes, and how an option looks in it.

import { Command, Option } from 'commander';
import type { OptionSpec } from './options.ts';
import type { Terminal } from './terminal.ts';

/** A program without options or commands yet. It throws where commander would end the process. */
export function createProgram(name: string, version: string, { print, warn }: Terminal): Command {
  return new Command(name)
    .version(version, '--version', 'print the version')
    .helpOption('--help', 'print this help')
    .showHelpAfterError(`Run "${name} --help" to see what there is.`)
    .configureOutput({ writeOut: (text) => print(text.trimEnd()), writeErr: (text) => warn(text.trimEnd()) })
    .exitOverride();
}

/** Flags are read raw: what counts in their absence is decided together with the environment. */
export function toOption({ flag, variable, says, fallback, repeats }: OptionSpec): Option {
  const unless = fallback === undefined || fallback === 'false' ? '' : `, ${fallback} where left out`;
  const option = new Option(flag, `${says} (${variable}${unless})`);
  if (repeats !== true) return option;
  return option.argParser((text, before: string | undefined) => (before === undefined ? text : `${before},${text}`));
}

/** Names and what they mean, in two columns. */
export function describeRows(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, says]) => `  ${name.padEnd(width)}  ${says}`).join('\n');
}
