// Resources as a user writes them, for what reads files.

/** One resource in the default namespace. */
export function resource(kind: 'LLMProvider' | 'LLMRoute' | 'LLMKey', name: string, spec: object): object {
  return { apiVersion: 'sluice.dev/v1alpha1', kind, metadata: { name }, spec };
}

/** A file of YAML documents, each of them JSON. */
export function toManifest(objects: readonly object[]): string {
  return objects.map((object) => `${JSON.stringify(object)}\n`).join('---\n');
}
