// What the command line and the environment ask for, read once, before anything is started.

import { UsageError } from '../../proxy/command-line/failures.ts';
import { readGatewayOptions } from '../../proxy/command-line/gateway-options.ts';
import { type Environment, type Flags, Options, parseInteger, parseSwitch } from '../../proxy/command-line/options.ts';
import type { GatewayOptions } from '../../proxy/gateway.ts';
import type { CheckSettings } from './check.ts';
import { readDisabledTime } from './disabled-time.ts';
import { parseExplainedRequest } from './explain/request.ts';
import { checkOptions, runOptions } from './options.ts';

/** Settings of `sluice run`. */
export interface RunSettings {
  readonly paths: readonly string[];
  readonly gateway: GatewayOptions;
  readonly disableSecondsDefault: number;
  /** Whether anything at all to complain about keeps the gateway from starting. */
  readonly strict: boolean;
  /** First of the ports of the stand-ins; undefined: none are started. */
  readonly standInPort: number | undefined;
}

/** The first port of the stand-ins: far from the gateway's own, and not among the well-known ones. */
const standInPort = 18_081;

/** Settings of `sluice run`. Throws UsageError or StartFailure. */
export function readRunSettings(
  paths: readonly string[],
  flags: Flags,
  environment: Environment,
  version: string,
): RunSettings {
  const options = new Options(flags, environment);
  return {
    paths,
    disableSecondsDefault: readDisableSeconds(options),
    strict: options.read(runOptions.strict, parseSwitch),
    standInPort: options.read(runOptions.standIns, parseStandIns),
    // A laptop's own models are on loopback or next door (failure.md, rule 18).
    gateway: readGatewayOptions(options, { version, allowPrivate: true }),
  };
}

/** Settings of `sluice check`. Throws UsageError or StartFailure. */
export function readCheckSettings(paths: readonly string[], flags: Flags, environment: Environment): CheckSettings {
  const options = new Options(flags, environment);
  return {
    paths,
    className: options.read(checkOptions.className, String),
    disableSecondsDefault: readDisableSeconds(options),
    requests: readRequests(flags['explain']),
  };
}

function readDisableSeconds(options: Options): number {
  return options.variable('DISABLED_TIME', readDisabledTime) ?? readDisabledTime(undefined);
}

function readRequests(texts: unknown): CheckSettings['requests'] {
  if (!Array.isArray(texts)) return [];
  return texts.map((text) => {
    try {
      return parseExplainedRequest(String(text));
    } catch (error) {
      throw new UsageError(`--explain ${error instanceof Error ? error.message : String(error)}`);
    }
  });
}

/** `true` (the flag without a value) stands for the usual ports. */
function parseStandIns(text: string): number | undefined {
  if (/^\d/.test(text) && text !== '1' && text !== '0') return parseInteger(1024, 65_533)(text);
  return parseSwitch(text) ? standInPort : undefined;
}
