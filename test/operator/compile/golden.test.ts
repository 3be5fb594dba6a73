// Every pair of golden files is one behaviour of the compiler. UPDATE_GOLDEN=1 writes the answers anew.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Document, isCollection, parse, visit } from 'yaml';
import { compile } from '../../../operator/compile/compile.ts';
import { unsupported } from '../../../operator/compile/supported.ts';
import { credentialsSchema, gatewayConfigSchema } from '../../../proxy/config/schema.ts';
import { readWorld } from './world-of.ts';

const folder = join(import.meta.dirname, 'golden');
const names = readdirSync(folder)
  .filter((name) => name.endsWith('.in.yaml'))
  .map((name) => basename(name, '.in.yaml'));

describe('the compiler', () => {
  test.for(names)('answers %s as its golden file says', (name) => {
    const compiled = compile(readWorld(readFileSync(join(folder, `${name}.in.yaml`), 'utf8')));
    const answer = join(folder, `${name}.out.yaml`);
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(answer, toYAML(compiled));
    expect(compiled).toStrictEqual(parse(readFileSync(answer, 'utf8')));
    expect(gatewayConfigSchema.parse(compiled.config)).toStrictEqual(compiled.config);
    expect(credentialsSchema.parse(compiled.credentials)).toStrictEqual(compiled.credentials);
  });
});

test('no answer is left over from a question that is gone', () => {
  const answers = readdirSync(folder).filter((name) => name.endsWith('.out.yaml'));
  expect(answers.map((name) => basename(name, '.out.yaml'))).toEqual(names);
});

test('every unsupported value has a golden file that shows its refusal', () => {
  const refused = new Set<string>();
  for (const name of names) {
    const { diagnostics } = parse(readFileSync(join(folder, `${name}.out.yaml`), 'utf8'));
    for (const { kind, reason, field } of diagnostics) {
      if (reason === 'UnsupportedValue') refused.add(`${kind} ${field.replaceAll(/\[\d+\]/g, '[]')}`);
    }
  }
  expect(unsupported.map(({ kind, path }) => `${kind} ${path}`).filter((line) => !refused.has(line))).toEqual([]);
});

/** Collections that fit on one line stand on one line. */
function toYAML(value: unknown): string {
  const document = new Document(value, { aliasDuplicateObjects: false });
  visit(document, {
    Collection(_, node) {
      if (isCollection(node) && JSON.stringify(node).length <= 200) node.flow = true;
    },
  });
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}
