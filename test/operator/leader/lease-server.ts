// One Lease in an API server that lives in memory: versions, conflicts, and the rules for what may be written.

import type { KubeCall, KubeClient } from '../../../operator/kube/client.ts';
import { KubeError } from '../../../operator/kube/kube-error.ts';
import type { Lease } from '../../../operator/leader/lease.ts';

const collection = '/apis/coordination.k8s.io/v1/namespaces/sluice-system/leases';
const path = `${collection}/operator`;

/** The Lease that the electors of these tests fight for. */
export const leaseName = { namespace: 'sluice-system', name: 'operator' };

/** Answers at once. */
export class LeaseServer {
  lease: Lease | undefined;
  /** Method of each request. */
  readonly requests: string[] = [];
  #version = 0;

  handle({ method, path: asked, body }: Pick<KubeCall, 'method' | 'path' | 'body'>): Lease {
    this.requests.push(method);
    if (asked !== (method === 'POST' ? collection : path)) throw new Error(`unexpected ${method} ${asked}`);
    switch (method) {
      case 'GET':
        return structuredClone(this.#existing());
      case 'POST':
        if (this.lease !== undefined) throw failure(409, 'AlreadyExists');
        return this.#store(body as Lease);
      case 'PUT': {
        const { resourceVersion } = this.#existing().metadata;
        if (resourceVersion !== (body as Lease).metadata.resourceVersion) throw failure(409, 'Conflict');
        return this.#store(body as Lease);
      }
      default:
        throw new Error(`unexpected ${method}`);
    }
  }

  /** Writes past the electors, as a person would. */
  edit(change: (lease: Lease) => Lease): void {
    this.#store(change(this.#existing()));
  }

  #existing(): Lease {
    if (this.lease === undefined) throw failure(404, 'NotFound');
    return this.lease;
  }

  #store(lease: Lease): Lease {
    const { renewTime, acquireTime, leaseDurationSeconds = 0 } = lease.spec ?? {};
    for (const time of [renewTime, acquireTime]) {
      if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/.test(time ?? '')) throw failure(400, 'BadRequest');
    }
    if (!Number.isInteger(leaseDurationSeconds) || leaseDurationSeconds <= 0) throw failure(422, 'Invalid');
    // A write that changes nothing makes no version.
    if (JSON.stringify(lease) !== JSON.stringify(this.lease)) this.#version += 1;
    const metadata = { uid: 'lease-uid', ...lease.metadata, resourceVersion: String(this.#version) };
    this.lease = structuredClone({ ...lease, metadata });
    return structuredClone(this.lease);
  }
}

/** A client for calls only, as strict about deadlines as AbortSignal.timeout. */
export function clientOf(call: (request: KubeCall) => Promise<unknown>): KubeClient {
  return {
    async call<T>(request: KubeCall) {
      if (!Number.isInteger(request.timeoutMs)) throw new RangeError(`a deadline of ${request.timeoutMs} ms`);
      return (await call(request)) as T;
    },
    stream: () => Promise.reject(new Error('no watches here')),
    close: () => Promise.resolve(),
  };
}

/** What the API server answers instead; status 0: nothing. */
export function failure(status: number, reason = ''): KubeError {
  return new KubeError(`answered ${status} ${reason}`, { status, reason });
}
