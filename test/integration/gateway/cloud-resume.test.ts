// A stream of one cloud that breaks after content is gone on with by another.

import { describe, expect, it } from 'vitest';
import { streamedContentOf, ask } from '../../support/client.ts';
import { frames, framesOf } from '../../support/clouds/bedrock.ts';
import { type Json, objects } from '../../support/clouds/said.ts';
import { openCloudStage, vendorOf, vendors } from '../../support/clouds/vendors.ts';
import type { Script } from '../../support/upstream.ts';

const body = { model: 'chat', stream: true, messages: [{ role: 'user', content: 'one' }] };
const failover = { afterContent: 'Resume' } as const;

/** A model on Bedrock that greets the world: from the beginning that it is given, if it is. */
const greeter: Script = (exchange) => {
  const last = objects(exchange.request.json['messages']).at(-1) as Json;
  const [said] = objects(last['content']);
  const text = last['role'] === 'assistant' ? 'hello world'.slice(String(said?.['text']).length) : 'hello world';
  return frames(framesOf({ thinking: undefined, text, calls: [] }))(exchange);
};

describe('a stream that breaks after content', () => {
  it.each(vendors.map(({ name }) => name).filter((name) => name !== 'bedrock'))(
    'of %s is gone on with by Bedrock, from the beginning where the model can, else by what is new',
    async (name) => {
      for (const capabilities of [['Prefill'], undefined]) {
        const { model } = vendorOf('bedrock');
        await using stage = await openCloudStage(
          { [name]: vendorOf(name).failsLater, bedrock: greeter },
          {
            failover,
            draft: (usual) => ({
              ...usual,
              providers: usual.providers.map((each) => {
                if (each.type !== 'Bedrock') return each;
                return {
                  ...each,
                  models: [{ name: model, upstreamName: model, ...(capabilities && { capabilities }) }],
                };
              }),
            }),
          },
        );
        const got = await ask(stage.chatURL, { body });
        expect([streamedContentOf(got), got.text.endsWith('data: [DONE]\n\n')]).toEqual(['hello world', true]);
        const [request] = stage.upstreams['bedrock']!.requests;
        const { messages } = request!.json as { messages: { role: string; content: object[] }[] };
        expect(messages.at(-1)).toEqual(
          capabilities === undefined
            ? { role: 'user', content: [{ text: 'one' }] }
            : { role: 'assistant', content: [{ text: 'hello' }] },
        );
      }
    },
  );

  it.each(vendors.map(({ name }) => name))('of one cloud is gone on with by %s', async (name) => {
    const answers = vendorOf(name).answers(name);
    const cut: Script = vendorOf('cohere').failsLater;
    const first = name === 'cohere' ? 'gemini' : 'cohere';
    await using stage = await openCloudStage(
      { [first]: first === 'cohere' ? cut : vendorOf('gemini').failsLater, [name]: answers },
      { failover },
    );
    const got = await ask(stage.chatURL, { body });
    expect([streamedContentOf(got), got.text.endsWith('data: [DONE]\n\n')]).toEqual([`hello from ${name} 😀`, true]);
  });
});
