// The command line: which commands there are, their help, and the exit code of each way to end.

import type { Command } from 'commander';
import { createProgram, describeRows, toOption } from '../../proxy/command-line/command.ts';
import { exitCodeOf, StartFailure, UsageError } from '../../proxy/command-line/failures.ts';
import type { Environment, Flags } from '../../proxy/command-line/options.ts';
import { proxyOptions } from '../../proxy/command-line/proxy-command.ts';
import type { Terminal } from '../../proxy/command-line/terminal.ts';
import { check } from './check.ts';
import { operatorOptions, operatorVariables } from './operator-options.ts';
import { checkOptions, runOptions, variables } from './options.ts';
import { runProxyCommand } from './proxy-command.ts';
import { readCheckSettings, readRunSettings } from './settings.ts';

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
  let exitCode = 0;
  const program = createCommandLine(context, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    return exitCodeOf(error, context.terminal);
  }
}

function createCommandLine(context: ProgramContext, exit: (code: number) => void): Command {
  const { terminal, version, environment, stop } = context;
  const program = createProgram('sluice', version, terminal)
    .description('Traffic control for LLM APIs: balances, fails over, and keeps keys where they belong.')
    .helpCommand('help [command]', 'print the help of a command')
    .enablePositionalOptions();
  addRun(program, context);
  addCheck(program, context, exit);
  program
    .command('proxy [arguments...]')
    .description('run the data plane alone; "sluice proxy --help" lists its options')
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .action(async (args: readonly string[]) => exit(await runProxyCommand(args, environment, stop)));
  addOperator(program, context);
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
  command.addHelpText('after', `\nEnvironment variables besides:\n${describeRows(Object.entries(variables))}`);
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
  command.addHelpText('after', `\nEnvironment variables besides:\n${describeRows([['DISABLED_TIME', DISABLED_TIME]])}`);
}

function addOperator(program: Command, context: ProgramContext): void {
  const command = program
    .command('operator')
    .description(
      'run the control plane alone: compile the objects of a cluster for its proxies, and say how they stand',
    )
    .action(async (flags: Flags) => {
      // Loaded only here: the Kubernetes client takes longer to load than anything else there is.
      const { runOperator } = await import('./operator-command.ts');
      await runOperator(flags, context);
    });
  for (const spec of Object.values(operatorOptions)) command.addOption(toOption(spec));
  command.addHelpText('after', `\nEnvironment variables besides:\n${describeRows(Object.entries(operatorVariables))}`);
}

function describeAll(program: Command): string {
  // The proxy reads its flags itself.
  const own = new Map([['proxy', Object.values(proxyOptions).map(toOption)]]);
  return program.commands
    .map((command) => ({ name: command.name(), options: own.get(command.name()) ?? command.options }))
    .map(({ name, options }) => {
      const rows = options.map(({ flags, description }) => [flags, description] as const);
      return `sluice ${name}\n${describeRows(rows)}`;
    })
    .concat(`Environment variables besides\n${describeRows(Object.entries(variables))}`)
    .join('\n\n');
}
