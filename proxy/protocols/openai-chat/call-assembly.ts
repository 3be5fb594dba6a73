// Puts the fragments of streamed tool calls together. Vendors disagree on how fragments say to which call they belong:
// by index (OpenAI), by index 0 for every call (Ollama), by id (Gemini), or only by coming after it.

import type { StreamPart } from '../../canonical/response.ts';
import { type CallPiece, isWholeInput } from './pieces.ts';
import { callId } from './wire.ts';

interface Call {
  readonly id: string;
  /** Whether the upstream gave the id: one that was made up is no evidence. */
  readonly given: boolean;
  tool: string;
  input: string;
  /** Number of its block; undefined until its name is known. */
  block: number | undefined;
}

/** The calls of one answer. */
export class CallAssembly {
  readonly #calls: Call[] = [];
  readonly #byIndex = new Map<number, Call>();

  /** How many calls there are. */
  get size(): number {
    return this.#calls.length;
  }

  /** Whether every call has a name, and arguments that are JSON. */
  get whole(): boolean {
    return this.#calls.every((call) => call.tool !== '' && isWholeInput(call.input));
  }

  /** Parts for one fragment. `startBlock` gives the number of a block that begins. */
  add(piece: CallPiece, answerId: string, startBlock: () => number): readonly StreamPart[] {
    const call = this.#find(piece) ?? this.#create(piece, answerId);
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
    return this.#calls.flatMap(({ block }) => (block === undefined ? [] : [{ type: 'block-end', index: block }]));
  }

  #find({ index, id, tool }: CallPiece): Call | undefined {
    const candidate = index === undefined ? this.#unnumbered(id, tool) : this.#byIndex.get(index);
    if (candidate === undefined) return undefined;
    const otherId = id !== '' && id !== candidate.id && candidate.given;
    const otherTool = id === '' && tool !== '' && candidate.tool !== '' && tool !== candidate.tool;
    return otherId || otherTool ? undefined : candidate;
  }

  /** Without an index: the call of that id; without an id a name begins a call, and nothing goes on with the last one. */
  #unnumbered(id: string, tool: string): Call | undefined {
    if (id !== '') return this.#calls.find((call) => call.id === id);
    const last = this.#calls.at(-1);
    return tool === '' || last?.tool === '' ? last : undefined;
  }

  #create({ index, id }: CallPiece, answerId: string): Call {
    const given = id !== '';
    const ownId = given ? id : callId(answerId, this.#calls.length);
    const call: Call = { id: ownId, given, tool: '', input: '', block: undefined };
    this.#calls.push(call);
    if (index !== undefined) this.#byIndex.set(index, call);
    return call;
  }
}

function delta(index: number, text: string): readonly StreamPart[] {
  return text === '' ? [] : [{ type: 'delta', index, text }];
}
