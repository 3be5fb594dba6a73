import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findComponents } from '../../../operator/compile/components.ts';

const node = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
const graph = fc.dictionary(node, fc.array(node, { maxLength: 3 })).map((edges) => new Map(Object.entries(edges)));

test('nodes share a component exactly if each can be reached from the other', () => {
  fc.assert(
    fc.property(graph, (edges) => {
      const components = findComponents(edges);
      const together = (a: string, b: string): boolean => components.some((it) => it.includes(a) && it.includes(b));
      for (const a of edges.keys()) {
        for (const b of edges.keys()) expect(together(a, b)).toBe(reaches(edges, a, b) && reaches(edges, b, a));
      }
      expect(components.flat().sort()).toEqual([...edges.keys()].sort());
    }),
  );
});

test('a component comes after those it points to', () => {
  fc.assert(
    fc.property(graph, (edges) => {
      const order = findComponents(edges);
      const place = (name: string): number => order.findIndex((it) => it.includes(name));
      for (const [from, targets] of edges) {
        for (const to of targets) if (edges.has(to)) expect(place(to)).toBeLessThanOrEqual(place(from));
      }
    }),
  );
});

test('a chain of 100,000 nodes does not exhaust the stack', () => {
  const chain = new Map(Array.from({ length: 100_000 }, (_, index) => [`${index}`, [`${index + 1}`]]));
  expect(findComponents(chain)).toHaveLength(100_000);
});

function reaches(edges: ReadonlyMap<string, readonly string[]>, from: string, to: string): boolean {
  const seen = new Set([from]);
  for (const at of seen) for (const next of edges.get(at) ?? []) if (edges.has(next)) seen.add(next);
  return seen.has(to);
}
