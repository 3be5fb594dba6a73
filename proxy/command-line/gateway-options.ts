// The options of a gateway, wherever its configuration comes from: `sluice run` and `sluice proxy` both have them.

import { isIP } from 'node:net';
import type { GatewayOptions } from '../gateway.ts';
import { logLevels } from '../telemetry/log.ts';
import { parseListenAddress } from './listen-address.ts';
import { type Options, type OptionSpec, parseInteger, parseSwitch, parseWord } from './options.ts';

/** Options of every gateway, in the order of `--help`. */
export const gatewayOptions = {
  className: {
    flag: '--class <name>',
    variable: 'SLUICE_CLASS',
    says: 'gateways of one class share what they learn',
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
  maxRequests: {
    flag: '--max-requests <count>',
    variable: 'SLUICE_MAX_REQUESTS',
    says: 'requests in flight; more are refused with 503. 0 = any number',
    fallback: '10000',
  },
  shedLoopDelay: {
    flag: '--shed-loop-delay-ms <ms>',
    variable: 'SLUICE_SHED_LOOP_DELAY_MS',
    says: 'new requests are refused while the event loop never rests and is later than this on average. 0 = never',
    fallback: '200',
  },
  shedMemory: {
    flag: '--shed-memory-percent <percent>',
    variable: 'SLUICE_SHED_MEMORY_PERCENT',
    says: "new requests are refused while more of the heap's or the container's limit is in use. 0 = never",
    fallback: '85',
  },
  allowEndpointCidr: {
    flag: '--allow-endpoint-cidr <cidrs>',
    variable: 'SLUICE_ALLOW_ENDPOINT_CIDR',
    says: 'addresses that providers may have besides public ones and Services, with commas between them',
    repeats: true,
  },
  allowSourceCidr: {
    flag: '--allow-source-cidr <cidrs>',
    variable: 'SLUICE_ALLOW_SOURCE_CIDR',
    says: 'addresses from which images and documents are fetched besides public ones, with commas between them',
    repeats: true,
  },
  plugins: {
    flag: '--plugins <folder>',
    variable: 'SLUICE_PLUGINS',
    says: 'where the modules of the strategy Plugin are; without it chance decides in their place',
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
} as const satisfies Record<string, OptionSpec>;

/** What has no flag: secrets, which a list of processes would show, and what others define. */
export const gatewayVariables = {
  SLUICE_ADMIN_TOKEN: 'bearer token that the admin port asks for',
  GOOGLE_APPLICATION_CREDENTIALS:
    'key file of who this gateway is at Google, for providers with the credentials Workload; else the metadata server tells',
  AWS_ROLE_ARN:
    'role of this gateway at AWS, taken on with the token in AWS_WEB_IDENTITY_TOKEN_FILE; else AWS_CONTAINER_CREDENTIALS_FULL_URI tells. EKS sets them',
  OTEL_EXPORTER_OTLP_ENDPOINT:
    'where traces go; none are made where left out. Further OTEL_* as OpenTelemetry defines them',
} as const;

/** A day: whoever drains for longer waits for a stream that will not end. */
const drainSecondsMax = 86_400;
/** Far above what a process has sockets for. */
const requestsMax = 1_000_000;
/** A loop that is a minute late serves nobody. */
const loopDelayMsMax = 60_000;
/** No fleet is larger, and a slip of the hand would leave nothing of the limits. */
const replicasMax = 10_000;

/** Reads how a gateway is to be run. `allowPrivate` is for the program to say, not for its options. Throws UsageError or StartFailure. */
export function readGatewayOptions(
  options: Options,
  { version, allowPrivate }: { readonly version: string; readonly allowPrivate: boolean },
): GatewayOptions {
  const variable = (name: string): string | undefined => options.variable(name, String);
  return {
    version,
    listen: options.read(gatewayOptions.listen, parseListenAddress),
    admin: { ...options.read(gatewayOptions.admin, parseListenAddress), token: variable('SLUICE_ADMIN_TOKEN') },
    redisURL: options.read(gatewayOptions.redis, String),
    className: options.read(gatewayOptions.className, String),
    replicas: options.read(gatewayOptions.replicas, parseInteger(1, replicasMax)),
    drainMs: options.read(gatewayOptions.drainSeconds, parseInteger(0, drainSecondsMax)) * 1000,
    overload: {
      requestsMax: options.read(gatewayOptions.maxRequests, parseInteger(0, requestsMax)),
      loopDelayMeanMsMax: options.read(gatewayOptions.shedLoopDelay, parseInteger(0, loopDelayMsMax)),
      memoryShareMax: options.read(gatewayOptions.shedMemory, parseInteger(0, 100)) / 100,
    },
    addresses: { allowPrivate, allowCidrs: options.read(gatewayOptions.allowEndpointCidr, parseCidrs) ?? [] },
    sources: { allowCidrs: options.read(gatewayOptions.allowSourceCidr, parseCidrs) ?? [] },
    identity: readIdentity(variable),
    pluginFolder: options.read(gatewayOptions.plugins, String),
    logLevel: options.read(gatewayOptions.logLevel, parseWord(logLevels)),
    accessLog: options.read(gatewayOptions.accessLog, parseSwitch),
    otlpEndpoint: variable('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT') ?? variable('OTEL_EXPORTER_OTLP_ENDPOINT'),
    serviceName: variable('OTEL_SERVICE_NAME'),
  };
}

/** Under the names that the clouds' own libraries read, and that their platforms set. */
function readIdentity(variable: (name: string) => string | undefined): NonNullable<GatewayOptions['identity']> {
  return {
    googleKeyFile: variable('GOOGLE_APPLICATION_CREDENTIALS'),
    metadataHost: variable('GCE_METADATA_HOST'),
    containerURL: variable('AWS_CONTAINER_CREDENTIALS_FULL_URI'),
    containerTokenFile: variable('AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE'),
    roleARN: variable('AWS_ROLE_ARN'),
    webIdentityTokenFile: variable('AWS_WEB_IDENTITY_TOKEN_FILE'),
    sessionName: variable('AWS_ROLE_SESSION_NAME'),
    stsURL: variable('AWS_ENDPOINT_URL_STS'),
  };
}

function parseCidrs(text: string): readonly string[] {
  const cidrs = text.split(/[\s,]+/).filter((cidr) => cidr !== '');
  const odd = cidrs.find((cidr) => !isCidr(cidr));
  if (odd !== undefined)
    throw new Error(`must be networks such as 169.254.0.0/16, with commas between them; ${odd} is none`);
  return cidrs;
}

function isCidr(text: string): boolean {
  const [, address = '', bits] = /^([0-9A-Fa-f:.]+)\/(\d{1,3})$/.exec(text) ?? [];
  return Number(bits) <= ({ 4: 32, 6: 128 }[isIP(address)] ?? -1);
}
