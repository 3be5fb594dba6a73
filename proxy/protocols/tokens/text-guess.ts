// The tokens of texts without a tokenizer, by the number of their characters.

/** Of English, and of most code; outside of ASCII tokens are short. */
const charsPerToken = 4;
const wideCharsPerToken = 1.5;

/** Guesses the tokens of a text that comes in pieces, and keeps none of them. */
export class TextGuess {
  #narrow = 0;
  #wide = 0;

  add(text: string): this {
    // UTF-8 has one byte for what is narrow here, and at least two for the rest.
    const wide = Math.min(text.length, Buffer.byteLength(text) - text.length);
    this.#narrow += text.length - wide;
    this.#wide += wide;
    return this;
  }

  /** A whole number. */
  get tokens(): number {
    return Math.ceil(this.#narrow / charsPerToken + this.#wide / wideCharsPerToken);
  }
}

/** The tokens of a text. */
export function guessTextTokens(text: string): number {
  return new TextGuess().add(text).tokens;
}
