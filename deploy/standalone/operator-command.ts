// `sluice operator`: the control plane alone, until it is told to stop or loses its lease.

import { randomBytes, randomUUID } from 'node:crypto';
import { systemClock } from '../../operator/clock.ts';
import { startOperator, type Operator } from '../../operator/operator.ts';
import { StartFailure } from '../../proxy/command-line/failures.ts';
import type { Environment, Flags } from '../../proxy/command-line/options.ts';
import { createLog, openDestination } from '../../proxy/telemetry/log.ts';
import { createScrubber } from '../../proxy/telemetry/redaction.ts';
import { toAuthority } from '../../proxy/command-line/listen-address.ts';
import { type OperatorSettings, readOperatorSettings } from './operator-options.ts';

/** Runs it. Resolves after a whole stop. Throws UsageError or StartFailure. */
export async function runOperator(
  flags: Flags,
  {
    environment,
    version,
    stop,
  }: { readonly environment: Environment; readonly version: string; readonly stop: AbortSignal },
): Promise<void> {
  const settings = readOperatorSettings(flags, environment, { version, newId: randomUUID });
  const destination = openDestination(1);
  const operator = await open(settings, destination);
  const end = (): void => void operator.stop();
  if (stop.aborted) end();
  else stop.addEventListener('abort', end, { once: true });
  const how = await operator.ended;
  destination.flush();
  // Another replica leads now; started anew, this one waits for its turn.
  if (how === 'lost')
    throw new StartFailure('the lease was lost, and another replica may lead: this one must not go on');
}

async function open(
  { operator, logLevel }: OperatorSettings,
  destination: ReturnType<typeof openDestination>,
): Promise<Operator> {
  const scrubber = createScrubber();
  const own = operator.adminToken === undefined ? [] : [operator.adminToken];
  scrubber.setSecrets(own);
  const log = createLog({ level: logLevel, destination, scrubber });
  try {
    const started = await startOperator(operator, {
      clock: systemClock,
      random: Math.random,
      randomBytes: (size) => randomBytes(size),
      log,
      onSecrets: (secrets) => scrubber.setSecrets([...own, ...secrets]),
    });
    const { className, credentials } = operator;
    log.info({ admin: toAuthority(started.listening), className, identity: credentials.type }, 'listening');
    return started;
  } catch (error) {
    destination.flush();
    throw new StartFailure(describe(error, operator.admin), { cause: error });
  }
}

function describe(error: unknown, { host, port }: { readonly host: string; readonly port: number }): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code !== 'EADDRINUSE') return `the operator cannot start: ${message}`;
  return `${host}:${port} is in use: stop what listens there, or choose another place with --admin HOST:PORT`;
}
