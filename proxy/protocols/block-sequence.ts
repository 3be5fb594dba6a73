// Blocks of an answer whose stream does not mark them: a text lasts until something else comes, and blocks are numbered in
// the order in which they begin.

import type { StreamPart, StreamPartOf } from '../canonical/response.ts';

type TextType = 'text' | 'thinking' | 'refusal';

/** A call of a tool that came in one piece. */
interface WholeCall extends Pick<StreamPartOf<'block-start'>, 'metadata'> {
  readonly id: string;
  readonly tool: string;
  readonly input: string;
}

const none: readonly StreamPart[] = [];

/** The blocks of one answer. At most one text is open. */
export class BlockSequence {
  #count = 0;
  #open: { readonly type: TextType; readonly index: number } | undefined;

  /** The number of a block that the caller begins. */
  next(): number {
    return this.#count++;
  }

  /** Adds to the open text if it is of this type, else to a new one. */
  text(type: TextType, text: string, details: Pick<StreamPartOf<'delta'>, 'metadata'> = {}): readonly StreamPart[] {
    const start = this.open(type);
    return [...start, { type: 'delta', index: this.#open?.index ?? 0, text, ...details }];
  }

  /** Begins a text of this type, unless one is open. */
  open(type: TextType): readonly StreamPart[] {
    if (this.#open?.type === type) return none;
    const before = this.close();
    this.#open = { type, index: this.next() };
    return [...before, { type: 'block-start', index: this.#open.index, block: { type } }];
  }

  /** Ends the open text, if there is one. */
  close(details: Pick<StreamPartOf<'block-end'>, 'signature'> = {}): readonly StreamPart[] {
    const open = this.#open;
    this.#open = undefined;
    return open === undefined ? none : [{ type: 'block-end', index: open.index, ...details }];
  }

  /** Ends the open text and adds a call. */
  call({ id, tool, input, ...details }: WholeCall): readonly StreamPart[] {
    const index = this.next();
    return [
      ...this.close(),
      { type: 'block-start', index, block: { type: 'tool-call', id, tool }, ...details },
      { type: 'delta', index, text: input },
      { type: 'block-end', index },
    ];
  }
}
