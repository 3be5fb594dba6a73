// Canonical answers, made up at random, the same as stream parts, and what parts add up to.

import fc from 'fast-check';

import type { Block } from '../../../../proxy/canonical/block.ts';
import type { BlockStart, CanonicalResponse, FinishReason, StreamPart } from '../../../../proxy/canonical/response.ts';
import type { Usage } from '../../../../proxy/canonical/usage.ts';
import type { MessageContext } from '../../../../proxy/protocols/anthropic-messages/encode-response.ts';

export const context: MessageContext = {
  requestId: 'req-1',
  model: 'asked',
  createdAt: 1_700_000_000,
  wantsUsage: true,
  estimateInputTokens: () => 17,
};

export const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
const signature = fc.base64String({ minLength: 4, maxLength: 12 });

/** Counts as this protocol can say them: what is in a cache is a part of the input. */
export const usage: fc.Arbitrary<Usage> = fc
  .tuple(fc.integer({ min: 1, max: 1000 }), fc.nat(1000), fc.nat(1000), fc.nat(1000), fc.option(fc.nat(1000)))
  .map(([fresh, cached, written, output, reasoning]) => ({
    inputTokens: fresh + cached + written,
    outputTokens: output,
    cachedTokens: cached,
    cacheWriteTokens: written,
    ...(reasoning !== null && { reasoningTokens: Math.min(reasoning, output) }),
  }));

const block: fc.Arbitrary<Block> = fc.oneof(
  text.map((value): Block => ({ type: 'text', text: value })),
  fc
    .tuple(text, fc.option(signature))
    .map(([value, sign]): Block => ({ type: 'thinking', text: value, ...(sign !== null && { signature: sign }) })),
  signature.map((data): Block => ({ type: 'redacted-thinking', data })),
  fc
    .tuple(fc.stringMatching(/^[a-z_]{1,12}$/), fc.dictionary(text, fc.jsonValue(), { maxKeys: 3 }))
    .map(([tool, input]): Block => ({ type: 'tool-call', id: '', tool, input: JSON.stringify(input) })),
);

/** Blocks of any kind in any order: calls between text, thinking after calls. */
const content: fc.Arbitrary<readonly Block[]> = fc
  .array(block, { maxLength: 6 })
  .map((blocks) => blocks.map((one, index) => (one.type === 'tool-call' ? { ...one, id: `toolu_${index}` } : one)));

export const response: fc.Arbitrary<CanonicalResponse> = fc
  .record({
    content,
    usage,
    end: fc.constantFrom<FinishReason | undefined>(undefined, 'length', 'context-window', 'refusal', 'pause'),
    sequence: fc.option(text),
  })
  .map(({ content: blocks, usage: tokens, end, sequence }) => {
    const called = blocks.some(({ type }) => type === 'tool-call');
    const stopped = sequence !== null && end === undefined && !called;
    return {
      id: 'msg_1',
      model: 'm',
      content: blocks,
      finish: end ?? (called ? 'tool-calls' : stopped ? 'stop-sequence' : 'stop'),
      ...(stopped && { stopSequence: sequence }),
      usage: tokens,
      metadata: { 'anthropic-messages': {} },
    };
  });

/** The parts of an answer, each text cut at `cuts`; calls that stand together side by side if `interleaved`. */
export function toParts(
  answer: CanonicalResponse,
  cuts: readonly number[],
  interleaved: boolean,
): readonly StreamPart[] {
  const blocks = answer.content.map((one, index) => blockParts(one, index, cuts));
  const { id, model, finish: reason, stopSequence, usage: tokens } = answer;
  return [
    { type: 'start', id, model },
    ...(interleaved ? weave(answer.content, blocks) : blocks.flat()),
    { type: 'finish', reason, ...(stopSequence !== undefined && { stopSequence }), ...(tokens && { usage: tokens }) },
  ];
}

function weave(content: readonly Block[], blocks: readonly (readonly StreamPart[])[]): readonly StreamPart[] {
  const woven: StreamPart[] = [];
  for (let from = 0; from < blocks.length;) {
    let to = from + 1;
    while (to < blocks.length && content[from]?.type === 'tool-call' && content[to]?.type === 'tool-call') to++;
    const row = blocks.slice(from, to);
    const longest = Math.max(...row.map((parts) => parts.length));
    for (let turn = 0; turn < longest; turn++) woven.push(...row.flatMap((parts) => parts[turn] ?? []));
    from = to;
  }
  return woven;
}

function blockParts(one: Block, index: number, cuts: readonly number[]): readonly StreamPart[] {
  const [start, value] = toStart(one);
  const signed = one.type === 'thinking' && one.signature !== undefined ? { signature: one.signature } : {};
  return [
    { type: 'block-start', index, block: start },
    ...deltas(index, value, cuts),
    { type: 'block-end', index, ...signed },
  ];
}

function toStart(one: Block): [BlockStart, string] {
  switch (one.type) {
    case 'text':
    case 'thinking':
    case 'refusal':
      return [{ type: one.type }, one.text];
    case 'redacted-thinking':
      return [{ type: one.type, data: one.data }, ''];
    case 'tool-call':
      return [{ type: one.type, id: one.id, tool: one.tool }, one.input];
    default:
      throw new Error(one.type);
  }
}

function deltas(index: number, whole: string, cuts: readonly number[]): readonly StreamPart[] {
  // Between characters: a model never sends half of one.
  const characters = Array.from(whole);
  const places = [...new Set(cuts.map((cut) => cut % (characters.length + 1)))].toSorted((a, b) => a - b);
  return [0, ...places]
    .map((from, position) => characters.slice(from, places[position] ?? characters.length).join(''))
    .filter((piece) => piece !== '')
    .map((piece) => ({ type: 'delta', index, text: piece }));
}

/** What parts add up to. Throws where they are not in order. */
export function collect(
  parts: readonly StreamPart[],
): Pick<CanonicalResponse, 'content' | 'finish' | 'usage' | 'stopSequence'> {
  const blocks = new Map<number, { start: BlockStart; text: string; signature?: string; open: boolean }>();
  const [first] = parts;
  const finish = parts.at(-1);
  if (first?.type !== 'start' || finish?.type !== 'finish') throw new Error('the parts do not begin or do not end');
  for (const part of parts) {
    if (part.type === 'block-start') {
      if (part.index !== blocks.size) throw new Error('blocks are not numbered in order');
      blocks.set(part.index, { start: part.block, text: '', open: true });
    } else if (part.type === 'delta') {
      const into = blocks.get(part.index);
      if (into?.open !== true) throw new Error('a delta outside its block');
      into.text += part.text;
    } else if (part.type === 'block-end') {
      const ended = blocks.get(part.index);
      if (ended?.open !== true) throw new Error('a block that ends twice');
      ended.open = false;
      if (part.signature !== undefined) ended.signature = part.signature;
    }
  }
  if ([...blocks.values()].some(({ open }) => open)) throw new Error('a block that does not end');
  return {
    content: [...blocks.values()].map(({ start, text: value, signature: sign }): Block => {
      if (start.type === 'redacted-thinking') return start;
      if (start.type === 'tool-call') return { ...start, input: value };
      // As a whole answer has it.
      if (start.type === 'carried') return { type: 'text', text: value };
      return { type: start.type, text: value, ...(sign !== undefined && { signature: sign }) };
    }),
    finish: finish.reason,
    ...(finish.stopSequence !== undefined && { stopSequence: finish.stopSequence }),
    ...(finish.usage && { usage: finish.usage }),
  };
}
