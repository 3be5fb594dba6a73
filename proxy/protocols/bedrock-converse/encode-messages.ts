// Canonical messages → `system` and `messages` on the wire, in the order that the API insists on: the user first, then
// each side in turn, and the results of tools first in the turn behind their calls.

import type { Message } from '../../canonical/block.ts';
import type { JsonObject } from '../openai/wire.ts';
import { RefusedParameter } from '../refused-parameter.ts';
import { DocumentNames } from './document.ts';
import { type BlockContext, encodeBlocks, type Piece } from './encode-block.ts';
import type { ConverseModel } from './model.ts';
import { objectOf } from './wire.ts';

/** A turn of the conversation that is being written. */
interface Turn {
  readonly role: 'user' | 'assistant';
  readonly pieces: readonly Piece[];
}

/** The two members that a conversation becomes. */
export interface EncodedMessages {
  readonly system: readonly JsonObject[];
  readonly messages: readonly JsonObject[];
}

/** What the user says where a conversation begins with the model: nobody said what it answers. */
const opening: Piece = { wire: { text: '(The conversation begins.)' }, cache: undefined };

/** Writes a conversation. Throws RefusedParameter where calls and results do not fit together. */
export function encodeMessages(messages: readonly Message[], model: ConverseModel): EncodedMessages {
  const context: BlockContext = { model, names: new DocumentNames() };
  // There is no place for instructions but in front.
  const system = messages.filter(isSystem).flatMap(({ content }) => encodeBlocks(content, context));
  const turns = messages.filter((message) => !isSystem(message)).map((message) => toTurn(message, context));
  const merged = merge(turns.filter(({ pieces }) => pieces.length > 0));
  const ordered = merged.map((turn, index) => orderResults(turn, merged[index - 1]));
  checkCalls(ordered);
  // A conversation of instructions only is one that others answer.
  if (ordered.length === 0) return { system: [], messages: [toWire({ role: 'user', pieces: system })] };
  const first: readonly Turn[] = ordered[0]?.role === 'assistant' ? [{ role: 'user', pieces: [opening] }] : [];
  return { system: flatten(system), messages: [...first, ...ordered].map(trimEnd).map(toWire) };
}

function isSystem({ role }: Message): boolean {
  return role === 'system' || role === 'developer';
}

function toTurn({ role, content }: Message, context: BlockContext): Turn {
  return { role: role === 'assistant' ? role : 'user', pieces: encodeBlocks(content, context) };
}

/** Joins what one side says in a row. */
function merge(turns: readonly Turn[]): readonly Turn[] {
  const merged: Turn[] = [];
  for (const turn of turns) {
    const last = merged.at(-1);
    if (last?.role === turn.role) merged[merged.length - 1] = { ...last, pieces: [...last.pieces, ...turn.pieces] };
    else merged.push(turn);
  }
  return merged;
}

/** Results first, as their calls were. */
function orderResults(turn: Turn, before: Turn | undefined): Turn {
  if (turn.role !== 'user' || !turn.pieces.some((piece) => resultId(piece) !== undefined)) return turn;
  const places = new Map(callIds(before).map((id, place) => [id, place]));
  const results = turn.pieces.filter((piece) => resultId(piece) !== undefined);
  const orphan = results.find((result) => !places.has(resultId(result)));
  if (orphan !== undefined) throw mismatch(resultId(orphan));
  const place = (piece: Piece): number => places.get(resultId(piece)) ?? 0;
  const ordered = results.toSorted((one, other) => place(one) - place(other));
  return { ...turn, pieces: [...ordered, ...turn.pieces.filter((piece) => resultId(piece) === undefined)] };
}

/** Every call has its result in the turn behind it. */
function checkCalls(turns: readonly Turn[]): void {
  for (const [index, turn] of turns.entries()) {
    const results = new Set((turns[index + 1]?.pieces ?? []).map(resultId));
    const open = callIds(turn).find((id) => !results.has(id));
    if (open !== undefined) throw mismatch(open);
  }
}

function callIds(turn: Turn | undefined): readonly unknown[] {
  return (turn?.pieces ?? []).flatMap(({ wire }) => objectOf(wire['toolUse'])['toolUseId'] ?? []);
}

function resultId({ wire }: Piece): unknown {
  return objectOf(wire['toolResult'])['toolUseId'];
}

/** A last turn of the model's, which it is to go on with, must not end in white space. */
function trimEnd(turn: Turn, index: number, all: readonly Turn[]): Turn {
  const last = turn.pieces.at(-1);
  const text = last?.wire['text'];
  if (index !== all.length - 1 || turn.role !== 'assistant' || typeof text !== 'string') return turn;
  return { ...turn, pieces: [...turn.pieces.slice(0, -1), { ...last!, wire: { text: text.trimEnd() } }] };
}

function toWire({ role, pieces }: Turn): JsonObject {
  return { role, content: flatten(pieces) };
}

function flatten(pieces: readonly Piece[]): readonly JsonObject[] {
  return pieces.flatMap(({ wire, cache }) => (cache === undefined ? [wire] : [wire, cache]));
}

function mismatch(id: unknown): RefusedParameter {
  const why = `must hold the result of each tool call right behind it, and no other: see ${JSON.stringify(id)}.`;
  return new RefusedParameter('messages', why);
}
