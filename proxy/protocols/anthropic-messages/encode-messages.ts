// Canonical messages → `system` and `messages` on the wire, in the order that the API insists on: the results of tools
// first in the one user turn behind their calls, and in the order of the calls.
// https://platform.claude.com/docs/en/agents-and-tools/tool-use/handle-tool-calls

import type { Message } from '../../canonical/block.ts';
import type { JsonObject } from '../openai/wire.ts';
import { RefusedParameter } from '../refused-parameter.ts';
import type { AnthropicDialect } from './dialect.ts';
import { encodeBlocks, encodeContent } from './encode-block.ts';
import { kept } from './wire.ts';

/** A turn of the conversation that is being written. */
interface Turn {
  readonly role: 'user' | 'assistant' | 'system';
  readonly blocks: readonly JsonObject[];
  readonly own: JsonObject;
}

/** The two members that a conversation becomes. */
export interface EncodedMessages {
  readonly system: unknown;
  readonly messages: readonly JsonObject[];
}

/** Writes a conversation. Throws ClientError where calls and results do not fit together. */
export function encodeMessages(
  messages: readonly Message[],
  dialect: AnthropicDialect,
  systemTurns: boolean,
): EncodedMessages {
  const turns = messages.map((message) => toTurn(message, dialect)).filter(({ blocks }) => blocks.length > 0);
  const first = turns.findIndex(({ role }) => role !== 'system');
  const leading = turns.slice(0, first === -1 ? turns.length : first);
  const system = leading.flatMap(({ blocks }) => blocks);
  const rest = placeSystemTurns(turns.slice(leading.length), systemTurns);
  const merged = merge(rest).map((turn, index, all) => orderResults(turn, all[index - 1]));
  checkCalls(merged);
  // A conversation of instructions only is one that others answer.
  if (merged.length === 0) return { system: undefined, messages: [{ role: 'user', content: encodeContent(system) }] };
  return {
    system: system.length === 0 ? undefined : encodeContent(system),
    messages: merged.map(trimEnd).map(({ role, blocks, own }) => ({ role, content: encodeContent(blocks), ...own })),
  };
}

function toTurn(message: Message, dialect: AnthropicDialect): Turn {
  const blocks = encodeBlocks(message.content, dialect);
  const own = kept(message);
  switch (message.role) {
    case 'assistant':
      return { role: 'assistant', blocks, own };
    case 'system':
    case 'developer':
      return { role: 'system', blocks, own };
    case 'user':
    case 'tool':
      return { role: 'user', blocks, own };
  }
}

/**
 * System messages among the others may stand behind a user's turn and before the model's. Elsewhere, and for models that
 * know none, the user's turn says it.
 */
function placeSystemTurns(turns: readonly Turn[], allowed: boolean): readonly Turn[] {
  const before = neighbours(turns);
  const after = neighbours(turns.toReversed()).toReversed();
  return turns.map((turn, index) => {
    if (turn.role !== 'system' || (allowed && before[index] === 'user' && after[index] !== 'user')) return turn;
    const text = turn.blocks.map((block) => block['text']).join('\n');
    return { role: 'user', blocks: [{ type: 'text', text: `<system>\n${text}\n</system>` }], own: {} };
  });
}

/** Who speaks before each turn, system messages apart. */
function neighbours(turns: readonly Turn[]): readonly (Turn['role'] | undefined)[] {
  let last: Turn['role'] | undefined;
  return turns.map(({ role }) => {
    const before = last;
    if (role !== 'system') last = role;
    return before;
  });
}

/** Joins what one side says in a row. */
function merge(turns: readonly Turn[]): readonly Turn[] {
  const rows: Turn[][] = [];
  for (const turn of turns) {
    const row = rows.at(-1);
    if (row?.[0]?.role === turn.role) row.push(turn);
    else rows.push([turn]);
  }
  return rows.map((row) => ({
    role: row[0]!.role,
    blocks: row.flatMap(({ blocks }) => blocks),
    own: Object.fromEntries(row.flatMap(({ own }) => Object.entries(own))),
  }));
}

/** Results first, as their calls were. */
function orderResults(turn: Turn, before: Turn | undefined): Turn {
  if (turn.role !== 'user' || !turn.blocks.some(isResult)) return turn;
  const places = new Map(callIds(before).map((id, place) => [id, place]));
  const results = turn.blocks.filter(isResult);
  const orphan = results.find((result) => !places.has(result['tool_use_id']));
  if (orphan !== undefined) throw mismatch(orphan['tool_use_id']);
  const place = (result: JsonObject): number => places.get(result['tool_use_id']) ?? 0;
  const ordered = results.toSorted((one, other) => place(one) - place(other));
  return { ...turn, blocks: [...ordered, ...turn.blocks.filter((block) => !isResult(block))] };
}

/** Every call has its result in the turn behind it. */
function checkCalls(turns: readonly Turn[]): void {
  for (const [index, turn] of turns.entries()) {
    const calls = callIds(turn);
    if (calls.length === 0) continue;
    const results = new Set((turns[index + 1]?.blocks ?? []).filter(isResult).map((result) => result['tool_use_id']));
    const open = calls.find((id) => !results.has(id));
    if (open !== undefined) throw mismatch(open);
  }
}

function callIds(turn: Turn | undefined): readonly unknown[] {
  return (turn?.blocks ?? []).filter((block) => block['type'] === 'tool_use').map((block) => block['id']);
}

function isResult(block: JsonObject): boolean {
  return block['type'] === 'tool_result';
}

/** A last turn of the model's, which it is to go on with, must not end in white space. */
function trimEnd(turn: Turn, index: number, all: readonly Turn[]): Turn {
  const last = turn.blocks.at(-1);
  if (index !== all.length - 1 || turn.role !== 'assistant' || typeof last?.['text'] !== 'string') return turn;
  return { ...turn, blocks: [...turn.blocks.slice(0, -1), { ...last, text: last['text'].trimEnd() }] };
}

function mismatch(id: unknown): RefusedParameter {
  const why = `must hold the result of each tool call right behind it, and no other: see ${JSON.stringify(id)}.`;
  return new RefusedParameter('messages', why);
}
