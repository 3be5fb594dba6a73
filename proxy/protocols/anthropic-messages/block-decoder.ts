// The blocks of one streamed message → stream parts.

import type { BlockStart, StreamPart } from '../../canonical/response.ts';
import { isJsonObject, type JsonObject } from '../openai/wire.ts';
import { isWholeInput } from '../openai-chat/pieces.ts';
import { ownMembers } from './decode-response.ts';
import { jsonTool, keepOwn } from './wire.ts';

const none: readonly StreamPart[] = [];

/** A block that has begun. */
interface WireBlock {
  readonly type: 'text' | 'thinking' | 'redacted-thinking' | 'tool-call' | 'json' | 'carried';
  readonly index: number;
  /** Arguments that came with the beginning: servers that stream no fragments of them do so. */
  readonly whole: string;
  text: string;
  signature: string;
}

/** Decodes the blocks of one answer. They come one after the other; their numbers are the upstream's business. */
export class BlockDecoder {
  readonly #open = new Map<unknown, WireBlock>();
  #count = 0;
  #whole = true;
  /** Whether the answer calls tools of the client's, and whether it calls ours. */
  calls = false;
  json = false;

  /** Whether the arguments of every call are JSON. */
  get whole(): boolean {
    return this.#whole;
  }

  start({ index, content_block: wire }: JsonObject): readonly StreamPart[] {
    if (!isJsonObject(wire)) return none;
    const ended = this.#endBefore(index);
    const { type, block, own, text } = readStart(wire);
    const opened: WireBlock = {
      type,
      index: this.#count++,
      whole: JSON.stringify(wire['input'] ?? {}),
      text: '',
      signature: typeof wire['signature'] === 'string' ? wire['signature'] : '',
    };
    this.#open.set(index, opened);
    if (type === 'tool-call') this.calls = true;
    if (type === 'json') this.json = true;
    const start: StreamPart = { type: 'block-start', index: opened.index, block, ...keepOwn(own) };
    return text === '' ? [...ended, start] : [...ended, start, this.#say(opened, text)];
  }

  delta(event: JsonObject): readonly StreamPart[] {
    const { index, delta } = event;
    if (!isJsonObject(delta)) return none;
    const implied = this.#open.has(index) ? none : this.#imply(index, delta);
    const open = this.#open.get(index);
    return open === undefined ? none : [...implied, ...this.#deltaParts(open, delta)];
  }

  stop({ index }: JsonObject): readonly StreamPart[] {
    const open = this.#open.get(index);
    this.#open.delete(index);
    return open === undefined ? none : this.#end(open);
  }

  /** Parts that end every block that the upstream has not ended. */
  end(): readonly StreamPart[] {
    const open = [...this.#open.values()];
    this.#open.clear();
    return open.flatMap((block) => this.#end(block));
  }

  /** A block ends where another begins, if its server does not say so; only calls may be open side by side. */
  #endBefore(index: unknown): readonly StreamPart[] {
    const before = [...this.#open].filter(([number, open]) => number === index || open.type !== 'tool-call');
    return before.flatMap(([number]) => this.stop({ index: number }));
  }

  /** Some servers begin a block with its first delta. */
  #imply(index: unknown, { type }: JsonObject): readonly StreamPart[] {
    if (type === 'text_delta') return this.start({ index, content_block: { type: 'text', text: '' } });
    if (type === 'thinking_delta') return this.start({ index, content_block: { type: 'thinking', thinking: '' } });
    return none;
  }

  #deltaParts(open: WireBlock, delta: JsonObject): readonly StreamPart[] {
    const text = deltaText(open.type, delta);
    if (text !== undefined) return text === '' ? none : [this.#say(open, text)];
    if (delta['type'] === 'signature_delta' && open.type === 'thinking') {
      if (typeof delta['signature'] === 'string') open.signature = delta['signature'];
      return none;
    }
    return [{ type: 'delta', index: open.index, text: '', ...keepOwn({ delta }) }];
  }

  #say(open: WireBlock, text: string): StreamPart {
    open.text += text;
    return { type: 'delta', index: open.index, text };
  }

  #end(open: WireBlock): readonly StreamPart[] {
    const isCall = open.type === 'tool-call' || open.type === 'json';
    const late = isCall && open.text === '' ? [this.#say(open, open.whole)] : none;
    if (isCall && !isWholeInput(open.text)) this.#whole = false;
    const signed = open.signature === '' ? {} : { signature: open.signature };
    return [...late, { type: 'block-end', index: open.index, ...signed }];
  }
}

interface BlockBeginning {
  readonly type: WireBlock['type'];
  readonly block: BlockStart;
  readonly own: JsonObject;
  /** What it says at once. */
  readonly text: string;
}

function readStart(wire: JsonObject): BlockBeginning {
  const { type, text, thinking, data, id, name } = wire;
  const own = ownMembers(wire, startMembers);
  switch (type) {
    case 'text':
      return { type, block: { type }, own, text: asText(text) };
    case 'thinking':
      return { type, block: { type }, own, text: asText(thinking) };
    case 'redacted_thinking':
      return { type: 'redacted-thinking', block: { type: 'redacted-thinking', data: asText(data) }, own, text: '' };
    case 'tool_use': {
      if (name === jsonTool) return { type: 'json', block: { type: 'text' }, own: {}, text: '' };
      const block = { type: 'tool-call', id: asText(id), tool: asText(name) } as const;
      return { type: 'tool-call', block, own, text: '' };
    }
    default:
      return { type: 'carried', block: { type: 'carried' }, own: { wire }, text: '' };
  }
}

/** The text of a delta that fits its block; undefined for any other. */
function deltaText(type: WireBlock['type'], delta: JsonObject): string | undefined {
  const member = { text: 'text', thinking: 'thinking', 'tool-call': 'partial_json', json: 'partial_json' };
  const name = Object.hasOwn(member, type) ? member[type as keyof typeof member] : undefined;
  const value = name === undefined ? undefined : delta[name];
  return typeof value === 'string' ? value : undefined;
}

/** Members of blocks that have a counterpart in the canonical model. */
const startMembers: ReadonlySet<string> = new Set([
  'type',
  'text',
  'thinking',
  'signature',
  'data',
  'id',
  'name',
  'input',
]);

function asText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
