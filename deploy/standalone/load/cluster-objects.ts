// Objects of Kubernetes itself that resources refer to, as far as they matter here. Written by people, so read strictly.

import { z } from 'zod';
import { objectMetaSchema } from '../../../crds/object-meta.ts';
import { type Problem, toProblems } from '../../../crds/problem.ts';
import type {
  ConfigMapObject,
  NamespaceObject,
  ReferenceGrantObject,
  SecretObject,
  ServiceObject,
} from '../../../operator/compile/world.ts';
import { type Environment, expandVariables } from './variables.ts';

/** An object as far as it could be read, and what is wrong with it. */
export interface Reading<T> {
  readonly object: T | undefined;
  readonly problems: readonly Problem[];
}

const head = { apiVersion: z.string(), kind: z.string(), metadata: objectMetaSchema, status: z.unknown().optional() };
const texts = z.record(z.string(), z.string());

const secretSchema = z.strictObject({
  ...head,
  type: z.string().optional(),
  immutable: z.boolean().optional(),
  data: texts.nullish(),
  stringData: texts.nullish(),
});

/** Reads a Secret. Variables are expanded in `stringData`; what is in `data` is meant to the byte. */
export function readSecret(value: unknown, environment: Environment): Reading<SecretObject> {
  return read(secretSchema, value, ({ metadata, data, stringData }, report) => {
    const entries = new Map<string, string>();
    for (const [key, encoded] of Object.entries(data ?? {})) {
      if (isBase64(encoded)) entries.set(key, Buffer.from(encoded, 'base64').toString());
      else report(`data.${key}`, 'must be base64; plain text belongs into stringData');
    }
    for (const [key, text] of Object.entries(stringData ?? {})) {
      const { text: expanded, problems } = expandVariables(text, environment);
      for (const problem of problems) report(`stringData.${key}`, problem);
      if (problems.length === 0) entries.set(key, expanded);
      else entries.delete(key);
    }
    const { name, namespace, labels = {}, annotations = {} } = metadata;
    // Who owns an object is known by uid, and objects in files have none.
    return { namespace, name, labels, annotations, ownerUIDs: [], data: Object.fromEntries(entries) };
  });
}

/** As the API server takes it: with padding, and with line breaks anywhere. */
function isBase64(text: string): boolean {
  const joined = text.replaceAll(/[\r\n]/g, '');
  return joined.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(joined);
}

const configMapSchema = z.strictObject({
  ...head,
  immutable: z.boolean().optional(),
  data: texts.nullish(),
  binaryData: texts.nullish(),
});

/** Reads a ConfigMap. */
export function readConfigMap(value: unknown): Reading<ConfigMapObject> {
  return read(configMapSchema, value, ({ metadata: { namespace, name }, data }) => ({
    namespace,
    name,
    data: data ?? {},
  }));
}

const namespaceSchema = z.strictObject({ ...head, spec: z.unknown().optional() });

/** Reads a Namespace. */
export function readNamespace(value: unknown): Reading<NamespaceObject> {
  return read(namespaceSchema, value, ({ metadata: { name, labels = {} } }) => ({ name, labels }));
}

const serviceSchema = z.strictObject({
  ...head,
  spec: z.looseObject({
    type: z.string().default('ClusterIP'),
    ports: z.array(z.looseObject({ port: z.int() })).nullish(),
  }),
});

/** Reads a Service. */
export function readService(value: unknown): Reading<ServiceObject> {
  return read(serviceSchema, value, ({ metadata: { namespace, name }, spec: { type, ports } }) => ({
    namespace,
    name,
    type,
    ports: (ports ?? []).map(({ port }) => port),
  }));
}

const grantSchema = z.strictObject({
  ...head,
  spec: z.strictObject({
    from: z.array(z.strictObject({ group: z.string(), kind: z.string(), namespace: z.string() })).min(1),
    to: z.array(z.strictObject({ group: z.string(), kind: z.string(), name: z.string().optional() })).min(1),
  }),
});

/** Reads a ReferenceGrant of Gateway API. */
export function readReferenceGrant(value: unknown): Reading<ReferenceGrantObject> {
  return read(grantSchema, value, ({ metadata: { namespace, name }, spec: { from, to } }) => ({
    namespace,
    name,
    from,
    to: to.map(({ group, kind, name: granted }) => ({
      group,
      kind,
      ...(granted === undefined ? {} : { name: granted }),
    })),
  }));
}

function read<Value, T>(
  schema: z.ZodType<Value>,
  value: unknown,
  convert: (parsed: Value, report: (field: string, message: string) => void) => T,
): Reading<T> {
  const parsed = schema.safeParse(value, { reportInput: true });
  if (!parsed.success) return { object: undefined, problems: toProblems(parsed.error.issues) };
  const problems: Problem[] = [];
  const object = convert(parsed.data, (field, message) => problems.push({ field, message }));
  return { object, problems };
}
