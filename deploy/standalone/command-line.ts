// The command line: which commands there are, their help, and the exit code of each way to end.

import { Command, CommanderError, Option } from 'commander';
import { check } from './check.ts';
import { StartFailure, UsageError } from './failures.ts';
import type { Environment } from './load/variables.ts';
import { checkOptions, type Flags, type OptionSpec, runOptions, variables } from './options.ts';
import { runProxyCommand } from './proxy-command.ts';
import { readCheckSettings, readRunSettings } from './settings.ts';
import type { Terminal } from './terminal.ts';

/** Everything that the program gets from the process. */
export interface ProgramContext {
  readonly version: string;
  readonly environment: Environment;
  readonly terminal: Terminal;
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly stop: AbortSignal;
}

/** Runs a command line (without node and the script). Returns the exit code. */
export async function runCommandLine(args: readonly string[], context: ProgramContext): Promise<number> {
  const { terminal } = context;
  let exitCode = 0;
  const program = createProgram(context, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    // Commander has already said what is wrong; help and version end this way too.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof UsageError || error instanceof StartFailure) {
      terminal.warn(`sluice: ${error.message}`);
      return error instanceof UsageError ? 2 : 1;
    }
    throw error;
  }
}

function createProgram(context: ProgramContext, exit: (code: number) => void): Command {
  const { terminal, version, environment } = context;
  const program = new Command('sluice')
    .description('Traffic control for LLM APIs: balances, fails over, and keeps keys where they belong.')
    .version(version, '--version', 'print the version')
    .helpOption('--help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .showHelpAfterError('Run "sluice --help" to see what there is.')
    .configureOutput({
      writeOut: (text) => terminal.print(text.trimEnd()),
      writeErr: (text) => terminal.warn(text.trimEnd()),
    })
    .exitOverride()
    .enablePositionalOptions();
  addRun(program, context);
  addCheck(program, context, exit);
  program
    .command('proxy [arguments...]')
    .description('run the data plane alone; "sluice proxy --help" lists its options')
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .action(async (args: readonly string[]) => exit(await runProxyCommand(args, environment)));
  return program.addHelpText('after', () => `\nEvery option of every command:\n\n${describeAll(program)}`);
}

function addRun(program: Command, context: ProgramContext): void {
  const { environment, version } = context;
  const command = program
    .command('run <path...>')
    .description('serve files, or folders of files, in one process; edits are applied while it runs')
    .action(async (paths: readonly string[], flags: Flags) => {
      const settings = readRunSettings(paths, flags, environment, version);
      // Loaded only here: a gateway is half a second of modules, which `sluice check` does without.
      const { run } = await import('./run.ts');
      await run(settings, context);
    });
  for (const spec of Object.values(runOptions)) command.addOption(toOption(spec));
  command.addHelpText('after', `\nEnvironment variables besides:\n${describeVariables(Object.entries(variables))}`);
}

function addCheck(program: Command, context: ProgramContext, exit: (code: number) => void): void {
  const { environment, terminal, now } = context;
  const command = program
    .command('check <path...>')
    .description('say everything that is wrong with files: exit code 0 nothing, 1 something, 2 unreadable')
    .option(
      '--explain <request>',
      `say which way a request would take, such as 'POST /azure model=gpt-4o header:x-region=eu key=team-a/app'`,
      (request: string, before: readonly string[]) => [...before, request],
      [],
    )
    .action(async (paths: readonly string[], flags: Flags) => {
      try {
        exit(await check(readCheckSettings(paths, flags, environment), { environment, terminal, now: now() }));
      } catch (error) {
        // Here 1 means that something is not accepted.
        throw error instanceof StartFailure ? new UsageError(error.message, { cause: error }) : error;
      }
    });
  for (const spec of Object.values(checkOptions)) command.addOption(toOption(spec));
  const { DISABLED_TIME } = variables;
  command.addHelpText(
    'after',
    `\nEnvironment variables besides:\n${describeVariables([['DISABLED_TIME', DISABLED_TIME]])}`,
  );
}

/** Flags are read raw: what counts in their absence is decided together with the environment. */
function toOption({ flag, variable, says, fallback }: OptionSpec): Option {
  const unless = fallback === undefined || fallback === 'false' ? '' : `, ${fallback} where left out`;
  return new Option(flag, `${says} (${variable}${unless})`);
}

function describeVariables(entries: readonly (readonly [string, string])[]): string {
  const width = Math.max(...entries.map(([name]) => name.length));
  return entries.map(([name, says]) => `  ${name.padEnd(width)}  ${says}`).join('\n');
}

function describeAll(program: Command): string {
  return program.commands
    .filter(({ options }) => options.length > 0)
    .map((command) => {
      const options = command.options.map(({ flags, description }) => [flags, description] as const);
      return `sluice ${command.name()}\n${describeVariables(options)}`;
    })
    .concat(`Environment variables besides\n${describeVariables(Object.entries(variables))}`)
    .join('\n\n');
}
