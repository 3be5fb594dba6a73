// Values made from good ones by breaking them in one place, the way people and programs do: the API server and zod must
// refuse the same of them, and accept the same.

import fc from 'fast-check';
import { type Path, replaceAt } from './path.ts';

/** Values that are of the wrong type, or at the edge of what numbers and texts may be. */
const oddValues: readonly unknown[] = [
  null,
  '',
  ' ',
  'x',
  '0',
  'true',
  'ü',
  '👩‍👩‍👧',
  'a'.repeat(64),
  'a'.repeat(254),
  '\u0000',
  'a\n',
  0,
  -0,
  1,
  -1,
  1.5,
  1e21,
  2 ** 31,
  2 ** 53,
  2 ** 63,
  true,
  false,
  [],
  {},
  [null],
  ['a', 'a'],
  { a: 'b' },
  { '': null },
  '2026-02-30T00:00:00Z',
  '2026-02-28T24:00:00Z',
  '1999-12-31T23:59:59Z',
  'http://a.example/?b',
];

type Blow = (old: unknown) => unknown;

const replace: fc.Arbitrary<Blow> = fc.constantFrom(...oddValues).map((value) => () => value);
const wrap: fc.Arbitrary<Blow> = fc.constantFrom<Blow>(
  (old) => [old],
  (old) => [old, old],
  (old) => ({ old }),
);
const spoil: fc.Arbitrary<Blow> = fc.tuple(fc.nat(), fc.constantFrom(...oddValues)).map(([at, value]) => (old) => {
  if (Array.isArray(old)) return spoiltList(old, at, value);
  if (typeof old === 'object' && old !== null) return spoiltObject(old, at, value);
  return typeof old === 'string' ? `${old}${String(value)}` : value;
});

/** One of `values`, broken in one place. */
export function damaged(values: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const blow = fc.oneof(replace, { weight: 2, arbitrary: spoil }, wrap);
  return fc.tuple(values, fc.nat(), blow).map(([value, at, strike]) => {
    const paths = pathsIn(value, []);
    return replaceAt(value, paths[at % paths.length] ?? [], strike);
  });
}

function pathsIn(value: unknown, path: Path): readonly Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const members = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return [path, ...members.flatMap(([step, member]) => pathsIn(member, [...path, step]))];
}

/** An entry fewer, an entry twice, or one that does not belong. */
function spoiltList(list: readonly unknown[], at: number, value: unknown): readonly unknown[] {
  const index = list.length === 0 ? 0 : at % list.length;
  switch (at % 3) {
    case 0:
      return list.toSpliced(index, 1);
    case 1:
      return [...list, ...list.slice(index, index + 1)];
    default:
      return list.toSpliced(index, 0, value);
  }
}

/** A member fewer, a member without a value, or one that does not belong. */
function spoiltObject(object: object, at: number, value: unknown): object {
  const names = Object.keys(object);
  const name = names[at % Math.max(1, names.length)] ?? 'missing';
  switch (at % 3) {
    case 0:
      return Object.fromEntries(Object.entries(object).filter(([member]) => member !== name));
    case 1:
      return { ...object, [name]: null };
    default:
      return { ...object, [`${name}s`]: value };
  }
}
