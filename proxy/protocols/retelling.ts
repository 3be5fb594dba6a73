// An answer that somebody else has begun, for whoever is to write its rest: what the client has of it is written again, to
// know what comes next, and the client hears only what it has not been told.

/** What a client has of an answer that another one goes on with. */
export interface TakenOver {
  /** The number of the next event, where the protocol numbers its events. */
  readonly sequence: number;
  /**
   * Beginnings and ends that the client was told by an upstream itself, by the protocol's names for them; gets those that it
   * is told from now on. Undefined: what the client has was written by a writer of the same kind.
   */
  readonly told: Set<string> | undefined;
}

/** Knows what of an answer need not be said. */
export class Retelling {
  readonly #told: Set<string> | undefined;
  #over = false;

  constructor(told: Set<string> | undefined) {
    this.#told = told;
  }

  /** Whether what is being written is what the client has: it has every word of that. */
  get over(): boolean {
    return this.#over;
  }

  /** From here on everything is new. */
  end(): void {
    this.#over = true;
  }

  /** Whether an upstream has told the client of a beginning or an end. */
  knows(event: string): boolean {
    return this.#told?.has(event) === true;
  }

  /** Whether the client must not be told of it; otherwise it is told now. */
  skips(event: string): boolean {
    if (this.#told === undefined) return !this.#over;
    if (this.#told.has(event)) return true;
    this.#told.add(event);
    return false;
  }
}
