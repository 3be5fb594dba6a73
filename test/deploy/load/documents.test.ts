import { expect, test } from 'vitest';
import { parseDocuments } from '../../../deploy/standalone/load/documents.ts';
import { formatProblem } from '../../../deploy/standalone/load/problem.ts';

function parse(text: string): { values: readonly unknown[]; lines: readonly string[] } {
  const { values, problems } = parseDocuments({ path: 'a.yaml', text });
  return { values, lines: problems.map(formatProblem) };
}

test('each document of a file is an object; empty ones count for nothing', () => {
  const { values, lines } = parse('# words\n---\nkind: A\n---\n---\nkind: B\n...\n');
  expect(values).toEqual([{ kind: 'A' }, { kind: 'B' }]);
  expect(lines).toEqual([]);
});

test('JSON is read too, with tabs, and with a byte order mark', () => {
  expect(parse('\ufeff{\n\t"kind": "A",\n\t"list": [\n\t\t1\n\t]\n}').values).toEqual([{ kind: 'A', list: [1] }]);
});

test('a List is unrolled', () => {
  const { values } = parse(
    'apiVersion: v1\nkind: List\nitems:\n- kind: A\n- {apiVersion: v1, kind: List, items: [{kind: B}]}\n',
  );
  expect(values).toEqual([{ kind: 'A' }, { kind: 'B' }]);
});

test('a mistake names line and column, and costs only its own document', () => {
  const { values, lines } = parse('kind: A\n---\nkind: B\nlist: [1\n---\nkind: C\n');
  expect(values).toEqual([{ kind: 'A' }, { kind: 'C' }]);
  expect(lines).toEqual([
    'a.yaml:5:1: Flow sequence in block collection must be sufficiently indented and end with a ]',
  ]);
});

test('a member that stands twice is a mistake', () => {
  expect(parse('kind: A\nkind: B\n').lines).toEqual(['a.yaml:2:1: Map keys must be unique']);
});

test('a variable without quotation marks in {…} gets a hint', () => {
  expect(parse('stringData: {key: ${OPENAI_API_KEY}}').lines[0]).toMatch(
    /^a\.yaml:1:\d+: .*; put quotation marks around \$\{…\}$/,
  );
});

test('anchors and merge keys work as with kubectl', () => {
  expect(parse('base: &base {a: 1}\nuse: {<<: *base, b: 2}').values).toEqual([{ base: { a: 1 }, use: { a: 1, b: 2 } }]);
});

test('aliases that unfold to far more than was written are refused', () => {
  const levels = Array.from({ length: 9 }, (_, n) => `l${n + 1}: &l${n + 1} [${Array(9).fill(`*l${n}`).join(',')}]`);
  const { values, lines } = parse(`l0: &l0 [x,x,x,x,x,x,x,x,x]\n${levels.join('\n')}\n`);
  expect(values).toEqual([]);
  expect(lines).toEqual([expect.stringMatching(/^a\.yaml:1:1: Excessive alias count/)]);
});

test('an alias that names nothing is refused', () => {
  expect(parse('a: *b').lines).toEqual([expect.stringMatching(/Unresolved alias/)]);
});

test('what is no object is named with its place', () => {
  expect(parse('kind: A\n---\n- 1\n').lines).toEqual(['a.yaml:3:1: must be an object with apiVersion and kind']);
  expect(parse('just words').lines).toEqual(['a.yaml:1:1: must be an object with apiVersion and kind']);
});

test('a bare word that kubectl takes for a boolean is a warning, quoted it is not', () => {
  const { values, lines } = parse('failover:\n  on: [Timeout]\n  a: "on"\n  b: no\n');
  expect(values).toEqual([{ failover: { on: ['Timeout'], a: 'on', b: 'no' } }]);
  expect(lines).toEqual([
    'a.yaml:2:3: warning: kubectl reads the bare word on as a boolean: put quotation marks around it',
    'a.yaml:4:6: warning: kubectl reads the bare word no as a boolean: put quotation marks around it',
  ]);
});

test('a document that is nothing but mistakes names only the first few', () => {
  expect(parse('}{][\n'.repeat(200)).lines.length).toBeLessThanOrEqual(3);
});
