/** The fixtures of this folder: objects with the verdict that zod and the API server must both give. */
import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { Kind } from '../../crds/group.ts';

const folder = new URL('fixtures/', import.meta.url).pathname;

/** Folder names of the kinds. */
export const kindFolders = { 'llm-provider': 'LLMProvider', 'llm-route': 'LLMRoute', 'llm-key': 'LLMKey' } as const;

/** An object that must be accepted. */
export interface ValidFixture {
  readonly name: string;
  readonly kind: Kind;
  readonly value: unknown;
}

/** An object that must be refused, with the problem that must be among those reported. */
export interface InvalidFixture extends ValidFixture {
  readonly field: string;
  readonly message: string;
}

/** All objects that must be accepted, the whole example of the documentation among them. */
export function validFixtures(): readonly ValidFixture[] {
  const example = documents(`${folder}example.yaml`).filter(({ kind }) => kind !== 'Secret');
  const examples = example.map((value, index) => ({
    name: `example.yaml #${index + 1}`,
    kind: value.kind as Kind,
    value,
  }));
  return [...files('valid').map(({ name, kind, value }) => ({ name, kind, value })), ...examples];
}

/** All objects that must be refused. */
export function invalidFixtures(): readonly InvalidFixture[] {
  return files('invalid').map(({ name, kind, value, text }) => {
    const [, field, message] = /^# field: (.*)\n# message: (.*)\n/.exec(text) ?? [];
    if (field === undefined || message === undefined) throw new Error(`${name} does not say field and message`);
    return { name, kind, value, field, message };
  });
}

function files(verdict: 'valid' | 'invalid') {
  return Object.entries(kindFolders).flatMap(([kindFolder, kind]) =>
    globSync(`${folder}${kindFolder}/${verdict}/*.yaml`)
      .toSorted()
      .map((path) => {
        const [value] = documents(path);
        return { name: `${kindFolder}/${basename(path)}`, kind, value, text: readFileSync(path, 'utf8') };
      }),
  );
}

function documents(path: string): readonly { readonly kind: string }[] {
  return parseAllDocuments(readFileSync(path, 'utf8')).map((document) => {
    const [error] = document.errors;
    if (error) throw new Error(`${path}: ${error.message}`, { cause: error });
    return document.toJS() as { readonly kind: string };
  });
}
