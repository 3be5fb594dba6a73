// Canonical messages → `systemInstruction` and `contents`: two roles that take turns, and the results of calls made at
// once in the one content behind them, in the order of the calls.
// https://ai.google.dev/gemini-api/docs/function-calling

import type { Block, Message } from '../../canonical/block.ts';
import type { JsonObject } from '../openai/wire.ts';
import { RefusedParameter } from '../refused-parameter.ts';
import { encodeModelParts, encodePart, encodeResult, type PartFacts, withSignature } from './encode-parts.ts';

type ToolResult = Extract<Block, { type: 'tool-result' }>;

/** A turn of the conversation that is being written. */
interface Turn {
  readonly role: 'user' | 'model';
  readonly blocks: readonly Block[];
}

/** The two members that a conversation becomes. */
export interface EncodedContents {
  readonly systemInstruction: JsonObject | undefined;
  readonly contents: readonly JsonObject[];
}

/** Writes a conversation. Throws RefusedParameter where calls and results do not fit together. */
export function encodeContents(messages: readonly Message[], facts: PartFacts): EncodedContents {
  const system = messages.filter(isSystem).flatMap(({ content }) => content.flatMap(encodePart));
  const turns = toTurns(messages.filter((message) => !isSystem(message)));
  const contents = turns.map((turn, index) => ({ role: turn.role, parts: encodeTurn(turn, turns[index - 1], facts) }));
  checkCalls(turns);
  if (contents.length === 0 && system.length === 0) throw new RefusedParameter('messages', 'must say something.');
  // A conversation of instructions only is one that others answer.
  if (contents.length === 0) return { systemInstruction: undefined, contents: [{ role: 'user', parts: system }] };
  if (system.length === 0) return { systemInstruction: undefined, contents };
  if (facts.profile.systemInstruction) return { systemInstruction: { parts: system }, contents };
  return { systemInstruction: undefined, contents: instruct(system, contents) };
}

function isSystem({ role }: Message): boolean {
  return role === 'system' || role === 'developer';
}

/** Models that take no instructions are told them by the user. */
function instruct(
  system: readonly JsonObject[],
  contents: readonly { readonly role: string; readonly parts: readonly JsonObject[] }[],
): readonly JsonObject[] {
  const [first, ...rest] = contents;
  if (first?.role !== 'user') return [{ role: 'user', parts: system }, ...contents];
  return [{ role: 'user', parts: [...system, ...first.parts] }, ...rest];
}

/** The turns of both sides. What says nothing parts nobody; thinking does only where something follows it. */
function toTurns(messages: readonly Message[]): readonly Turn[] {
  const said = messages.map(({ role, content }): Turn => {
    const blocks = content.filter((block) => block.type !== 'text' || block.text !== '');
    return { role: role === 'assistant' ? 'model' : 'user', blocks };
  });
  return mergeTurns(mergeTurns(said.filter(({ blocks }) => blocks.length > 0)).filter(saysMore));
}

/** Joins what one side says in a row. */
function mergeTurns(turns: readonly Turn[]): readonly Turn[] {
  const rows: { readonly role: Turn['role']; readonly blocks: Block[] }[] = [];
  for (const { role, blocks } of turns) {
    const row = rows.at(-1);
    if (row?.role === role) row.blocks.push(...blocks);
    else rows.push({ role, blocks: [...blocks] });
  }
  return rows;
}

function saysMore({ blocks }: Turn): boolean {
  return blocks.some(({ type }) => type !== 'thinking' && type !== 'redacted-thinking');
}

function encodeTurn({ role, blocks }: Turn, before: Turn | undefined, facts: PartFacts): readonly JsonObject[] {
  if (role === 'model') return withSignature(encodeModelParts(blocks, facts), facts.profile);
  const calls = callsOf(before);
  const results = blocks.filter((block) => block.type === 'tool-result');
  const orphan = results.find(({ callId }) => !calls.some(({ id }) => id === callId));
  if (orphan !== undefined) throw mismatch(orphan.callId);
  const answered = calls.flatMap(({ id, tool }) => {
    const result = results.find(({ callId }) => callId === id);
    return result === undefined ? [] : encodeResult(result, tool, facts);
  });
  const said = blocks.filter((block) => !isResult(block)).flatMap(encodePart);
  // What older models are shown beside a result must not part it from the next.
  const isResponse = (part: JsonObject): boolean => part['functionResponse'] !== undefined;
  return [...answered.filter(isResponse), ...answered.filter((part) => !isResponse(part)), ...said];
}

/** Every call has exactly one result in the turn behind it; those of the last turn have none yet. */
function checkCalls(turns: readonly Turn[]): void {
  for (const [index, turn] of turns.entries()) {
    const next = turns[index + 1];
    if (next === undefined) return;
    const results = next.blocks.filter(isResult).map(({ callId }) => callId);
    const calls = callsOf(turn);
    const open = calls.find(({ id }) => results.filter((callId) => callId === id).length !== 1);
    if (open !== undefined) throw mismatch(open.id);
  }
}

function callsOf(turn: Turn | undefined): readonly Extract<Block, { type: 'tool-call' }>[] {
  return (turn?.blocks ?? []).filter((block) => block.type === 'tool-call');
}

function isResult(block: Block): block is ToolResult {
  return block.type === 'tool-result';
}

function mismatch(id: string): RefusedParameter {
  const why = `must hold the result of each tool call right behind it, and no other: see ${JSON.stringify(id)}.`;
  return new RefusedParameter('messages', why);
}
