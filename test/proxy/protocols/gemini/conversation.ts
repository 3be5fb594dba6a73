// Conversations made up at random, such as clients have them: calls are answered, in any order; a side may speak twice in
// a row, say nothing, or give instructions in between.

import fc from 'fast-check';

import type { Block, Message, Role } from '../../../../proxy/canonical/block.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 8 }).map((value): Block => ({ type: 'text', text: value }));
const thinking = fc
  .record({ text: fc.string({ maxLength: 8 }), signature: fc.constantFrom('google-gemini:YQ==', 'EqQB', '') })
  .map((value): Block => ({ type: 'thinking', ...value }));
const image: fc.Arbitrary<Block> = fc.constant({
  type: 'image',
  source: { type: 'base64', mediaType: 'image/png', data: 'AA==' },
});
const content = (block: fc.Arbitrary<Block>): fc.Arbitrary<readonly Block[]> => fc.array(block, { maxLength: 3 });

const said = (roles: readonly Role[], block: fc.Arbitrary<Block>): fc.Arbitrary<readonly Message[]> =>
  fc.tuple(fc.constantFrom(...roles), content(block)).map(([role, blocks]) => [{ role, content: blocks }]);

/** A turn of calls, and their results: in one message or several, with more behind them. */
const called: fc.Arbitrary<readonly Message[]> = fc
  .record({
    before: content(fc.oneof(text, thinking)),
    tools: fc.array(fc.constantFrom('f', 'g'), { minLength: 1, maxLength: 3 }),
    input: fc.constantFrom('', '{}', '{"a":[1]}'),
    reversed: fc.boolean(),
    together: fc.boolean(),
    result: content(fc.oneof(text, image)),
    isError: fc.boolean(),
    behind: content(text),
  })
  .map(({ before, tools, input, reversed, together, result, isError, behind }) => {
    const calls = tools.map((tool, index): Block => ({ type: 'tool-call', id: `${tool}${index}`, tool, input }));
    const results = tools.map((tool, index): Block => {
      return { type: 'tool-result', callId: `${tool}${index}`, content: result, isError };
    });
    const ordered = reversed ? results.toReversed() : results;
    const turn: Message = { role: 'assistant', content: [...before, ...calls] };
    if (together) return [turn, { role: 'user', content: [...behind, ...ordered] }];
    const each = ordered.map((block): Message => ({ role: 'tool', content: [block] }));
    return [turn, ...each, { role: 'user', content: behind }];
  });

const start: readonly Message[] = [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }];

/** A conversation that begins with something said. */
export const conversation: fc.Arbitrary<readonly Message[]> = fc
  .array(
    fc.oneof(
      said(['user'], fc.oneof(text, image)),
      said(['assistant'], fc.oneof(text, thinking)),
      said(['system', 'developer'], text),
      called,
    ),
    { maxLength: 6 },
  )
  // A model that spoke before it called speaks in one turn with it: between the two there must be somebody else.
  .map((rounds) => [...start, ...rounds.flatMap((round) => [...round, ...start])]);

/** All that is said in a conversation, in order, but for what a model thought. */
export function wordsOf(messages: readonly Message[]): readonly string[] {
  return messages.flatMap(({ content: blocks }) =>
    blocks.flatMap((block) => (block.type === 'text' && block.text !== '' ? [block.text] : [])),
  );
}
