// The authority of a node, and what it vouches for. Whoever calls the API server does it with a token, as in the control
// plane of the tests; certificates are for those who are called, and for the API server's own calls of the kubelet.

import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../run.ts';
import { filesOf, type NodePlace } from './place.ts';

/** Who calls the API server: `user` and groups are what RBAC knows them by. */
export interface Caller {
  readonly user: string;
  readonly groups: readonly string[];
  readonly token: string;
}

/** The callers of a node. */
export type Callers = Readonly<Record<'admin' | 'controllerManager' | 'scheduler' | 'proxy' | 'kubelet', Caller>>;

const validDays = '30';
const keyOptions = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', validDays];

/** Paths of a certificate and its key. */
export function certificateOf(place: NodePlace, name: 'apiserver' | 'kubelet' | 'kubelet-client') {
  const { certificates } = filesOf(place);
  return { certificate: join(certificates, `${name}.crt`), key: join(certificates, `${name}.key`) } as const;
}

/** The key with which tokens of service accounts are signed. */
export function serviceAccountKeys(place: NodePlace) {
  const { certificates } = filesOf(place);
  return { signing: join(certificates, 'service-account.key'), verifying: join(certificates, 'service-account.pub') };
}

/** Makes all of them. */
export async function makeCertificates(place: NodePlace): Promise<void> {
  const { ca, certificates } = filesOf(place);
  mkdirSync(certificates, { recursive: true, mode: 0o700 });
  const authority = ['-subj', '/CN=sluice-cluster', '-keyout', ca.key, '-out', ca.certificate];
  await run('openssl', ['req', '-x509', ...keyOptions, ...authority]);
  const { nodeAddress, apiServiceAddress } = place;
  const names = ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc'];
  await Promise.all([
    issue(place, 'apiserver', '/CN=kube-apiserver', [
      ...[...names, 'kubernetes.default.svc.cluster.local'].map((name) => `DNS:${name}`),
      ...['127.0.0.1', apiServiceAddress, nodeAddress].map((address) => `IP:${address}`),
    ]),
    issue(place, 'kubelet', `/O=system:nodes/CN=system:node:${place.name}`, [`DNS:${place.name}`, `IP:${nodeAddress}`]),
    issue(place, 'kubelet-client', '/O=system:masters/CN=kube-apiserver-kubelet-client', []),
    makeServiceAccountKeys(place),
  ]);
}

async function issue(
  place: NodePlace,
  name: Parameters<typeof certificateOf>[1],
  subject: string,
  alternatives: readonly string[],
): Promise<void> {
  const { ca } = filesOf(place);
  const { certificate, key } = certificateOf(place, name);
  const extensions = ['basicConstraints=critical,CA:FALSE', 'extendedKeyUsage=serverAuth,clientAuth'];
  if (alternatives.length > 0) extensions.push(`subjectAltName=${alternatives.join(',')}`);
  const files = ['-CA', ca.certificate, '-CAkey', ca.key, '-keyout', key, '-out', certificate];
  const asked = ['-subj', subject, ...extensions.flatMap((extension) => ['-addext', extension])];
  await run('openssl', ['req', '-x509', ...keyOptions, ...files, ...asked]);
}

async function makeServiceAccountKeys(place: NodePlace): Promise<void> {
  const { signing, verifying } = serviceAccountKeys(place);
  await run('openssl', ['genrsa', '-out', signing, '2048']);
  await run('openssl', ['rsa', '-in', signing, '-pubout', '-out', verifying]);
}

/** Gives everybody a token, and writes the file that the API server knows them from. */
export function makeCallers(place: NodePlace): Callers {
  const callers: Callers = {
    admin: caller('admin', ['system:masters']),
    controllerManager: caller('system:kube-controller-manager'),
    scheduler: caller('system:kube-scheduler'),
    proxy: caller('system:kube-proxy'),
    kubelet: caller(`system:node:${place.name}`, ['system:nodes']),
  };
  const lines = Object.values(callers).map(
    ({ token, user, groups }) => `${token},${user},${user},"${groups.join(',')}"`,
  );
  writeFileSync(filesOf(place).tokens, `${lines.join('\n')}\n`, { mode: 0o600 });
  return callers;
}

function caller(user: string, groups: readonly string[] = []): Caller {
  return { user, groups, token: randomBytes(16).toString('hex') };
}
