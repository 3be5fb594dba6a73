// Our own resources as the operator keeps them: parsed once when they arrive, with what writing to them needs.

import { z } from 'zod';
import { conditionSchema } from '../../crds/conditions.ts';
import type { Kind } from '../../crds/group.ts';
import { parseResource, type ParseResult } from '../../crds/parse-resource.ts';
import type { KubeObject } from '../kube/object.ts';
import type { Condition } from '../status/facts.ts';
import type { Projection } from './cache.ts';
import { withoutLastApplied } from './projections.ts';

/** One resource. */
export interface Resource<Name extends Kind = Kind> {
  readonly kind: Name;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly generation: number;
  readonly creationTimestamp: string;
  readonly deleting: boolean;
  readonly resourceVersion: string;
  /** With defaults filled in; or what is wrong with it. */
  readonly parsed: ParseResult<Name>;
  /** As stored; untrusted. */
  readonly status: unknown;
  /** Conditions as they are stored. One that others have written in another form is as good as none. */
  readonly conditions: readonly Condition[];
  /** Changes with everything that matters to the configuration: spec, labels, annotations, identity. */
  readonly fingerprint: string;
}

/** Keeps the resources of one class. The class cannot be changed, so what is of another one stays so. */
export function projectResource<Name extends Kind>(kind: Name, className: string): Projection<Resource<Name>> {
  return (object) => {
    const { spec } = object as { readonly spec?: { readonly className?: unknown } };
    if ((spec?.className ?? 'default') !== className) return undefined;
    return toResource(kind, object);
  };
}

/** Whether nothing has changed but the status. */
export function sameResource(one: Resource, other: Resource): boolean {
  return one.fingerprint === other.fingerprint;
}

function toResource<Name extends Kind>(kind: Name, object: KubeObject): Resource<Name> {
  const metadata = toMetadata(object.metadata);
  const { name, namespace = '', uid = '', generation = 0, creationTimestamp = '', resourceVersion = '' } = metadata;
  const { deletionTimestamp, labels = {}, annotations = {} } = metadata;
  const deleting = deletionTimestamp !== undefined;
  return {
    kind,
    namespace,
    name,
    uid,
    generation,
    creationTimestamp,
    deleting,
    resourceVersion,
    parsed: parseResource(kind, { ...object, metadata }),
    status: object['status'],
    conditions: readConditions(object['status']),
    fingerprint: JSON.stringify([uid, generation, deleting, labels, annotations]),
  };
}

const conditionsSchema = z.looseObject({ conditions: z.array(z.unknown()).optional() });

function readConditions(status: unknown): readonly Condition[] {
  const stored = conditionsSchema.safeParse(status).data?.conditions ?? [];
  return stored.flatMap((condition) => conditionSchema.safeParse(condition).data ?? []);
}

/** Who wrote which field, and what kubectl has applied, are more than half of an object, and none of our business. */
function toMetadata(metadata: KubeObject['metadata']): KubeObject['metadata'] {
  const { managedFields: _, ...rest } = metadata as KubeObject['metadata'] & { readonly managedFields?: unknown };
  if (rest.annotations === undefined) return rest;
  return { ...rest, annotations: withoutLastApplied(rest.annotations) };
}
