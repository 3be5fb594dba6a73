// `sluice run`: compiles files and serves them in this process, and again whenever they change.

import { StartFailure, toStartFailure } from '../../proxy/command-line/failures.ts';
import { type Gateway, type GatewayOptions, startGateway } from '../../proxy/gateway.ts';
import { banner } from './banner.ts';
import { hasErrors } from './load/problem.ts';
import { compileFiles, printProblems, type RevisionContext, Revisions } from './revisions.ts';
import type { RunSettings } from './settings.ts';
import { startStandIns } from './stand-ins/stand-ins.ts';
import { hasBackends, type Verdict } from './verdict.ts';
import { fingerprint, watchFiles } from './watch.ts';

/** What running needs of the outside. */
export interface RunContext extends RevisionContext {
  /** Aborted when the gateway is to stop taking requests and end. */
  readonly stop: AbortSignal;
}

/** Serves until it is told to stop; resolves after a whole drain. Throws StartFailure. */
export async function run(settings: RunSettings, context: RunContext): Promise<void> {
  const { paths, standInPort } = settings;
  await using standIns = standInPort === undefined ? undefined : await startStandIns(standInPort, context.now);
  const seen = await fingerprint(paths);
  const first = await compileFirst(settings, context);
  const gateway = await open(settings.gateway);
  try {
    const refusal = gateway.offer(first.config, first.credentials);
    if (refusal !== undefined) throw new StartFailure(`the configuration is refused: ${refusal.reasons.join('; ')}`);
    const { revision, digest, routes } = first.config;
    gateway.log.info({ revision, digest, routes: routes.length }, 'configuration in force');
    // In one piece: the gateway writes its log to the same place, and not in the middle of this.
    context.terminal.print(
      banner(settings.gateway.version, gateway.listening, first.config, standIns?.names).join('\n'),
    );
    const revisions = new Revisions(gateway, first.config, settings, context);
    const watch = watchFiles(paths, seen, () => revisions.renew());
    await aborted(context.stop);
    watch.close();
  } finally {
    await gateway.drain();
  }
}

/** What is accepted is served; the rest is said. Nothing to serve is no way to start. */
async function compileFirst(settings: RunSettings, context: RunContext): Promise<Verdict> {
  const { terminal } = context;
  const verdict = await compileFiles(settings, context, 0);
  const { problems, config, loaded } = verdict;
  printProblems(problems, terminal);
  if (!hasBackends(config)) {
    const why = problems.length === 0 ? 'there is no LLMRoute' : 'no route is left, for the reasons above';
    throw new StartFailure(`nothing to serve in ${settings.paths.join(', ')}: ${why}`);
  }
  if (settings.strict && problems.length > 0) throw new StartFailure('not started, for the reasons above (--strict)');
  if (hasErrors(problems)) {
    terminal.warn(
      `of ${loaded.origins.size} objects, those without errors are served; edits are applied once all are accepted`,
    );
  }
  return verdict;
}

async function open(options: GatewayOptions): Promise<Gateway> {
  try {
    return await startGateway(options);
  } catch (error) {
    throw toStartFailure(error, options);
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}
