// To which call of a tool a streamed fragment belongs. Vendors disagree on how fragments say it: by index (OpenAI), by
// index 0 for every call (Ollama), by id (Gemini), by another name only, or by nothing but coming after it.

import { callId } from './wire.ts';

/** What a fragment says of its call; empty texts where it says nothing. */
export interface CallSigns {
  readonly index: number | undefined;
  readonly id: string;
  readonly tool: string;
}

/** A call that has begun. */
export interface KnownCall {
  /** Its place among the calls of the choice. */
  readonly place: number;
  readonly id: string;
  /** Whether the upstream gave the id: one that was made up is no evidence. */
  readonly given: boolean;
  /** Empty until the upstream has said it. */
  readonly tool: string;
}

/** The calls of one choice, in the order in which they began. */
export class KnownCalls<Call extends KnownCall> {
  readonly all: Call[] = [];
  /** By the index that the upstream last gave them. */
  readonly #byIndex = new Map<number, Call>();

  /** The call that a fragment goes on with; undefined if it begins one. */
  find({ index, id, tool }: CallSigns): Call | undefined {
    const candidate = index === undefined ? this.#unnumbered(id, tool) : this.#byIndex.get(index);
    if (candidate === undefined) return undefined;
    const otherId = id !== '' && id !== candidate.id && candidate.given;
    const otherTool = id === '' && tool !== '' && candidate.tool !== '' && tool !== candidate.tool;
    return otherId || otherTool ? undefined : candidate;
  }

  /** Notes the call that a fragment begins. `create` adds to what is known of it. */
  begin({ index, id }: CallSigns, answerId: string, create: (known: Omit<KnownCall, 'tool'>) => Call): Call {
    const place = this.all.length;
    const given = id !== '';
    const call = create({ place, id: given ? id : callId(answerId, place), given });
    this.all.push(call);
    if (index !== undefined) this.#byIndex.set(index, call);
    return call;
  }

  /** Without an index: the call of that id; without an id a name begins a call, and nothing goes on with the last one. */
  #unnumbered(id: string, tool: string): Call | undefined {
    if (id !== '') return this.all.find((call) => call.id === id);
    const last = this.all.at(-1);
    return tool === '' || last?.tool === '' ? last : undefined;
  }
}
