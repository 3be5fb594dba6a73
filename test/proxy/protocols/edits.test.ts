import { describe, expect, it } from 'vitest';
import { listOf, mergeEdits, textOf, withMember, withoutMember } from '../../../proxy/protocols/edits.ts';
import { readMembers } from '../../../proxy/protocols/json-members.ts';
import type { EditedBody } from '../../../proxy/protocols/protocol.ts';

const text = '{"a": 1.0 ,"list":[{"n":1}, {"n":2}]}';

function edited(set: Readonly<Record<string, string>> = {}, remove: readonly string[] = []): EditedBody {
  const body = Buffer.from(text);
  const { members } = readMembers(body);
  return { body, members, edits: { set: new Map(Object.entries(set)), remove: new Set(remove) } };
}

describe('a body with changes', () => {
  it('has members as they are by then', () => {
    expect(textOf(edited(), 'a')).toBe('1.0');
    expect(textOf(edited({ a: '2' }), 'a')).toBe('2');
    expect(textOf(edited({ b: '"x"' }), 'b')).toBe('"x"');
    // As for `rewrite`: what is removed is not set either.
    expect(textOf(edited({ a: '2' }, ['a']), 'a')).toBeUndefined();
    expect(textOf(edited(), 'b')).toBeUndefined();
  });

  it('has lists as they are by then', () => {
    const numbers = (body: EditedBody): unknown => listOf(body, 'list')?.map(({ value }) => value['n']);
    expect(numbers(edited())).toEqual([1, 2]);
    expect(numbers(edited({ list: '[{"n":3}]' }))).toEqual([3]);
    expect(numbers(edited({ list: '"none"' }))).toBeUndefined();
    expect(numbers(edited({}, ['list']))).toBeUndefined();
  });
});

describe('changes upon others', () => {
  it('are the last that is said of a member', () => {
    const { edits } = edited({ a: '2' }, ['list']);
    expect(withMember(edits, 'list', '[]')).toEqual(edited({ a: '2', list: '[]' }).edits);
    expect(withoutMember(edits, 'a')).toEqual(edited({}, ['list', 'a']).edits);
    expect(edits).toEqual(edited({ a: '2' }, ['list']).edits);
  });

  it('leave one’s own in place, but for a model that is said elsewhere', () => {
    const needed = { set: new Map([['b', '2']]), remove: new Set(['model', 'a']) };
    expect(mergeEdits(needed, edited({ model: '"m"', a: '1' }, ['c']).edits)).toEqual(
      edited({ b: '2', a: '1' }, ['model', 'c']).edits,
    );
    expect(mergeEdits(needed, edited({ b: '3' }).edits).set.get('b')).toBe('3');
  });
});
