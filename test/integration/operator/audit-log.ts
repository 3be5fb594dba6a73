// What an API server was asked, by whom, and how it answered: its own audit log.
// https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Asked } from './permissions.ts';

/** One request of a service account. */
export interface AuditedRequest extends Asked {
  /** `namespace:name` of the service account. */
  readonly account: string;
  readonly status: number;
  readonly userAgent: string;
}

/** A log that an API server writes. */
export interface AuditLog extends Disposable {
  readonly apiServerFlags: readonly string[];
  /** Every request of service accounts so far. */
  read(): readonly AuditedRequest[];
}

/** Metadata of what service accounts ask; not when it begins, because how it ends is known only later. */
const policy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'Metadata', userGroups: ['system:serviceaccounts'] }, { level: 'None' }],
};

interface AuditEvent {
  readonly verb: string;
  readonly user: { readonly username: string };
  readonly userAgent?: string;
  readonly objectRef?: {
    readonly apiGroup?: string;
    readonly resource?: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  readonly responseStatus?: { readonly code?: number };
}

/** A place for the log of an API server that is about to start. */
export function createAuditLog(): AuditLog {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-audit-'));
  const policyFile = join(folder, 'policy.json');
  const logFile = join(folder, 'audit.log');
  writeFileSync(policyFile, JSON.stringify(policy));
  writeFileSync(logFile, '');
  return {
    apiServerFlags: [`--audit-policy-file=${policyFile}`, `--audit-log-path=${logFile}`],
    read() {
      const lines = readFileSync(logFile, 'utf8').split('\n').slice(0, -1);
      return lines.map((line) => toRequest(JSON.parse(line) as AuditEvent));
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}

function toRequest({ verb, user, userAgent = '', objectRef = {}, responseStatus }: AuditEvent): AuditedRequest {
  const { apiGroup: group = '', resource = '', subresource, namespace, name } = objectRef;
  return {
    account: user.username.replace('system:serviceaccount:', ''),
    verb,
    group,
    resource: subresource === undefined ? resource : `${resource}/${subresource}`,
    namespace,
    name,
    status: responseStatus?.code ?? 0,
    userAgent,
  };
}
