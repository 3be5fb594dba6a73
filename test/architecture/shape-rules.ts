// The rules about the shape of files: names, sizes, headers, docstrings, exports.

import { posix } from 'node:path';
import { eachFile, isCode, isProduct, type Rule } from './rule.ts';
import { isNode, lineAt, type SourceFile } from './source-file.ts';

const linesMax = 400;
const headerLinesMax = 5;

const folderNames: Rule = {
  sentence: 'folders are named for what the system does, never utils, helpers, common, shared, lib or misc',
  check: eachFile(isCode, ({ path }) =>
    posix
      .dirname(path)
      .split('/')
      .filter((name) => /^(utils?|helpers?|common|shared|libs?|misc)$/.test(name))
      .map((name) => `is in a folder called ${name}`),
  ),
  bad: [{ 'proxy/utils/a.ts': '' }, { 'test/helpers/a.ts': '' }, { 'operator/kube/lib/a.ts': '' }],
  good: [{ 'test/support/a.ts': '', 'proxy/state/shared.ts': '' }],
};

const fileNames: Rule = {
  sentence: 'file names are kebab-case',
  check: eachFile(isCode, ({ path }) => {
    const kebab = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)*\.ts$/;
    return kebab.test(posix.basename(path)) ? [] : ['is not kebab-case'];
  }),
  bad: [{ 'proxy/auth/clientKey.ts': '' }, { 'proxy/auth/client_key.ts': '' }, { 'proxy/auth/Client.ts': '' }],
  good: [{ 'proxy/auth/client-key.ts': '', 'test/proxy/http2-frames.property.test.ts': '' }],
};

const fileSize: Rule = {
  sentence: `files have at most ${linesMax} lines`,
  check(files) {
    const sizes = files.filter((file) => isCode(file.path)).map((file) => ({ path: file.path, lines: count(file) }));
    const sorted = sizes.map(({ lines }) => lines).toSorted((a, b) => a - b);
    const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
    return sizes
      .filter(({ lines }) => lines > linesMax)
      .map(({ path, lines }) => `${path}: has ${lines} lines (the median file has ${median})`);
  },
  bad: [{ 'proxy/a.ts': 'x;\n'.repeat(linesMax + 1) }],
  good: [{ 'proxy/a.ts': 'x;\n'.repeat(linesMax) }],
};

function count(file: SourceFile): number {
  return file.text.replace(/\n$/, '').split('\n').length;
}

const headers: Rule = {
  sentence: `source files begin with a header of at most ${headerLinesMax} lines, or a docstring`,
  check: eachFile(isProduct, (file) => {
    const text = file.text.replace(/^#!.*\n/, '').trimStart();
    if (text.startsWith('/*')) return [];
    if (!text.startsWith('//')) return ['begins without a word on what it is for'];
    const header = /^(?:\/\/.*\n?)+/.exec(text)?.[0] ?? '';
    const lines = header.trimEnd().split('\n').length;
    return lines > headerLinesMax ? [`has a header of ${lines} lines`] : [];
  }),
  bad: [
    { 'proxy/a.ts': 'export const a = 1;' },
    { 'proxy/a.ts': `${'// words\n'.repeat(headerLinesMax + 1)}export const a = 1;` },
    { 'proxy/a.ts': '#!/usr/bin/env node\nimport "./b.ts";' },
  ],
  good: [
    { 'proxy/a.ts': '// What it is for.\n\n// More.\nexport const a = 1;' },
    { 'proxy/a.ts': '#!/usr/bin/env node\n/** What it is for. */\nexport const a = 1;' },
    { 'test/a.test.ts': 'export const a = 1;' },
  ],
};

const docstrings: Rule = {
  sentence: 'exported functions and classes have a docstring',
  check: eachFile(isProduct, (file) => {
    const described = new Set<string>();
    return file.syntax.program.body.flatMap((statement) => {
      const name = exportedName(statement);
      if (name === undefined || described.has(name)) return [];
      described.add(name); // The first of several overloads speaks for all.
      return isPrecededByComment(file, statement.start)
        ? []
        : [`line ${lineAt(file, statement.start)}: ${name} has no docstring`];
    });
  }),
  bad: [
    { 'proxy/a.ts': '// Header.\n\nimport "./b.ts";\nexport function f() {}' },
    { 'proxy/a.ts': '/** Docs. */\nexport function f() {}\nexport class C {}' },
    { 'proxy/a.ts': '/** Docs. */\nexport function f() {}\nexport const g = () => 1;' },
  ],
  good: [
    { 'proxy/a.ts': '/** Docs. */\nexport function f(a: 1): 1;\nexport function f(a: number) { return a; }' },
    { 'proxy/a.ts': '/** Docs. */\nexport class C {}\n\n/** Docs. */\nexport const f = () => 1;\nfunction g() {}' },
  ],
};

/** The name of the function or class that a statement exports, if it exports one. */
function exportedName(statement: unknown): string | undefined {
  if (!isNode(statement) || statement.type !== 'ExportNamedDeclaration') return undefined;
  let declared = statement['declaration'];
  if (isNode(declared) && declared.type === 'VariableDeclaration' && Array.isArray(declared['declarations'])) {
    const [variable] = declared['declarations'];
    if (!isNode(variable) || !isNode(variable['init']) || !/Function/.test(variable['init'].type)) return undefined;
    declared = variable;
  } else if (!isNode(declared) || !/Function|ClassDeclaration/.test(declared.type)) {
    return undefined;
  }
  const id = isNode(declared) ? declared['id'] : undefined;
  return isNode(id) && typeof id['name'] === 'string' ? id['name'] : undefined;
}

function isPrecededByComment(file: SourceFile, start: number): boolean {
  return file.syntax.comments.some(
    (comment) => comment.end <= start && /^[ \t]*\n?[ \t]*$/.test(file.text.slice(comment.end, start)),
  );
}

const namedExports: Rule = {
  sentence: 'nothing is exported as default',
  check: eachFile(isCode, (file) => {
    const { body } = file.syntax.program;
    return body.some((node) => node.type === 'ExportDefaultDeclaration') ? ['has a default export'] : [];
  }),
  bad: [{ 'proxy/a.ts': 'export default 1;' }, { 'test/a.ts': 'export default function f() {}' }],
  good: [{ 'proxy/a.ts': 'export const a = 1;' }],
};

/** Shape: names, sizes, headers, docstrings, exports. */
export const shapeRules: readonly Rule[] = [folderNames, fileNames, fileSize, headers, docstrings, namedExports];
