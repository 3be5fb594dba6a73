// The blocks of one streamed answer → stream parts. Only calls of tools say when they begin; text and thinking begin with
// their first delta.

import type { BlockStart, StreamPart } from '../../canonical/response.ts';
import { isJsonObject, type JsonObject } from '../openai/wire.ts';
import { isWholeInput } from '../openai-chat/pieces.ts';
import { jsonTool, objectOf, textOf } from './wire.ts';

const none: readonly StreamPart[] = [];

/** A block that has begun. */
interface WireBlock {
  readonly type: 'text' | 'thinking' | 'redacted-thinking' | 'tool-call' | 'json';
  readonly index: number;
  text: string;
  signature: string;
}

/** Decodes the blocks of one answer. */
export class BlockDecoder {
  readonly #open = new Map<unknown, WireBlock>();
  #count = 0;
  /** Whether the answer calls tools of the client's, and whether it calls ours. */
  calls = false;
  json = false;
  /** Whether the arguments of every call are JSON. */
  whole = true;

  start({ contentBlockIndex, start }: JsonObject): readonly StreamPart[] {
    const call = objectOf(start)['toolUse'];
    if (!isJsonObject(call)) return none;
    const ended = this.#endBefore(contentBlockIndex);
    const tool = textOf(call['name']);
    if (tool === jsonTool) {
      this.json = true;
      return [...ended, ...this.#begin(contentBlockIndex, 'json', { type: 'text' })];
    }
    this.calls = true;
    const block = { type: 'tool-call', id: textOf(call['toolUseId']), tool } as const;
    return [...ended, ...this.#begin(contentBlockIndex, 'tool-call', block)];
  }

  delta({ contentBlockIndex: key, delta }: JsonObject): readonly StreamPart[] {
    const { text, reasoningContent, toolUse } = objectOf(delta);
    if (typeof text === 'string') return this.#say(key, 'text', text);
    if (isJsonObject(toolUse)) return this.#input(key, textOf(toolUse['input']));
    return isJsonObject(reasoningContent) ? this.#think(key, reasoningContent) : none;
  }

  stop({ contentBlockIndex }: JsonObject): readonly StreamPart[] {
    const open = this.#open.get(contentBlockIndex);
    this.#open.delete(contentBlockIndex);
    return open === undefined ? none : this.#end(open);
  }

  /** Parts that end every block that the upstream has not ended. */
  end(): readonly StreamPart[] {
    return [...this.#open.keys()].flatMap((key) => this.stop({ contentBlockIndex: key }));
  }

  #think(key: unknown, { text, signature, redactedContent }: JsonObject): readonly StreamPart[] {
    if (typeof redactedContent === 'string') {
      const parts = this.#ensure(key, 'redacted-thinking');
      const open = this.#open.get(key)!;
      open.text += redactedContent;
      return parts;
    }
    if (typeof signature === 'string') {
      // Thinking whose text is not told is signed all the same.
      const parts = this.#ensure(key, 'thinking');
      this.#open.get(key)!.signature += signature;
      return parts;
    }
    return typeof text === 'string' ? this.#say(key, 'thinking', text) : none;
  }

  #input(key: unknown, text: string): readonly StreamPart[] {
    const open = this.#open.get(key);
    const isCall = open?.type === 'tool-call' || open?.type === 'json';
    return isCall && text !== '' ? [this.#add(open, text)] : none;
  }

  #say(key: unknown, type: 'text' | 'thinking', text: string): readonly StreamPart[] {
    if (text === '') return none;
    const begun = this.#ensure(key, type);
    return [...begun, this.#add(this.#open.get(key)!, text)];
  }

  #add(open: WireBlock, text: string): StreamPart {
    open.text += text;
    return { type: 'delta', index: open.index, text };
  }

  /** The block of that number and kind, begun if there is none. */
  #ensure(key: unknown, type: 'text' | 'thinking' | 'redacted-thinking'): readonly StreamPart[] {
    if (this.#open.get(key)?.type === type) return none;
    const ended = this.#endBefore(key);
    // What is hidden comes whole, when all of it is there.
    if (type === 'redacted-thinking') {
      this.#open.set(key, { type, index: this.#count++, text: '', signature: '' });
      return ended;
    }
    return [...ended, ...this.#begin(key, type, { type })];
  }

  #begin(key: unknown, type: WireBlock['type'], block: BlockStart): readonly StreamPart[] {
    const open: WireBlock = { type, index: this.#count++, text: '', signature: '' };
    this.#open.set(key, open);
    return [{ type: 'block-start', index: open.index, block }];
  }

  /** A block ends where another begins, if nobody says so; only calls may be open side by side. */
  #endBefore(key: unknown): readonly StreamPart[] {
    const before = [...this.#open].filter(([other, open]) => other === key || open.type !== 'tool-call');
    return before.flatMap(([other]) => this.stop({ contentBlockIndex: other }));
  }

  #end(open: WireBlock): readonly StreamPart[] {
    const { type, index, signature } = open;
    if (type === 'redacted-thinking') {
      const start = { type: 'block-start', index, block: { type, data: open.text } } as const;
      return [start, { type: 'block-end', index }];
    }
    const isCall = type === 'tool-call' || type === 'json';
    // A tool without arguments is called without a word.
    const late = isCall && open.text === '' ? [this.#add(open, '{}')] : none;
    if (isCall && !isWholeInput(open.text)) this.whole = false;
    return [...late, { type: 'block-end', index, ...(signature !== '' && { signature }) }];
  }
}
