// What the client has been given of a streamed answer, in the words of the canonical model: enough to let another answer go
// on where this one breaks, as long as nothing but text was said.

import type { StreamPart, StreamPartOf } from '../canonical/response.ts';

/** Most of it that is remembered (failure.md, rule 12): what is longer is rather told to be broken than sent anew. */
const textBytesMax = 256 * 1024;
/** Most beginnings, ends and texts between them: models write a few, and each takes memory even if it says nothing. */
const partsMax = 1024;

/** A piece of text that grows while it is the last one. */
interface Growing extends StreamPartOf<'delta'> {
  text: string;
}

/** Notes one answer. Does not note what follows something that nobody else could go on with. */
export class Transcript {
  /** Text of the answer itself, without thinking. */
  text = '';
  /** Whether another answer may go on: there was nothing but text and thinking that is not signed, and not too much. */
  resumable = true;
  /** The answer has said why it ends. */
  finished = false;
  /** What the client was told by frames of an upstream itself, as `TakenOver` has it. */
  told: Set<string> | undefined;
  #parts: StreamPart[] = [];
  #last: Growing | undefined;
  #bytes = 0;
  readonly #texts = new Set<number>();
  #open: number | undefined;
  #blocks = 0;

  /** Everything that was said, in its order; pieces of one text are one. */
  get parts(): readonly StreamPart[] {
    return this.#parts;
  }

  /** The number that the next block would have. */
  get nextBlock(): number {
    return this.#blocks;
  }

  /** The block of text that is being written; undefined if none is. */
  get openText(): number | undefined {
    return this.#open;
  }

  /** A copy that goes its own way: of several who try to go on the client hears one. */
  fork(): Transcript {
    const copy = new Transcript();
    for (const part of this.#parts) copy.note(part);
    copy.resumable = this.resumable;
    copy.told = this.told && new Set(this.told);
    return copy;
  }

  note(part: StreamPart): void {
    if (!this.resumable) return;
    switch (part.type) {
      case 'start':
        this.#keep(part);
        return;
      case 'block-start':
        this.#begin(part);
        return;
      case 'delta':
        this.#add(part);
        return;
      case 'block-end':
        if ((part.signature ?? '') !== '') this.#giveUp();
        if (this.#open === part.index) this.#open = undefined;
        this.#keep(part);
        return;
      case 'finish':
        this.finished = true;
        return;
      case 'error':
    }
  }

  #begin(part: StreamPartOf<'block-start'>): void {
    const { type } = part.block;
    this.#blocks = Math.max(this.#blocks, part.index + 1);
    this.#open = type === 'text' ? part.index : undefined;
    if (type === 'text') this.#texts.add(part.index);
    else if (type !== 'thinking') this.#giveUp();
    this.#keep(part);
  }

  #add(part: StreamPartOf<'delta'>): void {
    // What stands beside a text (probabilities, citations, encrypted thinking) belongs to the model that wrote it.
    if (part.metadata !== undefined) return this.#giveUp();
    this.#bytes += Buffer.byteLength(part.text);
    if (this.#bytes > textBytesMax) return this.#giveUp();
    if (this.#texts.has(part.index)) this.text += part.text;
    if (this.#last?.index === part.index) {
      this.#last.text += part.text;
      return;
    }
    const growing = { ...part };
    this.#keep(growing);
    this.#last = growing;
  }

  #keep(part: StreamPart): void {
    if (!this.resumable) return;
    if (this.#parts.length === partsMax) return this.#giveUp();
    this.#last = undefined;
    this.#parts.push(part);
  }

  #giveUp(): void {
    this.resumable = false;
    this.#parts = [];
    this.text = '';
    this.#last = undefined;
  }
}
