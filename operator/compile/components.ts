// Which routes refer to each other in a circle, and an order in which every route comes after those it refers to.

/** A graph by the names of its nodes. Edges that lead to no node are left aside. */
export type Graph = ReadonlyMap<string, readonly string[]>;

interface Visit {
  readonly node: string;
  readonly targets: Iterator<string>;
}

/**
 * Strongly connected components, each after those it points to: Tarjan's algorithm, without recursion, because a chain
 * of references may be as long as there are routes.
 */
export function findComponents(graph: Graph): readonly (readonly string[])[] {
  const components: string[][] = [];
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const open: string[] = [];
  const isOpen = new Set<string>();
  const visits: Visit[] = [];

  function enter(node: string): void {
    index.set(node, index.size);
    low.set(node, index.size - 1);
    open.push(node);
    isOpen.add(node);
    visits.push({ node, targets: (graph.get(node) ?? []).values() });
  }

  function leave(node: string): void {
    if (low.get(node) === index.get(node)) {
      const members = open.splice(open.lastIndexOf(node));
      for (const member of members) isOpen.delete(member);
      components.push(members);
    }
    const parent = visits.at(-1);
    if (parent !== undefined) lower(parent.node, low.get(node));
  }

  function lower(node: string, to = Infinity): void {
    low.set(node, Math.min(low.get(node) ?? Infinity, to));
  }

  for (const start of graph.keys()) {
    if (!index.has(start)) enter(start);
    for (let visit = visits.at(-1); visit !== undefined; visit = visits.at(-1)) {
      const next = visit.targets.next();
      if (next.done) {
        visits.pop();
        leave(visit.node);
      } else if (isOpen.has(next.value)) lower(visit.node, index.get(next.value));
      else if (graph.has(next.value) && !index.has(next.value)) enter(next.value);
    }
  }
  return components;
}
