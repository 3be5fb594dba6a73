// What `sluice operator` is told on its command line and in its environment.

import { hostname } from 'node:os';
import { delimiter, join } from 'node:path';
import type { ProxyAddress } from '../../operator/acks/ask-proxy.ts';
import type { OperatorOptions } from '../../operator/ground.ts';
import { UsageError } from '../../proxy/command-line/failures.ts';
import { gatewayOptions } from '../../proxy/command-line/gateway-options.ts';
import { parseListenAddress } from '../../proxy/command-line/listen-address.ts';
import { type Environment, type Flags, Options, type OptionSpec, parseWord } from '../../proxy/command-line/options.ts';
import { type LogLevel, logLevels } from '../../proxy/telemetry/log.ts';
import { readDisabledTime } from './disabled-time.ts';

/** Options of `sluice operator`, in the order of `--help`. */
export const operatorOptions = {
  kubeconfig: {
    flag: '--kubeconfig <file>',
    variable: 'KUBECONFIG',
    says: 'credentials for the API server; in a pod those of its ServiceAccount where left out, elsewhere ~/.kube/config',
  },
  className: {
    flag: '--class <name>',
    variable: 'SLUICE_CLASS',
    says: 'only objects of this spec.className are reconciled',
    fallback: 'default',
  },
  installNamespace: {
    flag: '--install-namespace <namespace>',
    variable: 'SLUICE_INSTALL_NAMESPACE',
    says: 'where the ConfigMaps, the Secret, the Lease and the proxies are; the namespace of the pod or of the kubeconfig where left out',
  },
  watchNamespace: {
    flag: '--watch-namespace <namespaces>',
    variable: 'SLUICE_WATCH_NAMESPACE',
    says: 'namespaces whose objects count, with commas between them; all where left out',
    repeats: true,
  },
  proxySelector: {
    flag: '--proxy-selector <labels>',
    variable: 'SLUICE_PROXY_SELECTOR',
    says: 'label selector of the pods of proxies, such as app.kubernetes.io/component=proxy; they are asked what they serve',
  },
  proxyAdmin: {
    flag: '--proxy-admin <host:port>',
    variable: 'SLUICE_PROXY_ADMIN',
    says: 'admin ports of proxies outside the cluster, with commas between them',
    repeats: true,
  },
  admin: {
    flag: '--admin <host:port>',
    variable: 'SLUICE_ADMIN',
    says: 'where /healthz, /readyz and /metrics are served',
    fallback: '127.0.0.1:9090',
  },
  logLevel: gatewayOptions.logLevel,
} as const satisfies Record<string, OptionSpec>;

/** What has no flag. */
export const operatorVariables = {
  SLUICE_ADMIN_TOKEN: 'bearer token of the proxies’ admin ports',
  DISABLED_TIME:
    'minutes for which a failing backend is out where its route does not say; fractions allowed, 0 = never, 10 where left out',
} as const;

/** Settings of `sluice operator`. */
export interface OperatorSettings {
  readonly operator: OperatorOptions;
  readonly logLevel: LogLevel;
}

/** Reads them. `newId` gives a UUID. Throws UsageError or StartFailure. */
export function readOperatorSettings(
  flags: Flags,
  environment: Environment,
  { version, newId }: { readonly version: string; readonly newId: () => string },
): OperatorSettings {
  const options = new Options(flags, environment);
  const proxySelector = options.read(operatorOptions.proxySelector, parseSelector);
  const proxyAddresses = options.read(operatorOptions.proxyAdmin, parseAddresses) ?? [];
  return {
    logLevel: options.read(operatorOptions.logLevel, parseWord(logLevels)),
    operator: {
      version,
      credentials: chooseCredentials(options.read(operatorOptions.kubeconfig, parseOneFile), environment),
      className: options.read(operatorOptions.className, parseClassName),
      installNamespace: options.read(operatorOptions.installNamespace, parseNamespace),
      watchNamespaces: options.read(operatorOptions.watchNamespace, parseNamespaces) ?? [],
      proxySelector,
      proxyAddresses,
      adminToken: options.variable('SLUICE_ADMIN_TOKEN', String),
      admin: options.read(operatorOptions.admin, parseListenAddress),
      disableSecondsDefault: options.variable('DISABLED_TIME', readDisabledTime) ?? readDisabledTime(undefined),
      identity: `${hostname()}_${newId()}`,
    },
  };
}

/** ConfigMaps are named after the class, and shards after those: `sluice-blue-0` must not be both. */
function parseClassName(text: string): string {
  if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(text)) throw new Error('must be lower-case letters, digits and "-"');
  if (/-[0-9]$/.test(text))
    throw new Error('must not end in "-" and one digit: shards of a configuration are named so');
  return text;
}

function chooseCredentials(kubeconfig: string | undefined, environment: Environment): OperatorOptions['credentials'] {
  if (kubeconfig !== undefined) return { type: 'kubeconfig', path: kubeconfig };
  if (environment['KUBERNETES_SERVICE_HOST']) return { type: 'in-cluster' };
  const home = environment['HOME'];
  if (home) return { type: 'kubeconfig', path: join(home, '.kube', 'config') };
  throw new UsageError('--kubeconfig must be given outside a cluster, or the environment variable KUBECONFIG');
}

/** kubectl merges several files; here it would be a guess which cluster is meant. */
function parseOneFile(text: string): string {
  if (text.trim() === '') throw new Error('must be a file');
  if (text.includes(delimiter)) throw new Error('must be one file: kubectl config view --flatten makes one of several');
  return text;
}

function parseNamespace(text: string): string {
  if (/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(text)) return text;
  throw new Error(`must be the name of a namespace, lower-case letters, digits and "-", and not "${text}"`);
}

/** A list that turned out empty must not mean all namespaces, as a list that is left out does. */
function parseNamespaces(text: string): readonly string[] {
  const names = splitList(text);
  if (names.length === 0) throw new Error('must name a namespace; all are watched where it is left out');
  return names.map(parseNamespace);
}

const labelKey = String.raw`([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?`;
const labelValue = String.raw`([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?`;
const requirement = new RegExp(
  String.raw`^(!\s*${labelKey}|${labelKey}(\s*(=|==|!=)\s*${labelValue}|\s+(in|notin)\s+\(\s*${labelValue}(\s*,\s*${labelValue})*\s*\))?)$`,
);

/** The API server would refuse a selector that is none, again and again; one that is empty would select every pod. */
function parseSelector(text: string): string {
  // Commas inside brackets separate values.
  const requirements = text.split(/,(?![^()]*\))/).map((part) => part.trim());
  if (requirements.every((part) => requirement.test(part))) return text;
  throw new Error('must be a label selector, such as app.kubernetes.io/component=proxy');
}

/** Each once: what is named twice is one thing. */
function splitList(text: string): readonly string[] {
  return [...new Set(text.split(/[\s,]+/).filter((entry) => entry !== ''))];
}

function parseAddresses(text: string): readonly ProxyAddress[] {
  const entries = splitList(text);
  if (entries.length === 0) throw new Error('must be HOST:PORT, or several with commas between them');
  return entries.map((entry) => {
    const { host, port } = parseListenAddress(entry);
    if (port === 0) throw new Error('must have a port');
    return { proxy: entry, host: host === '::' ? '::1' : host, port };
  });
}
