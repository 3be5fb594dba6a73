// The rules about who imports whom.

import { isBuiltin } from 'node:module';
import { rooms, type Room } from './import-matrix.ts';
import { eachFile, isCode, isProduct, type Rule } from './rule.ts';
import { type Reference, type SourceFile } from './source-file.ts';

const importMatrix: Rule = {
  sentence: 'every folder imports only what the import matrix allows it',
  check: eachFile(isProduct, (file) => {
    const room = rooms.find((candidate) => candidate.files.test(file.path));
    if (!room) return ['belongs to no folder of the import matrix (test/architecture/import-matrix.ts)'];
    return file.syntax.references.flatMap((reference) => objection(reference, room) ?? []);
  }),
  bad: [
    { 'proxy/attic/a.ts': '' },
    { 'proxy/canonical/a.ts': "import type { A } from '../config/schema.ts';" },
    { 'proxy/canonical/a.ts': "import { z } from 'zod';" },
    { 'proxy/canonical/a.ts': "import { readFile } from 'node:fs/promises';" },
    { 'proxy/config/schema.ts': "import { a } from './other.ts';" },
    { 'proxy/config/load.ts': "import { a } from '../routing/a.ts';" },
    { 'proxy/auth/a.ts': "import { a } from '../routing/a.ts';" },
    { 'proxy/auth/a.ts': "import type { A } from '../routing/a.ts';" },
    { 'proxy/auth/a.ts': "import { a } from '../config/snapshot.ts';" },
    { 'proxy/auth/a.ts': "type A = import('../state/a.ts').A;" },
    { 'proxy/auth/a.ts': "await import('../../crds/llm-key.ts');" },
    { 'proxy/auth/a.ts': "export { a } from '../../operator/compile/a.ts';" },
    { 'proxy/routing/a.ts': "import { request } from 'undici';" },
    { 'proxy/policy/a.ts': "import { a } from '../state/store.ts';" },
    { 'proxy/upstream/a.ts': "import { Redis } from 'ioredis';" },
    { 'proxy/pipeline.ts': "import { a } from '../operator/compile/a.ts';" },
    { 'operator/compile/a.ts': "import { a } from '../../proxy/config/snapshot.ts';" },
    { 'operator/compile/a.ts': "import { readFileSync } from 'node:fs';" },
    { 'operator/status/a.ts': "import { a } from '../compile/a.ts';" },
    { 'operator/watch/a.ts': "import { KubeConfig } from '@kubernetes/client-node';" },
    { 'crds/a.ts': "import { stringify } from 'yaml';" },
  ],
  good: [
    { 'proxy/auth/a.ts': "import type { A } from '../config/snapshot.ts'; import { b } from '../canonical/b.ts';" },
    { 'proxy/balancing/a.ts': "import type { A } from '../protocols/protocol.ts'; import { b } from './b.ts';" },
    { 'proxy/policy/a.ts': "import type { StateStore } from '../state/store.ts';" },
    { 'proxy/config/snapshot-compile.ts': "import { a } from '../routing/a.ts';" },
    { 'proxy/telemetry/a.ts': "import { trace } from '@opentelemetry/api';" },
    { 'proxy/gateway.ts': "import { a } from './state/a.ts';" },
    {
      'operator/compile/a.ts': "import { a } from '../../proxy/config/schema.ts'; import { hash } from 'node:crypto';",
    },
    { 'deploy/standalone/main.ts': "import { a } from '../../operator/compile/a.ts'; import 'node:fs';" },
  ],
};

function objection(reference: Reference, room: Room): string | undefined {
  const { specifier, target, typeOnly } = reference;
  if (target !== undefined) {
    if (isWithin(target, room.imports)) return undefined;
    if (!isWithin(target, room.types)) return `may not import ${target}`;
    return typeOnly ? undefined : `may import ${target} with 'import type' only`;
  }
  if (isBuiltin(specifier)) {
    const allowed = room.builtins === 'any' || room.builtins.includes(specifier);
    return allowed ? undefined : `may not import ${specifier}`;
  }
  return isWithin(specifier, room.packages) ? undefined : `may not import the package ${specifier}`;
}

function isWithin(path: string, allowed: readonly string[]): boolean {
  return allowed.some((prefix) => path === prefix || path.startsWith(`${prefix}/`));
}

const noCycles: Rule = {
  sentence: 'no files import each other in a circle, not even types',
  check(files) {
    const graph = new Map(files.filter((file) => isCode(file.path)).map((file) => [file.path, targets(file)]));
    const done = new Set<string>();
    const cycles: string[] = [];
    const visit = (path: string, trail: readonly string[]): void => {
      const at = trail.indexOf(path);
      if (at >= 0) cycles.push([...trail.slice(at), path].join(' → '));
      if (at >= 0 || done.has(path)) return;
      for (const next of graph.get(path) ?? []) visit(next, [...trail, path]);
      done.add(path);
    };
    for (const path of graph.keys()) visit(path, []);
    return cycles;
  },
  bad: [
    { 'proxy/a.ts': "import './b.ts';", 'proxy/b.ts': "import './c.ts';", 'proxy/c.ts': "import './a.ts';" },
    { 'proxy/a.ts': "import type { B } from './b.ts';", 'proxy/b.ts': "import type { A } from './a.ts';" },
  ],
  good: [{ 'proxy/a.ts': "import './b.ts'; import './c.ts';", 'proxy/b.ts': "import './c.ts';", 'proxy/c.ts': '' }],
};

function targets(file: SourceFile): string[] {
  return file.syntax.references.flatMap((reference) => reference.target ?? []);
}

const noBarrels: Rule = {
  sentence: 'no file exists only to re-export others',
  check: eachFile(isCode, (file) => {
    const body = file.syntax.program.body;
    if (body.some((node) => node.type === 'ExportAllDeclaration')) return ["says 'export *'"];
    const forwards = body.filter((node) => node.type === 'ExportNamedDeclaration' && node.source !== null);
    const own = body.filter((node) => node.type !== 'ImportDeclaration' && !forwards.includes(node));
    return forwards.length > 0 && own.length === 0 ? ['only re-exports'] : [];
  }),
  bad: [{ 'proxy/a.ts': "export * from './b.ts';" }, { 'proxy/index.ts': "export { b } from './b.ts';" }],
  good: [{ 'proxy/a.ts': 'export const a = 1;' }],
};

/** Imports: the matrix, cycles, barrels. */
export const importRules: readonly Rule[] = [importMatrix, noCycles, noBarrels];
