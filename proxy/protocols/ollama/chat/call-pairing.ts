// Which call a tool's result answers. Older servers and clients give calls no ids: a result belongs to the first call of
// its tool that has no result yet, or else just to the first.

/** A call of the latest assistant turn. */
interface Call {
  readonly id: string;
  readonly tool: string;
}

/** Pairs the results of one conversation, turn by turn. */
export class CallPairing {
  #open: Call[] = [];

  /** A turn of the assistant that calls tools: results of earlier ones can no longer come. */
  called(calls: readonly Call[]): void {
    if (calls.length > 0) this.#open = [...calls];
  }

  /** The id of the call that a result answers; undefined if there is none. */
  answer(id: string | undefined, tool: string | undefined): string | undefined {
    const byId = this.#open.find((call) => call.id === id);
    const found = byId ?? this.#open.find((call) => call.tool === tool) ?? this.#open[0];
    this.#open = this.#open.filter((call) => call !== found);
    return found?.id;
  }
}
