/**
 * The metadata of an object, as far as Sluice reads it. Kubernetes owns it, checks it, and may add to it, so it is
 * loose here; parse-resource.ts looks for misspelt members in what people wrote.
 */
import { z } from 'zod';
import { annotations, labels } from './metadata-names.ts';
import { count, namespaceName, objectName } from './scalars.ts';

/** Metadata of a resource. A file may leave the namespace out. */
export const objectMetaSchema = z.looseObject({
  name: objectName(),
  namespace: namespaceName().default('default'),
  uid: z.string().optional(),
  resourceVersion: z.string().optional(),
  generation: count(0).optional(),
  creationTimestamp: z.string().optional(),
  deletionTimestamp: z.string().optional(),
  labels: labels().optional(),
  annotations: annotations().optional(),
});

/** Every member of ObjectMeta of Kubernetes 1.36. */
export const objectMetaMembers: ReadonlySet<string> = new Set([
  ...Object.keys(objectMetaSchema.shape),
  'deletionGracePeriodSeconds',
  'finalizers',
  'generateName',
  'managedFields',
  'ownerReferences',
  'selfLink',
]);
