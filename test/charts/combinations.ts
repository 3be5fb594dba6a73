// Values that change the shape of a release, in few combinations that have every pair of choices in one of them.

/** Choices, by the value that they set. */
const choices: readonly (readonly object[])[] = [
  [{ redis: { type: 'Bundled' } }, { redis: { type: 'External', external: { url: 'redis://redis.example.com' } } }],
  [{ proxy: { watch: true } }, { proxy: { watch: false } }],
  [{ watch: { allNamespaces: true } }, { watch: { namespaces: ['team-a', 'team-b'] } }],
  [{ watch: { namespaceLabels: true } }, { watch: { namespaceLabels: false } }],
  [{ proxy: { autoscaling: { enabled: true } } }, { proxy: { autoscaling: { enabled: false } } }],
  [{ networkPolicy: { enabled: true } }, { networkPolicy: { enabled: false } }],
  [{ adminToken: { value: '' } }, { adminToken: { existingSecret: { name: 'token' } } }],
  [{ podSecurity: { runAsUser: 65532 } }, { podSecurity: { runAsUser: null } }],
  [{ rbac: { aggregateToUserRoles: true } }, { rbac: { aggregateToUserRoles: false } }],
  [{ proxy: { serviceAccount: { create: true } } }, { proxy: { serviceAccount: { create: false, name: 'other' } } }],
];

/** Values of releases. */
export const combinations: readonly object[] = coverPairs();

/** Greedy: of the choices for each next value, the one that makes most pairs that are not there yet. */
function coverPairs(): readonly object[] {
  const missing = new Set<string>();
  for (const one of choices.keys()) {
    for (let other = one + 1; other < choices.length; other++) {
      for (const a of [0, 1]) for (const b of [0, 1]) missing.add(pair(one, a, other, b));
    }
  }
  const rows: object[] = [];
  while (missing.size > 0) {
    const row: number[] = [];
    for (const index of choices.keys()) {
      const gain = (choice: number): number => row.filter((a, one) => missing.has(pair(one, a, index, choice))).length;
      row.push(gain(1) > gain(0) || (gain(1) === gain(0) && rows.length % 2 === 1) ? 1 : 0);
    }
    for (const [one, a] of row.entries()) {
      for (const [other, b] of row.entries()) if (one < other) missing.delete(pair(one, a, other, b));
    }
    rows.push(row.map((choice, index) => choices[index]?.[choice] ?? {}).reduce(merge));
    if (rows.length > 40) throw new Error('pairs are left over');
  }
  return rows;
}

function pair(one: number, a: number, other: number, b: number): string {
  return `${one}=${a} ${other}=${b}`;
}

function merge(one: object, other: object): object {
  const merged = new Map<string, unknown>(Object.entries(one));
  for (const [name, value] of Object.entries(other)) {
    const before = merged.get(name);
    const both = typeof before === 'object' && before !== null && typeof value === 'object' && value !== null;
    merged.set(name, both ? merge(before, value as object) : value);
  }
  return Object.fromEntries(merged);
}
