// What stands beside the text of an answer that is cut: the client has all of it, or is told that it has not.

import Anthropic from '@anthropic-ai/sdk';
import { describe, expect, it } from 'vitest';
import { eventFrame } from '../../support/anthropic-answers.ts';
import { ask, dataOf, official } from '../../support/client.ts';
import { frame, resumeStage, said } from '../../support/resume-stage.ts';
import { stream } from '../../support/scripts.ts';

const stop = [frame({}, { finish_reason: 'stop' }), 'data: [DONE]\n\n'];
const cited = { type: 'url_citation', url_citation: { url: 'u', title: 't', start_index: 0, end_index: 1 } };
const picture = { type: 'image_url', index: 0, image_url: { url: 'data:image/png;base64,AA==' } };

const chats: Readonly<Record<string, readonly string[]>> = {
  citations: [frame({ annotations: [cited] }), frame({ content: 'three' })],
  pictures: [frame({ images: [picture] }), frame({ content: 'three' })],
  speech: ['QUJD', 'REVG'].map((data) => frame({ audio: { data } })),
};

describe('a client of chat completions', () => {
  it.each(Object.entries(chats))('misses no %s without an error', async (_name, beside) => {
    const frames = [frame({ role: 'assistant', content: 'one ' }), frame({ content: 'two ' }), ...beside, ...stop];
    await everywhere(frames, 'OpenAI', async (url) => {
      const running = official('v7', `${url}/v1`).chat.completions.stream({ model: 'chat', messages: [said] });
      return (await running.finalChatCompletion()).choices[0]?.message;
    });
  });
});

type Event = Parameters<typeof eventFrame>[0];

const begin = (index: number, content_block: object): Event => ({ type: 'content_block_start', index, content_block });
const delta = (index: number, words: object): Event => ({ type: 'content_block_delta', index, delta: words });
const end = (index: number): Event => ({ type: 'content_block_stop', index });
const text = (index: number, ...words: readonly string[]): Event[] => [
  begin(index, { type: 'text', text: '' }),
  ...words.map((word) => delta(index, { type: 'text_delta', text: word })),
  end(index),
];
const result = { type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1', content: [] };
const citation = { type: 'char_location', cited_text: 'x', document_index: 0, start_char_index: 0, end_char_index: 1 };

const messages: Readonly<Record<string, readonly Event[]>> = {
  search: [
    ...text(0, 'one '),
    begin(1, { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: {} }),
    delta(1, { type: 'input_json_delta', partial_json: '{"query":"x"}' }),
    end(1),
    begin(2, result),
    end(2),
    ...text(3, 'two'),
  ],
  'result alone': [...text(0, 'one '), begin(1, result), end(1), ...text(2, 'two')],
  citation: [
    ...text(0, 'one ').slice(0, 2),
    delta(0, { type: 'citations_delta', citation }),
    ...text(0, 'two').slice(1),
  ],
  signature: [
    begin(0, { type: 'thinking', thinking: '', signature: '' }),
    delta(0, { type: 'signature_delta', signature: 's' }),
    end(0),
    ...text(1, 'one ', 'two'),
  ],
};

describe('a client of Anthropic', () => {
  it.each(Object.entries(messages))('misses no %s without an error', async (_name, events) => {
    const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'm', content: [], usage: {} };
    const frames = [
      { type: 'message_start', message },
      ...events,
      { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 1 } },
      { type: 'message_stop' },
    ].map(eventFrame);
    await everywhere(frames, 'Anthropic', async (url) => {
      const client = new Anthropic({ apiKey: 'x', baseURL: url, maxRetries: 0 });
      return (await client.messages.stream({ model: 'chat', max_tokens: 9, messages: [said] }).finalMessage()).content;
    });
  });
});

/** Whether texts stand in one block or in two depends on where they were cut, and says nothing. */
function merged(message: unknown): string {
  return JSON.stringify(message).replaceAll(/"\},\{"type":"text","text":"/g, '');
}

/** The same stream, cut behind each of its frames and gone on with by the same: some cuts fail, but no message differs. */
async function everywhere(
  frames: readonly string[],
  type: 'OpenAI' | 'Anthropic',
  run: (url: string) => Promise<unknown>,
): Promise<void> {
  const names = frames.map((_, index) => `cut-${index}`);
  const whole = { script: stream(frames), type } as const;
  await using stage = await resumeStage(
    { a: whole, b: whole },
    { failover: { disable: { failures: 1, windowSeconds: 60, seconds: 0 } } },
  );
  const { a, b } = stage.upstreams;
  const expected = merged(await run(stage.gateway.url));
  for (const [count, name] of names.entries()) {
    a.script = stream(frames.slice(0, count));
    const got = await run(stage.gateway.url).then(merged, () => 'an error');
    if (got !== 'an error') expect([name, got]).toEqual([name, expected]);
  }
  expect(b.requests.length).toBeGreaterThan(0);
}

describe('an answer of Responses whose server does not say that it begins', () => {
  it('is gone on with', async () => {
    const place = { item_id: 'm', output_index: 0, content_index: 0 };
    const item = { id: 'm', type: 'message', role: 'assistant', content: [] };
    const frames = [
      { type: 'response.output_item.added', output_index: 0, item },
      ...['one ', 'two'].map((word) => ({ type: 'response.output_text.delta', ...place, delta: word })),
      { type: 'response.output_item.done', output_index: 0, item },
      { type: 'response.completed', response: { id: 'r', object: 'response', status: 'completed', output: [] } },
    ].map(eventFrame);
    await using stage = await resumeStage({
      a: { script: stream(frames.slice(0, 2)), type: 'OpenAI' },
      b: { script: stream(frames), type: 'OpenAI' },
    });
    const body = { model: 'chat', input: 'say it', stream: true };
    const { text: heard } = await ask(`${stage.gateway.url}/v1/responses`, { body });
    const last = JSON.parse(dataOf(heard).at(-1) ?? '{}') as Event;
    expect(last).toMatchObject({
      type: 'response.completed',
      response: { output: [{ content: [{ text: 'one two' }] }] },
    });
  });
});
