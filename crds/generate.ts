/** Makes the CustomResourceDefinitions from the zod schemas. Pure: main.ts writes them. */
import { stringify } from 'yaml';
import { type KindDefinition, kindDefinitions } from './definition.ts';
import { group, version } from './group.ts';
import type { SchemaNode } from './schema-node.ts';
import { toStructural } from './structural.ts';

/** One generated file. */
export interface GeneratedFile {
  readonly name: string;
  readonly text: string;
}

const header = '# Made from crds/*.ts by "npm run generate"; changes made here are lost.\n';

/** A folder of the repository that is generated, and all that belongs into it. */
export interface GeneratedFolder {
  /** From the root of the repository, with a slash at the end. */
  readonly path: string;
  readonly files: readonly GeneratedFile[];
}

/** Everything that is generated: the definitions as they are, and as templates of the charts. */
export function generateFolders(): readonly GeneratedFolder[] {
  const files = generateFiles();
  const templates = (wrap: (text: string) => string): readonly GeneratedFile[] =>
    files.map(({ name, text }) => ({ name, text: wrap(toTemplate(name, text)) }));
  return [
    { path: 'crds/generated/', files },
    {
      path: 'charts/sluice/templates/crds/',
      files: templates((text) => `{{- if .Values.crds.enabled }}\n${keepIf('.Values.crds.keep', text)}{{- end }}\n`),
    },
    { path: 'charts/sluice-crds/templates/', files: templates((text) => keepIf('.Values.keep', text)) },
  ];
}

/** All files that belong into `crds/generated/`. */
export function generateFiles(): readonly GeneratedFile[] {
  return kindDefinitions.map((definition) => ({
    name: `${group}_${definition.plural}.yaml`,
    // YAML 1.1, because kubectl and Helm read that: they would take a bare `on` for true.
    text:
      header +
      stringify(toCustomResourceDefinition(definition), { version: '1.1', lineWidth: 120, sortMapEntries: true }),
  }));
}

const keepLines = `  annotations:\n    helm.sh/resource-policy: keep\n`;

/** Helm would take braces for its own. Throws where the text is not what can be wrapped. */
function toTemplate(name: string, text: string): string {
  if (text.includes('{{')) throw new Error(`${name} has "{{" in it, which means something to Helm`);
  if (text.split(keepLines).length !== 2) throw new Error(`${name} does not have its one annotation, and no other`);
  return text;
}

/** The annotation that keeps a definition when its release goes, where a value says so. */
function keepIf(value: string, text: string): string {
  return text.replace(keepLines, `  {{- if ${value} }}\n${keepLines}  {{- end }}\n`);
}

/** The CustomResourceDefinition of one kind, as an object. */
export function toCustomResourceDefinition(definition: KindDefinition): SchemaNode {
  const { kind, plural, shortName, columns, selectableFields } = definition;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${plural}.${group}`,
      labels: { 'app.kubernetes.io/name': 'sluice', 'app.kubernetes.io/part-of': 'sluice' },
      // Deleting a definition deletes every object of its kind; removing a release must not.
      annotations: { 'helm.sh/resource-policy': 'keep' },
    },
    spec: {
      group,
      scope: 'Namespaced',
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        shortNames: [shortName],
        categories: ['llm'],
      },
      conversion: { strategy: 'None' },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: columns,
          ...(selectableFields.length > 0
            ? { selectableFields: selectableFields.map((jsonPath) => ({ jsonPath })) }
            : {}),
          schema: { openAPIV3Schema: toRoot(definition) },
        },
      ],
    },
  };
}

/** The schema of a whole object; what stands around spec and status is the same for all kinds of all groups. */
function toRoot({ kind, description, spec, status }: KindDefinition): SchemaNode {
  return {
    type: 'object',
    description,
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string', description: 'Group and version of the schema of this object.' },
      kind: { type: 'string', description: 'Kind of this object.' },
      metadata: { type: 'object' },
      spec: toStructural(spec, `${kind} spec`),
      status: toStructural(status, `${kind} status`),
    },
  };
}
