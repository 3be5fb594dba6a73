// How much one streamed answer may say.

import type { FailureSignal, SignalHeaders } from '../canonical/failure.ts';

/** Protocols that end with the whole answer hold all of its text; no model writes as much. */
const textCharsMax = 32 * 1024 * 1024;

/** Counts the text of one answer. */
export class TextLimit {
  readonly #headers: SignalHeaders;
  #left = textCharsMax;

  constructor(headers: SignalHeaders) {
    this.#headers = headers;
  }

  /** Counts a piece; the failure of the answer if that is too much. */
  add(text: string): FailureSignal | undefined {
    this.#left -= text.length;
    if (this.#left >= 0) return undefined;
    return { type: 'invalid', detail: 'the answer does not end', body: '', headers: this.#headers };
  }
}
