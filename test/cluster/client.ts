// What tests do with a control plane that runs: as its administrator, and on behalf of service accounts.

import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ApiRequest, createApiRequest } from './api-request.ts';
import { createApply } from './apply.ts';
import { toKubeconfig } from './kubeconfig.ts';

/** Where a control plane is; can be handed to another process. */
export interface ControlPlaneFacts {
  /** `https://127.0.0.1:PORT` */
  readonly url: string;
  readonly port: number;
  /** What its certificate is checked with. */
  readonly caFile: string;
  readonly adminKubeconfig: string;
  /** Bearer token of a member of system:masters. */
  readonly adminToken: string;
  /** Path of the kubectl that belongs to its version. */
  readonly kubectl: string;
  /** Its own temporary folder, removed when it stops. */
  readonly folder: string;
}

/** What kubectl came to. */
export interface KubectlResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

/** How a service account's kubeconfig should carry its token. */
export interface TokenOptions {
  /** At least 600; an hour where left out. */
  readonly expirationSeconds?: number;
  /** The token in a file of its own, the kubeconfig's path with `.token` behind it, so that it can be rotated. */
  readonly tokenFile?: boolean;
}

/** The client's side of a control plane. */
export interface ControlPlaneClient extends ControlPlaneFacts {
  /** Calls as administrator, JSON in and out; rejects with an ApiServerError for anything but 2xx. */
  readonly request: ApiRequest;
  /**
   * Applies objects (YAML text may hold several documents) as administrator: server-side, forced, one after another.
   * Definitions of custom resources are waited for until they are established.
   */
  apply(manifest: object | string): Promise<void>;
  /** Makes a namespace with a name of its own. */
  newNamespace(): Promise<string>;
  /** Runs kubectl, as administrator unless told otherwise; resolves whatever its exit code is. */
  runKubectl(
    args: readonly string[],
    options?: { readonly input?: string; readonly kubeconfig?: string },
  ): Promise<KubectlResult>;
  /** A fresh token of a service account that exists. */
  tokenFor(namespace: string, serviceAccount: string, expirationSeconds?: number): Promise<string>;
  /** Writes a kubeconfig whose user is a service account that exists; its context has that namespace. */
  kubeconfigFor(namespace: string, serviceAccount: string, options?: TokenOptions): Promise<string>;
}

const tokenSeconds = 3600;
const kubectlOutputBytesMax = 64 * 1024 * 1024;

/** Speaks to a control plane that runs. */
export function connectControlPlane(facts: ControlPlaneFacts): ControlPlaneClient {
  const request = createApiRequest(facts);

  async function tokenFor(namespace: string, serviceAccount: string, expirationSeconds = tokenSeconds) {
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${serviceAccount}/token`;
    const { status } = await request<{ readonly status: { readonly token: string } }>('POST', path, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { expirationSeconds },
    });
    return status.token;
  }

  return {
    ...facts,
    request,
    apply: createApply(request),
    tokenFor,
    async newNamespace() {
      const name = `test-${randomBytes(4).toString('hex')}`;
      await request('POST', '/api/v1/namespaces', { metadata: { name } });
      return name;
    },
    runKubectl(args, { input = '', kubeconfig = facts.adminKubeconfig } = {}) {
      // What it has learnt about another server on the same port must not count.
      const own = [`--kubeconfig=${kubeconfig}`, `--cache-dir=${join(facts.folder, 'kubectl')}`];
      return runProgram(facts.kubectl, [...own, ...args], input);
    },
    async kubeconfigFor(namespace, serviceAccount, { expirationSeconds, tokenFile = false } = {}) {
      const token = await tokenFor(namespace, serviceAccount, expirationSeconds);
      const id = randomBytes(4).toString('hex');
      const path = join(facts.folder, `${namespace}-${serviceAccount}-${id}.kubeconfig`);
      if (tokenFile) writeFileSync(`${path}.token`, token, { mode: 0o600 });
      const user = tokenFile ? { tokenFile: `${path}.token` } : { token };
      writeFileSync(path, toKubeconfig(facts, user, namespace), { mode: 0o600 });
      return path;
    },
  };
}

function runProgram(path: string, args: readonly string[], input: string): Promise<KubectlResult> {
  return new Promise((resolve, reject) => {
    const child = execFile(path, args, { maxBuffer: kubectlOutputBytesMax }, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number') return reject(error);
      resolve({ stdout, stderr, code: Number(error?.code ?? 0) });
    });
    child.stdin?.on('error', () => {}).end(input);
  });
}
