// What the command line and the environment ask for, read once, before anything is started.

import type { GatewayOptions } from '../../proxy/gateway.ts';
import { logLevels } from '../../proxy/telemetry/log.ts';
import type { CheckSettings } from './check.ts';
import { readDisabledTime } from './disabled-time.ts';
import { parseExplainedRequest } from './explain/request.ts';
import { UsageError } from './failures.ts';
import { parseListenAddress } from './listen-address.ts';
import type { Environment } from './load/variables.ts';
import { checkOptions, type Flags, Options, parseInteger, parseSwitch, parseWord, runOptions } from './options.ts';

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

/** A day: whoever drains for longer waits for a stream that will not end. */
const drainSecondsMax = 86_400;
/** No fleet is larger, and a slip of the hand would leave nothing of the limits. */
const replicasMax = 10_000;
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
  const variable = (name: string): string | undefined => options.variable(name, String);
  return {
    paths,
    disableSecondsDefault: readDisableSeconds(options),
    strict: options.read(runOptions.strict, parseSwitch),
    standInPort: options.read(runOptions.standIns, parseStandIns),
    gateway: {
      version,
      listen: options.read(runOptions.listen, parseListenAddress),
      admin: { ...options.read(runOptions.admin, parseListenAddress), token: variable('SLUICE_ADMIN_TOKEN') },
      redisURL: options.read(runOptions.redis, String),
      className: options.read(runOptions.className, String),
      replicas: options.read(runOptions.replicas, parseInteger(1, replicasMax)),
      drainMs: options.read(runOptions.drainSeconds, parseInteger(0, drainSecondsMax)) * 1000,
      // A laptop's own models are on loopback or next door (failure.md, rule 18).
      addresses: { allowPrivate: true, allowCidrs: options.read(runOptions.allowEndpointCidr, parseCidrs) ?? [] },
      logLevel: options.read(runOptions.logLevel, parseWord(logLevels)),
      accessLog: options.read(runOptions.accessLog, parseSwitch),
      otlpEndpoint: variable('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT') ?? variable('OTEL_EXPORTER_OTLP_ENDPOINT'),
      serviceName: variable('OTEL_SERVICE_NAME'),
    },
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

/** Only their shape: what they mean is read by whoever connects. */
function parseCidrs(text: string): readonly string[] {
  const cidrs = text.split(/[\s,]+/).filter((cidr) => cidr !== '');
  const odd = cidrs.find((cidr) => !/^[0-9A-Fa-f:.]+\/\d{1,3}$/.test(cidr));
  if (odd !== undefined)
    throw new Error(`must be networks such as 169.254.0.0/16, with commas between them; ${odd} is none`);
  return cidrs;
}

/** `true` (the flag without a value) stands for the usual ports. */
function parseStandIns(text: string): number | undefined {
  if (/^\d/.test(text) && text !== '1' && text !== '0') return parseInteger(1024, 65_533)(text);
  return parseSwitch(text) ? standInPort : undefined;
}
