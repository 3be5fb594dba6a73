// Runs tests against one mutant after another, in this process: each load of the tests sees the file with one change.

import { readFileSync } from 'node:fs';
import { registerHooks, stripTypeScriptTypes } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { CollectedTest } from './stand-in.ts';

/** What a worker is told to do. */
export interface Task {
  /** The whole changed file; undefined: nothing is changed. */
  readonly mutant: { readonly path: string; readonly source: string } | undefined;
  readonly tests: readonly string[];
}

const standIn = new URL('stand-in.ts', import.meta.url).href;
const stripped = new Map<string, string>();
let load = 0;
let mutant: { readonly url: string; readonly source: string } | undefined;

registerHooks({
  resolve(specifier, context, nextResolve) {
    const mark = /\?load=\d+$/.exec(context.parentURL ?? '')?.[0];
    if (mark === undefined) return nextResolve(specifier, context);
    if (specifier === 'vitest') return { url: standIn + mark, format: 'module', shortCircuit: true };
    const resolved = nextResolve(specifier, context);
    const isOurs = resolved.url.startsWith('file:') && !resolved.url.includes('/node_modules/');
    return isOurs ? { ...resolved, url: resolved.url + mark } : resolved;
  },
  load(url, context, nextLoad) {
    const [plain = url, mark] = url.split('?');
    if (mark === undefined) return nextLoad(url, context);
    const source = plain === mutant?.url ? stripTypeScriptTypes(mutant.source) : strippedSource(plain);
    return { format: 'module', source, shortCircuit: true };
  },
});

function strippedSource(url: string): string {
  let source = stripped.get(url);
  if (source === undefined) {
    source = stripTypeScriptTypes(readFileSync(fileURLToPath(url), 'utf8'));
    stripped.set(url, source);
  }
  return source;
}

/** The name of the first test that fails; undefined if none does. */
async function firstFailure({ mutant: given, tests }: Task): Promise<string | undefined> {
  load += 1;
  mutant = given === undefined ? undefined : { url: pathToFileURL(given.path).href, source: given.source };
  const mark = `?load=${load}`;
  try {
    for (const path of tests) await import(pathToFileURL(path).href + mark);
  } catch (error) {
    return `loading: ${String(error)}`;
  }
  const { collected } = (await import(standIn + mark)) as { readonly collected: readonly CollectedTest[] };
  for (const { name, run } of collected) {
    try {
      await run();
    } catch (error) {
      return given === undefined ? `${name}: ${String(error)}` : name;
    }
  }
  return undefined;
}

process.on('message', (task: Task) => {
  void firstFailure(task).then((failure) => process.send?.({ failure }));
});
