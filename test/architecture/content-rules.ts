// The rules about what may stand in a file: the process, hidden inputs, escape hatches of the type system, words.

import { eachFile, isCode, isMain, isProduct, type Rule } from './rule.ts';
import { isNode, lineAt, walk, type Node, type SourceFile } from './source-file.ts';

const processInMain: Rule = {
  sentence: 'only main.ts files read the environment, handle signals or exit',
  check: eachFile(
    (path) => isProduct(path) && !isMain(path),
    (file) => [
      ...members(file, 'process', /^(env|exit|on|once|addListener|off|kill|abort)$/),
      ...file.syntax.references
        .filter(({ specifier }) => /^(node:)?process$/.test(specifier))
        .map(({ specifier }) => `imports ${specifier}`),
    ],
  ),
  bad: [
    { 'proxy/a.ts': "const a = process.env['A'];" },
    { 'proxy/a.ts': 'process.exit(1);' },
    { 'operator/a.ts': "process.once('SIGTERM', stop);" },
    { 'deploy/standalone/a.ts': "import { env } from 'node:process';" },
  ],
  good: [{ 'proxy/main.ts': 'process.exit(1);', 'proxy/a.ts': 'process.memoryUsage();', 'test/a.ts': 'process.env;' }],
};

const pureDecisions: Rule = {
  sentence: 'decisions of the operator read no clock, draw no random numbers and start nothing',
  check: eachFile(
    (path) => /^operator\/(compile|status)\//.test(path),
    (file) => [
      ...members(file, 'Date', /^now$/),
      ...members(file, 'Math', /^random$/),
      ...members(file, 'performance', /./),
      ...members(file, 'crypto', /^(random|getRandom)/),
      ...found(file, (node) => node.type === 'NewExpression' && isNow(node), 'new Date()'),
      ...found(file, (node) => node.type === 'CallExpression' && isStarter(node['callee']), 'a timer or fetch'),
      ...found(file, (node) => node.type === 'Identifier' && /^random(UUID|Bytes|Int)$/.test(nameOf(node)), 'random'),
    ],
  ),
  bad: [
    { 'operator/compile/a.ts': 'const now = Date.now();' },
    { 'operator/compile/a.ts': 'const now = new Date();' },
    { 'operator/status/a.ts': 'const a = Math.random();' },
    { 'operator/status/a.ts': "import { randomUUID } from 'node:crypto';" },
    { 'operator/status/a.ts': 'setTimeout(f, 1);' },
  ],
  good: [{ 'operator/compile/a.ts': 'const at = new Date(givenMs);', 'operator/watch/a.ts': 'Date.now();' }],
};

function isNow(node: Node): boolean {
  return nameOf(node['callee']) === 'Date' && Array.isArray(node['arguments']) && node['arguments'].length === 0;
}

function isStarter(callee: unknown): boolean {
  return /^(fetch|setTimeout|setInterval|setImmediate|queueMicrotask)$/.test(nameOf(callee));
}

const noAny: Rule = {
  sentence: 'no type is any, and no error of the compiler is silenced',
  check: eachFile(isCode, (file) => [
    ...found(file, (node) => node.type === 'TSAnyKeyword', 'any'),
    ...file.syntax.comments
      .filter(({ value }) => silencer(file.path).test(value))
      .map((comment) => `line ${lineAt(file, comment.start)}: silences the compiler`),
  ]),
  bad: [
    { 'proxy/a.ts': 'const a: any = 1;' },
    { 'test/a.ts': 'const a = b as any;' },
    { 'proxy/a.ts': '// @ts-ignore\nconst a: string = 1;' },
    { 'proxy/a.ts': '// @ts-expect-error\nconst a: string = 1;' },
    { 'proxy/a.ts': '// @ts-nocheck\nconst a = 1;' },
  ],
  good: [{ 'proxy/a.ts': "// any\nconst any = 'any';", 'test/a.ts': '// @ts-expect-error refused\nf(1);' }],
};

/** Tests may prove with `@ts-expect-error` that the compiler refuses something; nothing else may silence it. */
function silencer(path: string): RegExp {
  return path.startsWith('test/') ? /@ts-(ignore|nocheck)/ : /@ts-(ignore|nocheck|expect-error)/;
}

const glossary: Rule = {
  sentence: 'identifiers use the words of the glossary',
  check: eachFile(isCode, (file) =>
    found(file, (node) => node.type.endsWith('Identifier') && isForeign(nameOf(node)), 'a word the glossary avoids'),
  ),
  bad: [
    { 'proxy/a.ts': 'const blacklist = 1;' },
    { 'proxy/a.ts': 'interface A { cooldownMs: number }' },
    { 'proxy/a.ts': 'function throttleRequest() {}' },
    { 'proxy/a.ts': 'class VirtualKey {}' },
    { 'proxy/a.ts': 'const a = { ttftMs: 1 };' },
  ],
  good: [{ 'proxy/a.ts': "const classes = { ThrottlingException: 'RateLimit' }; // throttle" }],
};

function isForeign(name: string): boolean {
  // What a vendor calls its error is not ours to rename.
  if (name.endsWith('Exception')) return false;
  return /blacklist|whitelist|cooldown|throttl|virtual_?key|target_?server|model_?group|ttft/i.test(name);
}

// Written so that this file does not match itself.
const privateText = [/\bC[E]O\b/, /\/wor[k]\//, /\/roo[t]\//, /\/hom[e]\/[a-z]+\//];

const publicText: Rule = {
  sentence: 'public text names no machine and nobody in particular',
  check: eachFile(
    (path) => /\.(md|ts|ya?ml|tpl|sh|html)$/.test(path),
    (file) =>
      file.text.split('\n').flatMap((line, index) => {
        const match = privateText.map((pattern) => pattern.exec(line)?.[0]).find((text) => text !== undefined);
        return match === undefined ? [] : [`line ${index + 1}: says ${match}`];
      }),
  ),
  bad: [
    { 'README.md': `cd /${'work'}/main` },
    { 'deploy/a.yaml': `path: /${'root'}/.kube/config` },
    { 'proxy/a.ts': `// asked for by the ${'C'}EO` },
  ],
  good: [{ 'README.md': 'cd sluice; workers; /workers/1' }],
};

function members(file: SourceFile, object: string, property: RegExp): string[] {
  const test = (node: Node): boolean =>
    node.type === 'MemberExpression' && nameOf(node['object']) === object && property.test(nameOf(node['property']));
  return found(file, test, `${object} (${property.source})`);
}

function found(file: SourceFile, test: (node: Node) => boolean, what: string): string[] {
  const lines: string[] = [];
  walk(file.syntax.program, (node) => {
    if (test(node)) lines.push(`line ${lineAt(file, node.start)}: ${what}`);
  });
  return lines;
}

/** The name of an identifier, or the text of a literal property; '' for anything else. */
function nameOf(node: unknown): string {
  if (!isNode(node)) return '';
  const name = node['name'] ?? node['value'];
  return typeof name === 'string' ? name : '';
}

/** Content: the process, purity, types, words. */
export const contentRules: readonly Rule[] = [processInMain, pureDecisions, noAny, glossary, publicText];
