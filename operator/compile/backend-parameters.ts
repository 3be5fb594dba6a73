// `parameters` of a backend: what a route may change in the body of a request, and what only the proxy may.

import type { LLMRoute } from '../../crds/llm-route.ts';
import { type Finding, notAccepted } from './diagnostic.ts';

type Parameters = LLMRoute['spec']['rules'][number]['backends'][number]['parameters'];

/** Deeper values are a slip or an attack; recursion over them must stay within the stack. */
const depthMax = 32;

/** What the proxy has read in the body and relies on: any change would be answered, but not understood. */
const owned: ReadonlyMap<string, string> = new Map([
  ['model', 'the member model of the backend says it'],
  ['stream', 'the client decides it'],
  ['messages', 'they are what the client says'],
]);

/** `kubectl` and `helm` read YAML 1.1, where `n:` without quotation marks is the boolean false. */
const booleans: ReadonlySet<string> = new Set(['true', 'false']);

/** `field`: path of the backend. */
export function checkParameters(parameters: Parameters, field: string): readonly Finding[] {
  const { set = {}, remove = [] } = parameters ?? {};
  return [
    ...Object.entries(set).map(([name, value]) => ({ at: `set.${name}`, message: explainSet(name, value) })),
    ...remove.map((name, index) => ({ at: `remove[${index}]`, message: explainOwned(name, 'removed') })),
  ].flatMap(({ at, message }) =>
    message === undefined ? [] : [notAccepted('Invalid', `${field}.parameters.${at}`, message)],
  );
}

function explainSet(name: string, value: unknown): string | undefined {
  if (booleans.has(name)) {
    return 'is not the name of a parameter: YAML reads names such as n, y, no and on as booleans, so they must be quoted, as in "n": 1';
  }
  if (isDeeperThan(value, depthMax)) return `must not be nested more than ${depthMax} levels deep`;
  return explainOwned(name, 'set');
}

function explainOwned(name: string, change: 'set' | 'removed'): string | undefined {
  const why = owned.get(name);
  return why === undefined ? undefined : `must not be ${change} as a parameter: ${why}`;
}

function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((member) => isDeeperThan(member, levels - 1));
}
