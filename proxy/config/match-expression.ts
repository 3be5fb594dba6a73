// The language of `matches[].cel`: part of the contract, since the control plane must refuse what a proxy could not run.
// Every expression is type-checked, loops at most once over bounded lists, and its regular expressions are RE2.

import { Environment } from '@marcbachmann/cel-js';
import type { ASTNode } from '@marcbachmann/cel-js';
import { RE2JS } from 're2js';

/** What an expression can see. Strings are empty where there is nothing. */
export interface MatchVariables {
  readonly request: {
    /** By lower-case name; repeated headers are joined with `, `. */
    readonly headers: Readonly<Record<string, string>>;
    readonly path: string;
    readonly model: string;
    readonly stream: boolean;
  };
  readonly client: {
    /** `namespace/name` of the LLMKey; '' on anonymous requests. */
    readonly key: string;
    readonly namespace: string;
    readonly tenant: string;
    readonly labels: Readonly<Record<string, string>>;
  };
}

/** Longer expressions belong into several rules; the bound keeps evaluation within microseconds. */
const limits = { maxAstNodes: 300, maxDepth: 32, maxListElements: 100, maxMapEntries: 100, maxCallArguments: 8 };

/** Stands in for `matches`, whose backtracking engine would let a header stall the process. Same length: offsets stay. */
const linearMatches = 're2find';

const loops = new Set(['all', 'exists', 'exists_one', 'map', 'filter']);

const patterns = new Map<string, RE2JS>();
/** Patterns come from expressions, not from requests, unless one is built of request data: then the map starts anew. */
const patternsMax = 1_000;

const environment = new Environment({ limits })
  .registerVariable('request', {
    schema: { headers: 'map<string, string>', path: 'string', model: 'string', stream: 'bool' },
  })
  .registerVariable('client', {
    schema: { key: 'string', namespace: 'string', tenant: 'string', labels: 'map<string, string>' },
  })
  .registerFunction(`string.${linearMatches}(string): bool`, (text: string, pattern: string) =>
    compilePattern(pattern).matcher(text).find(),
  );

/**
 * Compiles an expression to a test. Throws an Error that says what is wrong. At run time an error inside the
 * expression (a missing header, say) means that it does not hold.
 */
export function compileMatchExpression(source: string): (variables: MatchVariables) => boolean {
  const linear = replaceMatches(source);
  const checked = environment.check(linear);
  if (!checked.valid) throw new Error(describe(checked.error));
  if (checked.type !== 'bool') throw new Error(`the expression is a ${checked.type}, but must be a bool`);
  const run = environment.parse(linear);
  refuseNestedLoops(run.ast, 0);
  return (variables) => {
    try {
      return run(variables) === true;
    } catch {
      return false;
    }
  };
}

/** Only the first line: the rest draws a picture of the source. */
function describe(error: { readonly message: string } | undefined): string {
  return (error?.message.split('\n')[0] ?? 'the expression is not valid').replaceAll(linearMatches, 'matches');
}

function compilePattern(pattern: string): RE2JS {
  let compiled = patterns.get(pattern);
  if (compiled === undefined) {
    if (patterns.size >= patternsMax) patterns.clear();
    compiled = RE2JS.compile(pattern);
    patterns.set(pattern, compiled);
  }
  return compiled;
}

/** Replaces calls of `matches` outside string literals. */
function replaceMatches(source: string): string {
  const literalOrCall = /"""[^]*?"""|'''[^]*?'''|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\.(\s*)matches(?=\s*\()/g;
  return source.replaceAll(literalOrCall, (found: string, space: string | undefined) =>
    space === undefined ? found : `.${space}${linearMatches}`,
  );
}

/** One loop over at most 100 entries is cheap; loops inside loops multiply. */
function refuseNestedLoops(node: ASTNode, depth: number): void {
  const isLoop = node.op === 'rcall' && loops.has(node.args[0]);
  if (isLoop && depth > 0) throw new Error(`${node.args[0]} inside another loop is not allowed`);
  for (const child of children(node.args)) refuseNestedLoops(child, isLoop ? depth + 1 : depth);
}

function children(args: unknown): ASTNode[] {
  if (Array.isArray(args)) return args.flatMap(children);
  return isNode(args) ? [args] : [];
}

function isNode(value: unknown): value is ASTNode {
  return typeof value === 'object' && value !== null && 'op' in value && 'args' in value;
}
