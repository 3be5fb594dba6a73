// The Lease that says who leads, and what an elector writes into it. Members that are not named here stay as they are.

import { toMicroTime } from '../kube/micro-time.ts';
import { apiVersionOf, type KubeObject, type ResourceType } from '../kube/object.ts';

/** `coordination.k8s.io/v1` Lease. */
export const leaseType: ResourceType = {
  group: 'coordination.k8s.io',
  version: 'v1',
  plural: 'leases',
  kind: 'Lease',
  namespaced: true,
};

/** The record of an election. */
export interface LeaseSpec {
  /** Empty, or left out, when nobody leads. */
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly acquireTime?: string;
  readonly renewTime?: string;
  /** How often the leader changed. */
  readonly leaseTransitions?: number;
  readonly [member: string]: unknown;
}

/** A Lease as the API server sends it. */
export interface Lease extends KubeObject {
  readonly spec?: LeaseSpec;
}

/** Who holds it; '' if nobody does. */
export function holderOf(lease: Lease | undefined): string {
  return lease?.spec?.holderIdentity ?? '';
}

/** A claim to a Lease. */
export interface LeaseClaim {
  readonly namespace: string;
  readonly name: string;
  readonly identity: string;
  readonly durationMs: number;
}

/** The Lease as its holder renews it, as another takes it, or, where there is none, as the first one makes it. */
export function claimedLease(before: Lease | undefined, claim: LeaseClaim, nowMs: number): Lease {
  const { identity, durationMs, namespace, name } = claim;
  const now = toMicroTime(nowMs);
  const isRenewal = holderOf(before) === identity;
  const transitions = before?.spec?.leaseTransitions ?? 0;
  return {
    ...(before ?? { apiVersion: apiVersionOf(leaseType), kind: leaseType.kind, metadata: { namespace, name } }),
    spec: {
      ...before?.spec,
      holderIdentity: identity,
      // A whole number; longer than meant is safe.
      leaseDurationSeconds: Math.ceil(durationMs / 1000),
      acquireTime: (isRenewal ? before?.spec?.acquireTime : undefined) ?? now,
      renewTime: now,
      leaseTransitions: before === undefined || isRenewal ? transitions : transitions + 1,
    },
  };
}

/** The Lease as its holder gives it away. Zero seconds would be refused. */
export function releasedLease(before: Lease, nowMs: number): Lease {
  const now = toMicroTime(nowMs);
  return {
    ...before,
    spec: { ...before.spec, holderIdentity: '', leaseDurationSeconds: 1, acquireTime: now, renewTime: now },
  };
}
