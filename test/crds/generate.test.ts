import { readdirSync, readFileSync } from 'node:fs';
import { RE2JS } from 're2js';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { kindDefinitions } from '../../crds/definition.ts';
import { generateFiles, toCustomResourceDefinition } from '../../crds/generate.ts';
import { allRules } from './schema-walk.ts';

const folder = new URL('../../crds/generated/', import.meta.url);
const files = generateFiles();

describe('the committed definitions', () => {
  test('are all there is, and all there should be', () => {
    expect(readdirSync(folder).toSorted()).toEqual(files.map(({ name }) => name).toSorted());
  });

  test.each(files)('$name is what the schemas say', ({ name, text }) => {
    expect(readFileSync(new URL(name, folder), 'utf8')).toBe(text);
  });

  test.each(files)('$name reads the same as YAML 1.1, which kubectl speaks, and as YAML 1.2', ({ text }) => {
    expect(parse(text, { version: '1.1' })).toEqual(parse(text));
  });
});

describe('what an API server needs', () => {
  test.each(kindDefinitions)('$kind has only patterns that RE2 compiles', (definition) => {
    const text = JSON.stringify(toCustomResourceDefinition(definition));
    const patterns = [...text.matchAll(/"pattern":("(?:[^"\\]|\\.)*")/g)].map(([, quoted = '""']) =>
      String(JSON.parse(quoted)),
    );
    expect(patterns.length).toBeGreaterThan(0);
    for (const pattern of patterns) expect(() => RE2JS.compile(pattern)).not.toThrow();
  });

  test('rules have only patterns that RE2 compiles', () => {
    const patterns = allRules().flatMap(({ cel }) =>
      [...cel.matchAll(/\.matches\((["'])(.*?)\1\)/g)].map(([, , pattern = '']) => pattern),
    );
    expect(patterns.length).toBeGreaterThan(0);
    for (const pattern of patterns) expect(() => RE2JS.compile(pattern)).not.toThrow();
  });

  test.each(kindDefinitions)(
    '$kind has a short name, the category, a status of its own, and its columns',
    (definition) => {
      const { spec } = parse(files.find(({ name }) => name.includes(definition.plural))?.text ?? '');
      expect(spec.names).toMatchObject({ categories: ['llm'], shortNames: [definition.shortName] });
      expect(spec.versions).toHaveLength(1);
      expect(spec.versions[0]).toMatchObject({
        name: 'v1alpha1',
        served: true,
        storage: true,
        subresources: { status: {} },
      });
    },
  );

  test.each([
    ['llmproviders', ['Type', 'Keys', 'Ready', 'Age'], ['Reason', 'Class']],
    ['llmroutes', ['Path', 'Models', 'Backends', 'Ready', 'Age'], ['Strategy', 'Reason', 'Class']],
    ['llmkeys', ['Type', 'Provider', 'Tenant', 'Usable', 'Expires', 'Age'], ['Reason', 'Secret']],
  ])('kubectl get %s shows %j, and with -o wide %j as well', (plural, usual, wide) => {
    const columns = kindDefinitions.find((definition) => definition.plural === plural)?.columns ?? [];
    expect(columns.filter(({ priority }) => priority === undefined).map(({ name }) => name)).toEqual(usual);
    expect(columns.filter(({ priority }) => priority === 1).map(({ name }) => name)).toEqual(wide);
  });

  test('keys can be selected by their type', () => {
    const { spec } = parse(files.find(({ name }) => name.includes('llmkeys'))?.text ?? '');
    expect(spec.versions[0].selectableFields).toEqual([{ jsonPath: '.spec.type' }]);
  });
});
