// Changes to a body that several have: each sees what those before it have changed, and gives back the very same changes
// where it has nothing to add.

import { type ListElement, readList } from './json-list.ts';
import { readMembers } from './json-members.ts';
import type { EditedBody, Edits } from './protocol.ts';

/** The JSON text of a member as it is with the changes so far; undefined if it is not there. */
export function textOf({ body, members, edits: { set, remove } }: EditedBody, name: string): string | undefined {
  if (remove.has(name)) return undefined;
  const text = set.get(name);
  if (text !== undefined) return text;
  const member = members.find((candidate) => candidate.name === name);
  return member && body.toString('utf8', member.valueStart, member.valueEnd);
}

/** The objects in a list that is a member, as it is with the changes so far. Undefined as in `readList`. */
export function listOf(edited: EditedBody, name: string): readonly ListElement[] | undefined {
  const { body, members, edits } = edited;
  if (edits.remove.has(name)) return undefined;
  const text = edits.set.get(name);
  if (text === undefined) return readList(body, members, name);
  const alone = Buffer.from(`{"list":${text}}`);
  return readList(alone, readMembers(alone).members, 'list');
}

/** Sets a member, whatever has been decided on it. */
export function withMember({ set, remove }: Edits, name: string, text: string): Edits {
  return { set: new Map(set).set(name, text), remove: remove.has(name) ? without(remove, name) : remove };
}

/** Removes a member, whatever has been decided on it. */
export function withoutMember({ set, remove }: Edits, name: string): Edits {
  return {
    set: set.has(name) ? new Map([...set].filter(([it]) => it !== name)) : set,
    remove: new Set(remove).add(name),
  };
}

function without(names: ReadonlySet<string>, name: string): ReadonlySet<string> {
  return new Set([...names].filter((it) => it !== name));
}

/**
 * Edits of one's own on top of others that are needed: where both are about a member, one's own count; except for the
 * model, which is said elsewhere where it must not be in the body.
 */
export function mergeEdits(needed: Edits, own: Edits): Edits {
  const set = new Map([...needed.set, ...own.set]);
  if (needed.remove.has('model')) set.delete('model');
  const remove = [...needed.remove].filter((name) => !set.has(name));
  return { set, remove: new Set([...remove, ...own.remove]) };
}
