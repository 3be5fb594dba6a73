// Puts the fragments of streamed tool calls together.

import type { StreamPart } from '../../canonical/response.ts';
import { type KnownCall, KnownCalls } from './known-calls.ts';
import { type CallPiece, isWholeInput } from './pieces.ts';

interface Call extends KnownCall {
  tool: string;
  input: string;
  /** Number of its block; undefined until its name is known. */
  block: number | undefined;
}

/** The calls of one answer. */
export class CallAssembly {
  readonly #calls = new KnownCalls<Call>();

  /** How many calls there are. */
  get size(): number {
    return this.#calls.all.length;
  }

  /** Whether every call has a name, and arguments that are JSON. */
  get whole(): boolean {
    return this.#calls.all.every((call) => call.tool !== '' && isWholeInput(call.input));
  }

  /** Parts for one fragment. `startBlock` gives the number of a block that begins. */
  add(piece: CallPiece, answerId: string, startBlock: () => number): readonly StreamPart[] {
    const call = this.#calls.find(piece) ?? this.#calls.begin(piece, answerId, toCall);
    // Some servers repeat the whole name with each fragment.
    if (call.tool === '') call.tool = piece.tool;
    call.input += piece.input;
    if (call.block !== undefined) return delta(call.block, piece.input);
    if (call.tool === '') return [];
    call.block = startBlock();
    const block = { type: 'tool-call', id: call.id, tool: call.tool } as const;
    return [{ type: 'block-start', index: call.block, block }, ...delta(call.block, call.input)];
  }

  /** Parts that end every call. */
  end(): readonly StreamPart[] {
    return this.#calls.all.flatMap(({ block }) => (block === undefined ? [] : [{ type: 'block-end', index: block }]));
  }
}

function toCall(known: Omit<KnownCall, 'tool'>): Call {
  return { ...known, tool: '', input: '', block: undefined };
}

function delta(index: number, text: string): readonly StreamPart[] {
  return text === '' ? [] : [{ type: 'delta', index, text }];
}
