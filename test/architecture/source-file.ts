// One source file with its syntax tree, made once and read by every rule.

import { posix } from 'node:path';
import { parseSync, type Comment, type Program } from 'oxc-parser';

/** A file of the repository, by its path from the root. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
  /** Parsed when first asked for, so that files which are not TypeScript cost nothing. */
  readonly syntax: Syntax;
}

/** What the rules need of a parsed file. */
export interface Syntax {
  readonly program: Program;
  readonly comments: readonly Comment[];
  readonly references: readonly Reference[];
}

/** One mention of another module: import, re-export, dynamic import or import type. */
export interface Reference {
  readonly specifier: string;
  readonly typeOnly: boolean;
  /** The path from the root that a relative specifier means. */
  readonly target: string | undefined;
}

/** A syntax node of any type, with whatever members it has. */
export type Node = { readonly type: string; readonly start: number; readonly [member: string]: unknown };

/** Makes a file out of its path and text. */
export function sourceFile(path: string, text: string): SourceFile {
  let syntax: Syntax | undefined;
  return {
    path,
    text,
    get syntax() {
      syntax ??= parse(path, text);
      return syntax;
    },
  };
}

/** Calls back for every node of the tree, parents first. */
export function walk(node: unknown, visit: (node: Node) => void): void {
  if (Array.isArray(node)) {
    for (const member of node) walk(member, visit);
  } else if (isNode(node)) {
    visit(node);
    for (const member of Object.values(node)) if (typeof member === 'object') walk(member, visit);
  }
}

/** The line, from 1, on which an offset of the text lies. */
export function lineAt(file: SourceFile, offset: number): number {
  return file.text.slice(0, offset).split('\n').length;
}

/** Whether a value found in the tree is a node. */
export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

function parse(path: string, text: string): Syntax {
  const { program, comments, errors } = parseSync(path, text);
  const [error] = errors;
  if (error) throw new Error(`${path}: ${error.message}`);
  return { program, comments, references: references(path, program) };
}

function references(path: string, program: Program): Reference[] {
  const found: Reference[] = [];
  walk(program, (node) => {
    const specifier = specifierOf(node);
    if (specifier === undefined) return;
    const typeOnly = node['importKind'] === 'type' || node['exportKind'] === 'type' || node.type === 'TSImportType';
    const target = specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : undefined;
    found.push({ specifier, typeOnly, target });
  });
  return found;
}

const referring = new Set([
  'ImportDeclaration',
  'ExportNamedDeclaration',
  'ExportAllDeclaration',
  'ImportExpression',
  'TSImportType',
]);

function specifierOf(node: Node): string | undefined {
  const source = node['source'];
  if (!referring.has(node.type) || !isNode(source)) return undefined;
  return typeof source['value'] === 'string' ? source['value'] : undefined;
}
