// The changes that are made to a file, one at a time: operators, conditions, literals, patterns, returns.

import { parseSync } from 'oxc-parser';

/** One change of a file. */
export interface Mutant {
  readonly path: string;
  /** From 1. */
  readonly line: number;
  readonly before: string;
  readonly after: string;
  /** The whole file with the change. */
  readonly source: string;
}

type Node = { readonly type: string; readonly start: number; readonly end: number; readonly [member: string]: unknown };

interface Change {
  readonly start: number;
  readonly end: number;
  readonly after: string;
}

/** What has no effect when the program runs, or means something only to people (rows of the table). */
const skipped = new Set([
  'ImportDeclaration',
  'ExportAllDeclaration',
  'TSTypeAliasDeclaration',
  'TSInterfaceDeclaration',
  'TSTypeAnnotation',
  'TSTypeParameterInstantiation',
]);

/** All mutants of a file. */
export function mutantsOf(path: string, text: string): Mutant[] {
  const changes: Change[] = [];
  walk(parseSync(path, text).program as unknown as Node, undefined, (node, parent) => {
    changes.push(...changesOf(node, parent, text));
  });
  return changes.map(({ start, end, after }) => ({
    path,
    line: text.slice(0, start).split('\n').length,
    before: text.slice(start, end),
    after,
    source: text.slice(0, start) + after + text.slice(end),
  }));
}

function walk(node: Node, parent: Node | undefined, visit: (node: Node, parent: Node | undefined) => void): void {
  if (skipped.has(node.type)) return;
  visit(node, parent);
  for (const member of Object.values(node)) {
    for (const child of Array.isArray(member) ? member : [member]) if (isNode(child)) walk(child, node, visit);
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value;
}

const otherOperator: Readonly<Record<string, readonly string[]>> = {
  '===': ['!=='],
  '!==': ['==='],
  '<': ['<=', '>='],
  '<=': ['<', '>'],
  '>': ['>=', '<='],
  '>=': ['>', '<'],
  '+': ['-'],
  '-': ['+'],
  '*': ['/'],
  '/': ['*'],
  '**': ['*'],
  '&&': ['||'],
  '||': ['&&'],
  '??': ['&&'],
  in: [],
};

const otherMethod: Readonly<Record<string, string>> = {
  some: 'every',
  every: 'some',
  min: 'max',
  max: 'min',
  toLowerCase: 'toUpperCase',
  startsWith: 'endsWith',
  endsWith: 'startsWith',
  ceil: 'floor',
  floor: 'ceil',
  indexOf: 'lastIndexOf',
  lastIndexOf: 'indexOf',
};

function changesOf(node: Node, parent: Node | undefined, text: string): Change[] {
  const replace = (target: Node, after: string): Change => ({ start: target.start, end: target.end, after });
  switch (node.type) {
    case 'BinaryExpression':
    case 'LogicalExpression': {
      const { left, right, operator } = node as unknown as { left: Node; right: Node; operator: string };
      const between = text.slice(left.end, right.start);
      const at = left.end + between.indexOf(operator);
      const others = otherOperator[operator] ?? [];
      return others.map((after) => ({ start: at, end: at + operator.length, after }));
    }
    case 'UnaryExpression':
      return node['operator'] === '!' ? [{ start: node.start, end: node.start + 1, after: '' }] : [];
    case 'IfStatement':
    case 'ConditionalExpression':
      return [replace(node['test'] as Node, 'true'), replace(node['test'] as Node, 'false')];
    case 'AssignmentExpression': {
      const operator = String(node['operator']);
      const other = { '+=': '-=', '-=': '+=', '??=': '&&=' }[operator];
      const at = text.indexOf(operator, (node['left'] as Node).end);
      return other === undefined ? [] : [{ start: at, end: at + operator.length, after: other }];
    }
    case 'ReturnStatement': {
      const argument = node['argument'];
      return isNode(argument) && text.slice(argument.start, argument.end) !== 'undefined'
        ? [replace(argument, 'undefined')]
        : [];
    }
    case 'ArrowFunctionExpression': {
      const body = node['body'] as Node;
      return body.type === 'BlockStatement' ? [] : [replace(body, '(undefined)')];
    }
    case 'ArrayExpression':
      return (node['elements'] as unknown[]).length === 0 ? [] : [replace(node, '[]')];
    case 'TemplateLiteral':
      return [replace(node, '``')];
    case 'MemberExpression': {
      const property = node['property'] as Node;
      const other = otherMethod[String(property['name'])];
      return other === undefined ? [] : [replace(property, other)];
    }
    case 'Literal':
      return isKey(node, parent) ? [] : literalChanges(node, text);
    default:
      return [];
  }
}

/** Names of members, and what only people read. */
function isKey(node: Node, parent: Node | undefined): boolean {
  if (parent === undefined) return false;
  if (parent.type === 'Property') return parent['key'] === node || (parent['key'] as Node)['name'] === 'row';
  return parent.type === 'TSLiteralType' || parent.type === 'ExpressionStatement';
}

function literalChanges(node: Node, text: string): Change[] {
  const replace = (after: string): Change => ({ start: node.start, end: node.end, after });
  const { value } = node;
  if (isNode(node) && 'regex' in node && node['regex'] !== null && node['regex'] !== undefined) {
    return patternChanges(text.slice(node.start, node.end)).map(replace);
  }
  if (typeof value === 'boolean') return [replace(String(!value))];
  if (typeof value === 'number') return [replace(String(value + 1))];
  return typeof value === 'string' && value !== '' ? [replace("''")] : [];
}

/** A pattern without one of its alternatives, without an anchor, or with something optional made necessary. */
function patternChanges(literal: string): string[] {
  const end = literal.lastIndexOf('/');
  const flags = literal.slice(end);
  const pattern = literal.slice(1, end);
  const without = (start: number, stop: number): string => `/${pattern.slice(0, start)}${pattern.slice(stop)}${flags}`;
  const changes: string[] = [];
  const groups: { start: number; bars: number[] }[] = [{ start: 0, bars: [] }];
  const close = (group: { start: number; bars: number[] }, stop: number): void => {
    const edges = [group.start - 1, ...group.bars, stop];
    if (group.bars.length === 0) return;
    for (let index = 0; index + 1 < edges.length; index += 1) {
      const from = (edges[index] ?? 0) + 1;
      const to = edges[index + 1] ?? stop;
      changes.push(index === 0 ? without(from, to + 1) : without(from - 1, to));
    }
  };
  let inClass = false;
  for (let at = 0; at < pattern.length; at += 1) {
    const char = pattern[at];
    if (char === '\\') {
      if (pattern[at + 1] === 'b') changes.push(without(at, at + 2));
      at += 1;
    } else if (inClass) inClass = char !== ']';
    else if (char === '[') inClass = true;
    else if (char === '(') groups.push({ start: pattern.startsWith('(?', at) ? at + 3 : at + 1, bars: [] });
    else if (char === '|') groups.at(-1)?.bars.push(at);
    else if (char === ')') close(groups.pop() ?? { start: 0, bars: [] }, at);
    else if (char === '^' || char === '$') changes.push(without(at, at + 1));
    else if (char === '?' && pattern[at - 1] !== '(') changes.push(without(at, at + 1));
  }
  const [whole] = groups;
  if (whole !== undefined) close(whole, pattern.length);
  return changes.filter(isPattern);
}

function isPattern(literal: string): boolean {
  try {
    const end = literal.lastIndexOf('/');
    return new RegExp(literal.slice(1, end), literal.slice(end + 1)).source !== '(?:)';
  } catch {
    return false;
  }
}
