// Mends streams of servers that are nearly OpenAI's, where their clients would break or lose something: calls without an
// index, an id or a type, several calls under one index, names and ids said again with every fragment, and Azure's first
// chunk, which has no id. Everything else stays as it is.

import type { FrameRepair } from '../openai/stream-tap.ts';
import { isJsonObject, type JsonObject } from '../openai/wire.ts';
import { type CallSigns, type KnownCall, KnownCalls } from './known-calls.ts';
import { callId } from './wire.ts';

/** Mends the frames of one answer. */
export class ChatFrameRepair implements FrameRepair {
  vigilant = false;
  readonly #calls = new Map<unknown, ChoiceCalls>();
  /** What a chunk said that was not passed on, to be said with the next one. */
  #withheld: JsonObject | undefined;
  #id = '';

  mend(json: JsonObject): JsonObject | 'withhold' | undefined {
    const choices = Array.isArray(json['choices']) ? json['choices'] : [];
    if (this.#isNameless(json, choices)) {
      this.#withheld = { ...this.#withheld, ...json };
      return 'withhold';
    }
    if (typeof json['id'] === 'string') this.#id ||= json['id'];
    const mended = choices.map((choice) => (isJsonObject(choice) ? this.#mendChoice(choice) : undefined));
    const withheld = this.#withheld;
    this.#withheld = undefined;
    if (withheld === undefined && mended.every((choice) => choice === undefined)) return undefined;
    return { ...withheld, ...json, choices: choices.map((choice, index) => mended[index] ?? choice) };
  }

  /** Azure tells what its filter says of the prompt before it has begun to answer. */
  #isNameless(json: JsonObject, choices: readonly unknown[]): boolean {
    return this.#id === '' && json['id'] === '' && choices.length === 0 && !isJsonObject(json['usage']);
  }

  #mendChoice(choice: JsonObject): JsonObject | undefined {
    const delta = choice['delta'];
    if (!isJsonObject(delta) || !Array.isArray(delta['tool_calls'])) return undefined;
    const calls = this.#callsOf(choice['index'] ?? 0);
    const given = delta['tool_calls'];
    const mended = given.map((call: unknown) => (isJsonObject(call) ? calls.mend(call) : undefined));
    if (mended.every((call) => call === undefined)) return undefined;
    // Fragments that say only by an index which call they belong to must not be taken for known ones any more.
    this.vigilant = true;
    return { ...choice, delta: { ...delta, tool_calls: given.map((call: unknown, index) => mended[index] ?? call) } };
  }

  #callsOf(choice: unknown): ChoiceCalls {
    let calls = this.#calls.get(choice);
    if (calls === undefined) this.#calls.set(choice, (calls = new ChoiceCalls(() => this.#id)));
    return calls;
  }
}

/** A whole answer whose calls have ids and types; undefined if they do. */
export function mendWhole(json: JsonObject): JsonObject | undefined {
  const choices = Array.isArray(json['choices']) ? json['choices'] : [];
  const mended = choices.map((choice) => (isJsonObject(choice) ? mendMessage(choice, text(json['id'])) : undefined));
  if (mended.every((choice) => choice === undefined)) return undefined;
  return { ...json, choices: choices.map((choice, index) => mended[index] ?? choice) };
}

function mendMessage(choice: JsonObject, answerId: string): JsonObject | undefined {
  const message = choice['message'];
  if (!isJsonObject(message) || !Array.isArray(message['tool_calls'])) return undefined;
  const calls: readonly unknown[] = message['tool_calls'];
  if (calls.every((call) => isJsonObject(call) && text(call['id']) !== '' && call['type'] !== undefined))
    return undefined;
  const whole = calls.map((call, index) => {
    if (!isJsonObject(call)) return call;
    return { ...call, id: text(call['id']) || callId(answerId, index), type: call['type'] ?? 'function' };
  });
  return { ...choice, message: { ...message, tool_calls: whole } };
}

interface Call extends KnownCall {
  tool: string;
}

/** The calls of one choice. */
class ChoiceCalls {
  readonly #calls = new KnownCalls<Call>();
  readonly #answerId: () => string;

  constructor(answerId: () => string) {
    this.#answerId = answerId;
  }

  /** A fragment of a call as it should have been; undefined if it is. */
  mend(fragment: JsonObject): JsonObject | undefined {
    const inner = isJsonObject(fragment['function']) ? fragment['function'] : {};
    const index = typeof fragment['index'] === 'number' ? fragment['index'] : undefined;
    const signs = { index, id: text(fragment['id']), tool: text(inner['name']) };
    const known = this.#calls.find(signs);
    return known === undefined ? this.#begin(fragment, signs) : goOn(fragment, inner, known);
  }

  #begin(fragment: JsonObject, signs: CallSigns): JsonObject | undefined {
    const { place, id, given } = this.#calls.begin(signs, this.#answerId(), (known) => ({
      ...known,
      tool: signs.tool,
    }));
    if (signs.index === place && given && fragment['type'] !== undefined) return undefined;
    return { ...fragment, index: place, id, type: fragment['type'] ?? 'function' };
  }
}

/** A fragment behind the first. Clients that put strings together would double a name that is said again. */
function goOn(fragment: JsonObject, inner: JsonObject, call: Call): JsonObject | undefined {
  const { id, ...rest } = fragment;
  const { name: repeated, ...words } = inner;
  const name = text(repeated);
  const isNew = call.tool === '' && name !== '';
  if (isNew) call.tool = name;
  const isRepeated = text(id) !== '' || (name !== '' && !isNew);
  if (!isRepeated && fragment['index'] === call.place) return undefined;
  return { ...rest, index: call.place, function: isNew ? inner : words };
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
