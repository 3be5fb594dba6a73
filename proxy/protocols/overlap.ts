// What of a text is new to a client that already has its beginning.

/**
 * What it means that a text does not begin with what the client has: that it cannot be gone on with (the model was asked
 * from the start); that it is all new (a server that may or may not say the beginning again); or that the rest is new
 * (what was missing was white space at the seam).
 */
export type Difference = 'ends' | 'is-new' | 'goes-on';

/** Compares one text, as it comes, with what the client has of it. Holds back no more than that. */
export class Overlap {
  readonly #expected: string;
  readonly #difference: Difference;
  #matched = 0;
  #over: boolean;

  constructor(expected: string, difference: Difference) {
    this.#expected = expected;
    this.#difference = difference;
    this.#over = expected === '';
  }

  /** Whether everything from here on is new. */
  get over(): boolean {
    return this.#over;
  }

  /** What of the next piece is new; undefined: the text differs from what the client has. */
  take(piece: string): string | undefined {
    if (this.#over) return piece;
    const rest = this.#expected.length - this.#matched;
    const expected = this.#expected.slice(this.#matched, this.#matched + piece.length);
    if (piece.startsWith(expected)) {
      this.#matched += expected.length;
      this.#over = piece.length >= rest;
      return piece.slice(expected.length);
    }
    return this.#differs(piece, expected);
  }

  /** The text has ended: what of it was held back and is new; undefined if the client has more than all of it. */
  end(): string | undefined {
    return this.#over ? '' : this.#differs('', '');
  }

  #differs(piece: string, expected: string): string | undefined {
    this.#over = true;
    switch (this.#difference) {
      case 'ends':
        return undefined;
      case 'is-new':
        return this.#expected.slice(0, this.#matched) + piece;
      case 'goes-on': {
        let common = 0;
        while (common < piece.length && piece[common] === expected[common]) common += 1;
        return piece.slice(common);
      }
    }
  }
}
