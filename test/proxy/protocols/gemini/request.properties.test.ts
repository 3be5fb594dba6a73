import fc from 'fast-check';
import { expect, test } from 'vitest';

import { conversation, wordsOf } from './conversation.ts';
import { write } from './written.ts';

interface Content {
  readonly role: string;
  readonly parts: readonly { readonly text?: string }[];
}

test.each([
  ['gemini-2.0-flash', 'gemini'],
  ['gemini-2.5-flash', 'vertex'],
  ['gemini-3-pro-preview', 'gemini'],
  ['gemini-3-pro-preview', 'vertex'],
] as const)('[92] [93] any conversation is one that %s at %s takes, and nothing said is lost', (model, service) => {
  fc.assert(
    fc.property(conversation, (messages) => {
      const { wire } = write({ model, messages }, service);
      const contents = wire['contents'] as readonly Content[];
      const system = (wire['systemInstruction'] as Content | undefined)?.parts ?? [];
      const texts = [...system, ...contents.flatMap(({ parts }) => parts)].flatMap((part) => part.text ?? []);
      expect(texts.toSorted()).toEqual([...wordsOf(messages)].toSorted());
      for (const [index, { role }] of contents.entries()) expect(role).toBe(index % 2 === 0 ? 'user' : 'model');
    }),
    { numRuns: 200 },
  );
});
