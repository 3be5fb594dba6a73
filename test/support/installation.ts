// An installation of Sluice in a control plane: its namespace, its service accounts with the permissions of
// deploy/manifests, and operators and proxies that act as them, in this process. Every installation has a class of its own,
// so that many can live in one control plane.

import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { systemClock } from '../../operator/clock.ts';
import type { OperatorContext, OperatorOptions } from '../../operator/ground.ts';
import type { Log, LogFields } from '../../operator/log.ts';
import { type Operator, startOperator } from '../../operator/operator.ts';
import type { Gateway } from '../../proxy/gateway.ts';
import { type ProxyOptions, startProxy } from '../../proxy/proxy.ts';
import type { ControlPlaneClient } from '../cluster/client.ts';
import { usualOptions } from './gateway.ts';

/** A line that an operator logged. */
export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: LogFields;
  readonly message: string;
}

/** An operator under test. */
export interface TestOperator extends Operator, AsyncDisposable {
  readonly lines: readonly LogLine[];
  /** Secrets that it asked to keep out of the log. */
  readonly url: string;
}

/** A proxy under test. */
export interface TestProxy extends AsyncDisposable {
  readonly gateway: Gateway;
  /** `HOST:PORT` of its admin port. */
  readonly admin: string;
  readonly url: string;
}

/** One installation. */
export interface Installation {
  readonly className: string;
  readonly namespace: string;
  /** A kubeconfig of the operator's service account. */
  readonly operatorKubeconfig: string;
  readonly proxyKubeconfig: string;
  /** Starts an operator; further ones compete with it. */
  startOperator(differs?: Partial<OperatorOptions>, context?: Partial<OperatorContext>): Promise<TestOperator>;
  /** Starts a proxy that watches what the operator publishes. */
  startProxy(differs?: Partial<ProxyOptions>): Promise<TestProxy>;
  /** A manifest of one of our kinds, of this class. */
  object(kind: 'LLMProvider' | 'LLMRoute' | 'LLMKey', namespace: string, name: string, spec: object): object;
}

/** What `deploy/manifests` holds, with the names of one installation. `admit` leaves rules out. */
export interface InstallOptions {
  readonly editManifest?: (manifest: Manifest) => Manifest | undefined;
}

/** A manifest, as far as this file looks into it. */
export interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly rules?: readonly {
    readonly apiGroups: readonly string[];
    readonly resources: readonly string[];
    readonly verbs: readonly string[];
    readonly resourceNames?: readonly string[];
  }[];
  readonly [member: string]: unknown;
}

/** Makes the namespace, the service accounts and their permissions. */
export async function install(plane: ControlPlaneClient, options: InstallOptions = {}): Promise<Installation> {
  const namespace = await plane.newNamespace();
  const className = namespace;
  for (const manifest of readManifests(namespace, className)) {
    const edited = (options.editManifest ?? ((same) => same))(manifest);
    if (edited !== undefined) await plane.apply(edited);
  }
  const operatorKubeconfig = await plane.kubeconfigFor(namespace, 'sluice-operator');
  const proxyKubeconfig = await plane.kubeconfigFor(namespace, 'sluice-proxy');
  return {
    className,
    namespace,
    operatorKubeconfig,
    proxyKubeconfig,
    startOperator: (differs = {}, context = {}) =>
      openOperator({ className, namespace, kubeconfig: operatorKubeconfig }, differs, context),
    startProxy: (differs = {}) => openProxy({ className, namespace, kubeconfig: proxyKubeconfig }, differs),
    object: (kind, home, name, spec) => ({
      apiVersion: 'sluice.dev/v1alpha1',
      kind,
      metadata: { namespace: home, name },
      spec: { className, ...spec },
    }),
  };
}

/** The manifests of deploy/manifests under other names; what belongs to no namespace is renamed too. */
function readManifests(namespace: string, className: string): readonly Manifest[] {
  return ['operator-rbac.yaml', 'proxy-rbac.yaml'].flatMap((file) => {
    const text = readFileSync(new URL(`../../deploy/manifests/${file}`, import.meta.url), 'utf8')
      .replaceAll('sluice-system', namespace)
      .replaceAll('sluice-default', `sluice-${className}`);
    return parseAllDocuments(text).map((document) => {
      const manifest = document.toJS() as Manifest;
      return manifest.metadata.namespace === undefined ? renameClusterWide(manifest, className) : manifest;
    });
  });
}

function renameClusterWide(manifest: Manifest, className: string): Manifest {
  const name = `${manifest.metadata.name}-${className}`;
  const roleRef = manifest['roleRef'] as { readonly name: string } | undefined;
  return {
    ...manifest,
    metadata: { ...manifest.metadata, name },
    ...(roleRef === undefined ? {} : { roleRef: { ...roleRef, name: `${roleRef.name}-${className}` } }),
  };
}

interface Place {
  readonly className: string;
  readonly namespace: string;
  readonly kubeconfig: string;
}

async function openOperator(
  { className, namespace, kubeconfig }: Place,
  differs: Partial<OperatorOptions>,
  context: Partial<OperatorContext>,
): Promise<TestOperator> {
  const lines: LogLine[] = [];
  const operator = await startOperator(
    {
      version: '0',
      credentials: { type: 'kubeconfig', path: kubeconfig },
      className,
      installNamespace: namespace,
      watchNamespaces: [],
      proxySelector: undefined,
      proxyAddresses: [],
      adminToken: undefined,
      admin: { host: '127.0.0.1', port: 0 },
      disableSecondsDefault: 600,
      identity: randomUUID(),
      ...differs,
    },
    {
      clock: systemClock,
      random: Math.random,
      randomBytes: (size) => randomBytes(size),
      log: keepLines(lines),
      onSecrets: () => undefined,
      ...context,
    },
  );
  const { host, port } = operator.listening;
  return {
    ...operator,
    lines,
    url: `http://${host}:${port}`,
    async [Symbol.asyncDispose]() {
      await operator.stop();
    },
  };
}

function keepLines(lines: LogLine[]): Log {
  const keep = (level: LogLine['level']) => (fields: LogFields, message: string) =>
    void lines.push({ level, fields, message });
  return { debug: keep('debug'), info: keep('info'), warn: keep('warn'), error: keep('error') };
}

async function openProxy(
  { className, namespace, kubeconfig }: Place,
  differs: Partial<ProxyOptions>,
): Promise<TestProxy> {
  const gateway = await startProxy({
    ...usualOptions,
    className,
    configDirectory: undefined,
    watch: { namespace, name: `sluice-${className}`, kubeconfig, serviceAddress: { host: undefined, port: undefined } },
    ...differs,
  });
  const { data, admin } = gateway.listening;
  return {
    gateway,
    admin: `127.0.0.1:${admin.port}`,
    url: `http://127.0.0.1:${data.port}`,
    async [Symbol.asyncDispose]() {
      await gateway.drain();
    },
  };
}

/** The address of a proxy, as an operator is told it. */
export function addressOf({ admin, gateway }: TestProxy): OperatorOptions['proxyAddresses'][number] {
  return { proxy: admin, host: '127.0.0.1', port: gateway.listening.admin.port };
}
