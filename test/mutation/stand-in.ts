// As much of vitest as the tests of decisions use, without its startup, so that thousands of runs take minutes: collects
// tests, and throws where they would fail. Loaded in the place of `vitest` (worker.ts).

import { isDeepStrictEqual } from 'node:util';

type Body = (...values: never[]) => unknown;

/** A test that has been told of. */
export interface CollectedTest {
  readonly name: string;
  readonly run: () => unknown;
}

/** The tests of this load, in their order. */
export const collected: CollectedTest[] = [];

/** Runs its body at once: names of groups do not matter here. */
export const describe = Object.assign((_name: string, body: () => void): void => body(), {
  each: (rows: readonly unknown[]) => (_name: string, body: Body) => {
    for (const row of rows) body(...(valuesOf(row) as never[]));
  },
});

function add(name: string, ...rest: readonly unknown[]): void {
  const body = rest.find((it) => typeof it === 'function') as () => unknown;
  collected.push({ name, run: () => body() });
}

/** Keeps a test for later. */
export const test = Object.assign(add, {
  each:
    (rows: readonly unknown[]) =>
    (name: string, ...rest: readonly unknown[]) => {
      const body = rest.find((it) => typeof it === 'function') as Body;
      for (const row of rows) collected.push({ name, run: () => body(...(valuesOf(row) as never[])) });
    },
});

export { test as it };

function valuesOf(row: unknown): readonly unknown[] {
  return Array.isArray(row) ? row : [row];
}

interface Matchers {
  readonly not: Matchers;
  readonly [name: string]: unknown;
}

class ArrayContaining {
  readonly wanted: readonly unknown[];
  constructor(wanted: readonly unknown[]) {
    this.wanted = wanted;
  }
}

/** What is claimed of a value. */
export const expect = Object.assign((value: unknown) => matchers(value, true), {
  arrayContaining: (wanted: readonly unknown[]) => new ArrayContaining(wanted),
});

function matchers(value: unknown, wanted: boolean): Matchers {
  const claim = (name: string, holds: boolean): void => {
    if (holds !== wanted) throw new Error(`${name} ${wanted ? 'does not hold' : 'holds'}`);
  };
  const length = (value as { length?: number } | undefined)?.length;
  const number = value as number;
  return {
    get not() {
      return matchers(value, !wanted);
    },
    toBe: (other: unknown) => claim('toBe', Object.is(value, other)),
    toEqual: (other: unknown) => claim('toEqual', equals(value, other)),
    toBeUndefined: () => claim('toBeUndefined', value === undefined),
    toMatchObject: (other: unknown) => claim('toMatchObject', includes(value, other)),
    toHaveLength: (other: number) => claim('toHaveLength', length === other),
    toMatch: (other: RegExp) => claim('toMatch', other.test(String(value))),
    toContain: (other: unknown) =>
      claim(
        'toContain',
        typeof value === 'string' ? value.includes(String(other)) : (value as unknown[]).includes(other),
      ),
    toBeGreaterThan: (other: number) => claim('toBeGreaterThan', number > other),
    toBeGreaterThanOrEqual: (other: number) => claim('toBeGreaterThanOrEqual', number >= other),
    toBeLessThan: (other: number) => claim('toBeLessThan', number < other),
    toBeLessThanOrEqual: (other: number) => claim('toBeLessThanOrEqual', number <= other),
  };
}

/** Members that are undefined are as good as none. */
function equals(value: unknown, other: unknown): boolean {
  if (other instanceof ArrayContaining)
    return other.wanted.every((it) => (value as unknown[]).some((own) => equals(own, it)));
  return isDeepStrictEqual(bare(value), bare(other));
}

function includes(value: unknown, other: unknown): boolean {
  if (!isRecord(other) || !isRecord(value)) return equals(value, other);
  return Object.entries(other).every(([name, it]) => includes(value[name], it));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function bare(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(bare);
  if (!isRecord(value) || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, it]) => (it === undefined ? [] : [[name, bare(it)]])),
  );
}
