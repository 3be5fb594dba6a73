// Canonical answers, made up at random, and the same as stream parts.

import fc from 'fast-check';

import type { Block } from '../../../../proxy/canonical/block.ts';
import type { CanonicalResponse, FinishReason, StreamPart } from '../../../../proxy/canonical/response.ts';
import type { Usage } from '../../../../proxy/canonical/usage.ts';
import type { AnswerContext } from '../../../../proxy/protocols/protocol.ts';

export const context: AnswerContext = {
  requestId: 'req-1',
  model: 'asked',
  createdAt: 1_700_000_000,
  wantsUsage: true,
};

const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
const call = fc.tuple(fc.stringMatching(/^[a-z_]{1,12}$/), fc.dictionary(text, fc.jsonValue(), { maxKeys: 3 }));

export const usage: fc.Arbitrary<Usage> = fc
  .tuple(fc.nat(1000), fc.nat(1000), fc.option(fc.nat(1000)), fc.option(fc.nat(1000)))
  .map(([input, output, cached, reasoning]) => ({
    inputTokens: input,
    outputTokens: output,
    ...(cached !== null && { cachedTokens: Math.min(cached, input) }),
    ...(reasoning !== null && { reasoningTokens: Math.min(reasoning, output) }),
  }));

/** Blocks in the order in which models write them, one of each kind but calls. */
const content: fc.Arbitrary<readonly Block[]> = fc
  .record({
    thinking: fc.option(text),
    text: fc.option(text),
    refusal: fc.option(text),
    calls: fc.array(call, { maxLength: 3 }),
  })
  .map(({ thinking, text: spoken, refusal, calls }) => [
    ...(thinking === null ? [] : [{ type: 'thinking', text: thinking } as const]),
    ...(spoken === null ? [] : [{ type: 'text', text: spoken } as const]),
    ...(refusal === null ? [] : [{ type: 'refusal', text: refusal } as const]),
    ...calls.map(
      ([tool, input], index) =>
        ({ type: 'tool-call', id: `call_${index}`, tool, input: JSON.stringify(input) }) as const,
    ),
  ]);

export const response: fc.Arbitrary<CanonicalResponse> = fc
  .record({ content, usage, cut: fc.constantFrom<FinishReason | undefined>(undefined, 'length', 'content-filter') })
  .map(({ content: blocks, usage: tokens, cut }) => {
    const called = blocks.some((block) => block.type === 'tool-call');
    const finish = cut ?? (called ? 'tool-calls' : 'stop');
    return {
      id: 'chatcmpl-1',
      model: 'm',
      createdAt: 7,
      content: blocks,
      finish,
      usage: tokens,
      metadata: { 'openai-chat': {} },
    };
  });

/** The parts of an answer, each text cut at `cuts`; calls side by side if `interleaved`. */
export function toParts(
  answer: CanonicalResponse,
  cuts: readonly number[],
  interleaved: boolean,
): readonly StreamPart[] {
  const blocks = answer.content.map((block, index) => blockParts(block, index, cuts));
  const texts = blocks.filter((_, index) => answer.content[index]?.type !== 'tool-call');
  const calls = blocks.filter((_, index) => answer.content[index]?.type === 'tool-call');
  const longest = Math.max(0, ...calls.map((parts) => parts.length));
  const woven = Array.from({ length: longest }, (_, turn) => calls.flatMap((parts) => parts[turn] ?? [])).flat();
  const { id, model, createdAt, finish: reason, usage: tokens } = answer;
  return [
    { type: 'start', id, model, ...(createdAt !== undefined && { createdAt }) },
    ...texts.flat(),
    ...(interleaved ? woven : calls.flat()),
    { type: 'finish', reason, ...(tokens && { usage: tokens }) },
  ];
}

function blockParts(block: Block, index: number, cuts: readonly number[]): readonly StreamPart[] {
  if (block.type === 'tool-call') {
    const { type, id, tool, input } = block;
    return [
      { type: 'block-start', index, block: { type, id, tool } },
      ...deltas(index, input, cuts),
      { type: 'block-end', index },
    ];
  }
  if (block.type !== 'text' && block.type !== 'thinking' && block.type !== 'refusal') throw new Error(block.type);
  return [
    { type: 'block-start', index, block: { type: block.type } },
    ...deltas(index, block.text, cuts),
    { type: 'block-end', index },
  ];
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

/** What parts add up to. */
export function collect(
  parts: readonly StreamPart[],
): Pick<CanonicalResponse, 'content' | 'finish' | 'usage'> & { readonly closed: boolean } {
  const blocks = new Map<
    number,
    { block: Extract<StreamPart, { type: 'block-start' }>['block']; text: string; open: boolean }
  >();
  let finish: Extract<StreamPart, { type: 'finish' }> | undefined;
  for (const part of parts) {
    if (part.type === 'block-start') blocks.set(part.index, { block: part.block, text: '', open: true });
    if (part.type === 'delta') blocks.get(part.index)!.text += part.text;
    if (part.type === 'block-end') blocks.get(part.index)!.open = false;
    if (part.type === 'finish') finish = part;
  }
  if (finish === undefined) throw new Error('the parts do not end');
  return {
    content: [...blocks.values()].map(({ block, text: value }) => {
      if (block.type === 'carried') throw new Error('chat completions carry nothing');
      return block.type === 'tool-call' ? { ...block, input: value } : { ...block, text: value };
    }),
    finish: finish.reason,
    ...(finish.usage && { usage: finish.usage }),
    closed: [...blocks.values()].every(({ open }) => !open),
  };
}
