// What the compiler, and then the proxy itself, say to what was loaded. The same for `sluice check` and `sluice run`.

import { compile } from '../../operator/compile/compile.ts';
import type { Diagnostic } from '../../operator/compile/diagnostic.ts';
import { SnapshotStore } from '../../proxy/config/store.ts';
import type { Credentials, GatewayConfig } from '../../proxy/config/schema.ts';
import type { Loaded } from './load/load.ts';
import { type FileProblem, formatName, type ObjectName } from './load/problem.ts';
import { toWorld, type WorldSettings } from './load/world.ts';

/** A configuration and everything that is wrong with what it was made of. */
export interface Verdict {
  readonly config: GatewayConfig;
  readonly credentials: Credentials;
  /** In the order of the files, and of the objects in them. */
  readonly problems: readonly FileProblem[];
}

/** Compiles what was loaded, and asks the proxy's own code whether it would take it. */
export function judge(loaded: Loaded, settings: WorldSettings): Verdict {
  const { config, credentials, diagnostics } = compile(toWorld(loaded, settings));
  const problems = [
    ...loaded.problems,
    ...findForeign(loaded, settings.className),
    ...diagnostics.map((diagnostic) => toProblem(diagnostic, loaded)),
    ...askProxy(config, credentials, loaded),
  ];
  return { config, credentials, problems: inOrder([...loaded.unreadable, ...problems], loaded) };
}

/** Whether anything can be served. Routes without backends are there only to refuse their requests. */
export function hasBackends({ routes }: GatewayConfig): boolean {
  return routes.some(({ rules }) => rules.some(({ backends }) => backends.length > 0));
}

function toProblem({ kind, namespace, name, severity, field, message }: Diagnostic, loaded: Loaded): FileProblem {
  const object = { kind, namespace, name };
  return { severity, file: fileOf(object, loaded), object, field, message };
}

function fileOf(object: ObjectName, { origins, files }: Loaded): string {
  return origins.get(formatName(object)) ?? files.join(', ');
}

/** Objects of another class are left alone; whoever wrote the class by mistake would wonder why nothing happens. */
function findForeign(loaded: Loaded, className: string): readonly FileProblem[] {
  const resources = [...loaded.providers, ...loaded.routes, ...loaded.keys].map(({ kind, metadata, spec }) => {
    return { kind, namespace: metadata.namespace, name: metadata.name, className: spec.className };
  });
  return [...resources, ...loaded.invalid]
    .filter((resource) => resource.className !== className)
    .map(({ kind, namespace, name, className: foreign }) => {
      const object = { kind, namespace, name };
      const message = `the object is left alone: it belongs to the class "${foreign}", not to "${className}"`;
      return { severity: 'warning', file: fileOf(object, loaded), object, field: 'spec.className', message };
    });
}

/** The proxy says what it refuses as `route namespace/name: …`; the object is found again by that. */
function askProxy(config: GatewayConfig, credentials: Credentials, loaded: Loaded): readonly FileProblem[] {
  const store = new SnapshotStore({ now: () => config.revision, setTimer: () => ({ cancel: () => undefined }) });
  const { reasons = [] } = store.offer(config, credentials) ?? {};
  return reasons.map((reason) => {
    const [, kind, namespace, name, message] = /^(route|provider) ([^/ ]+)\/([^/: ]+): (.*)$/s.exec(reason) ?? [];
    if (namespace === undefined || name === undefined || message === undefined) {
      return {
        severity: 'error',
        file: loaded.files.join(', '),
        field: '',
        message: `the proxy refuses this: ${reason}`,
      };
    }
    const object = { kind: kind === 'route' ? 'LLMRoute' : 'LLMProvider', namespace, name };
    return { severity: 'error', file: fileOf(object, loaded), object, field: 'spec', message };
  });
}

function inOrder(problems: readonly FileProblem[], { files, origins }: Loaded): readonly FileProblem[] {
  const fileOrder = new Map(files.map((file, index) => [file, index]));
  const objectOrder = new Map([...origins.keys()].map((name, index) => [name, index]));
  const key = ({ file, object }: FileProblem): readonly [number, number] => [
    fileOrder.get(file) ?? -1,
    object === undefined ? -1 : (objectOrder.get(formatName(object)) ?? -1),
  ];
  return problems
    .map((problem) => ({ problem, key: key(problem) }))
    .toSorted((a, b) => a.key[0] - b.key[0] || a.key[1] - b.key[1])
    .map(({ problem }) => problem);
}
