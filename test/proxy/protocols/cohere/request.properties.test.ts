import fc from 'fast-check';
import { expect, test } from 'vitest';

import { cohereUpstreamCodec } from '../../../../proxy/protocols/cohere/codec.ts';
import { conversation, wordsOf } from '../gemini/conversation.ts';
import { checkRequest } from './strict-server.ts';

test('[128] any conversation is one that the strict server takes, and nothing said is lost', () => {
  fc.assert(
    fc.property(conversation, (messages) => {
      const asked = { model: 'm', messages, tools: [], stop: [], stream: false, metadata: {} };
      const { body } = cohereUpstreamCodec.encodeRequest(asked);
      const wire = JSON.parse(body.toString()) as { messages: { role: string; content?: unknown }[] };
      checkRequest(wire);
      const texts = wire.messages.flatMap(({ role, content }) => (role === 'tool' ? [] : toTexts(content)));
      expect(texts.join('').split('').toSorted()).toEqual(wordsOf(messages).join('').split('').toSorted());
    }),
    { numRuns: 200 },
  );
});

function toTexts(content: unknown): readonly string[] {
  if (typeof content === 'string') return [content];
  return ((content ?? []) as { text?: string }[]).flatMap(({ text }) => text ?? []);
}
