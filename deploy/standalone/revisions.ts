// The configuration of one `sluice run` over time: what the files say is offered to the gateway, or refused with reasons
// while the one before goes on.

import type { GatewayConfig } from '../../proxy/config/schema.ts';
import type { Gateway } from '../../proxy/gateway.ts';
import { type Loaded, load } from './load/load.ts';
import { type FileProblem, formatProblem, hasErrors } from './load/problem.ts';
import type { Environment } from './load/variables.ts';
import type { RunSettings } from './settings.ts';
import type { Terminal } from '../../proxy/command-line/terminal.ts';
import { hasBackends, judge, type Verdict } from './verdict.ts';

/** What the revisions need of the outside. */
export interface RevisionContext {
  readonly environment: Environment;
  readonly terminal: Terminal;
  /** Unix milliseconds. */
  readonly now: () => number;
}

/** Compiles the files as they are now. */
export async function compileFiles(
  { paths, gateway, disableSecondsDefault }: RunSettings,
  { environment, now }: RevisionContext,
  lastRevision: number,
): Promise<Verdict & { readonly loaded: Loaded }> {
  const loaded = await load(paths, environment);
  const world = { className: gateway.className, now: now(), lastRevision, disableSecondsDefault };
  return { loaded, ...judge(loaded, world) };
}

/** Applies edits, one after the other. */
export class Revisions {
  readonly #gateway: Gateway;
  readonly #settings: RunSettings;
  readonly #context: RevisionContext;
  #current: GatewayConfig;
  /** Whether the files say something that was refused. */
  #refused = false;

  /** `current` is the configuration in force. */
  constructor(gateway: Gateway, current: GatewayConfig, settings: RunSettings, context: RevisionContext) {
    this.#gateway = gateway;
    this.#current = current;
    this.#settings = settings;
    this.#context = context;
  }

  /** Reads the files again and offers what they say. Never rejects: whatever goes wrong, the gateway goes on. */
  async renew(): Promise<void> {
    try {
      await this.#renew();
    } catch (error) {
      this.#refuse([`the files could not be compiled: ${error instanceof Error ? error.message : String(error)}`]);
      this.#gateway.log.error({ error }, 'the files could not be compiled');
    }
  }

  async #renew(): Promise<void> {
    const { config, credentials, problems } = await compileFiles(this.#settings, this.#context, this.#current.revision);
    // What is the same as what is in force need not be offered, unless it takes back something that was refused.
    if (!hasErrors(problems) && config.digest === this.#current.digest && !this.#refused) return;
    printProblems(problems, this.#context.terminal);
    if (hasErrors(problems)) return this.#refuse(problems.filter(isError).map(formatProblem));
    if (!hasBackends(config)) return this.#refuse(['no route is left']);
    const refusal = this.#gateway.offer(config, credentials);
    if (refusal !== undefined) return this.#refuse(refusal.reasons);
    this.#current = config;
    this.#refused = false;
    const { revision, digest, routes } = config;
    this.#context.terminal.warn(`the edit is in force: revision ${revision}`);
    this.#gateway.log.info({ revision, digest, routes: routes.length }, 'configuration in force');
  }

  #refuse(reasons: readonly string[]): void {
    this.#refused = true;
    this.#gateway.refuse(reasons);
    const { revision } = this.#current;
    const why = reasons.length === 1 && !reasons[0]?.includes(': ') ? `: ${reasons[0]}` : '';
    this.#context.terminal.warn(`the edit is not applied${why}; revision ${revision} goes on`);
    this.#gateway.log.warn({ reasons: reasons.length, revision }, 'edit not applied');
  }
}

/** Prints problems for people, each on its line. */
export function printProblems(problems: readonly FileProblem[], terminal: Terminal): void {
  for (const problem of problems) terminal.warn(formatProblem(problem));
}

function isError({ severity }: FileProblem): boolean {
  return severity === 'error';
}
