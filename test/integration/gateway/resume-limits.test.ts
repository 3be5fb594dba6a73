// What nobody can go on with ends with the error that it would have ended with; and what becomes of those who try.

import Anthropic from '@anthropic-ai/sdk';
import { describe, expect, it } from 'vitest';
import { ask, streamedContentOf } from '../../support/client.ts';
import { eventually } from '../../support/eventually.ts';
import { inputTokens, recitation, reciter } from '../../support/reciter.ts';
import { chatBody, clients, codeOf, cut, frame, impatient, resumeStage, said } from '../../support/resume-stage.ts';
import { answer, stopAtOnce, stream } from '../../support/scripts.ts';
/** What the client has where a stream is cut after forty words. */
const begun = recitation.split(' ').slice(0, 40).join(' ');

describe('an error in the stream ends it', () => {
  it('where the other answer differs, and nobody else is asked or blamed', async () => {
    await using stage = await resumeStage({
      a: { script: cut(), type: 'OpenAI' },
      b: { script: reciter({ text: recitation.replace('word30', 'other') }), type: 'OpenAI' },
      c: { script: reciter(), type: 'OpenAI' },
    });
    const answered = await ask(stage.chatURL, { body: chatBody });
    expect(streamedContentOf(answered)).toBe(begun);
    expect(codeOf(answered.text)).toBe('stream_truncated');
    expect(answered.text).not.toContain('[DONE]');
    expect(await stage.gateway.backend('default/chat/b')).toMatchObject({ state: 'enabled', inFlight: 0 });
    expect(stage.upstreams.c.requests).toHaveLength(0);
    // What was generated in vain is accounted for.
    const metrics = await stage.gateway.metrics();
    expect(metrics).toMatch(/sluice_tokens_total\{[^}]*backend="b",type="output"\} [1-9]/);
  });

  it('where the other answer ends before the client is told anything new', async () => {
    await using stage = await resumeStage({
      a: { script: cut(), type: 'OpenAI' },
      b: { script: reciter({ text: 'word1 word2' }), type: 'Anthropic' },
    });
    expect(codeOf((await ask(stage.chatURL, { body: chatBody })).text)).toBe('stream_truncated');
  });

  it('where nobody else is there, or all of them fail, as if nobody had been asked', async () => {
    await using stage = await resumeStage(
      {
        a: { script: cut(40, 'stall'), type: 'OpenAI' },
        b: { script: answer({ error: { message: 'secret words' } }, { status: 400 }), type: 'OpenAI' },
      },
      { rule: impatient },
    );
    const answered = await ask(stage.chatURL, { body: chatBody });
    expect(codeOf(answered.text)).toBe('stream_timeout');
    expect(answered.text).not.toContain('secret');
    stage.upstreams.b.forget();
    const alone = await ask(`${stage.gateway.url}/chat/a/chat/completions`, { body: chatBody });
    expect(codeOf(alone.text)).toBe('stream_timeout');
    expect(stage.upstreams.b.requests).toHaveLength(0);
  });

  it('where the attempts are spent, or the class of the failure does not fail over', async () => {
    for (const failover of [{ maxAttempts: 1 }, { on: ['Connect'] }]) {
      await using stage = await resumeStage(
        { a: { script: cut(), type: 'OpenAI' }, b: { script: reciter(), type: 'OpenAI' } },
        { failover },
      );
      expect(codeOf((await ask(stage.chatURL, { body: chatBody })).text)).toBe('stream_truncated');
      expect(stage.upstreams.b.requests).toHaveLength(0);
    }
  });

  const call = { tool_calls: [{ index: 0, id: 'c', type: 'function', function: { name: 'f', arguments: '' } }] };
  const unfit: Readonly<Record<string, readonly [readonly string[], object]>> = {
    'a call of a tool has begun': [[frame({ content: 'word1' }), frame(call)], {}],
    'the model has refused': [[frame({ refusal: 'no' })], {}],
    'thinking came that only its vendor can read': [[frame({ reasoning_details: [{ type: 'encrypted' }] })], {}],
    'nothing of what was said is of the one answer that is wanted': [[frame({ content: 'word1' }, { index: 1 })], {}],
    'probabilities are wanted': [[frame({ content: 'word1' })], { logprobs: true }],
    'several answers are wanted': [[frame({ content: 'word1' })], { n: 2 }],
    'there is too much': [[frame({ content: 'x'.repeat(200 * 1024) }), frame({ content: 'x'.repeat(57 * 1024) })], {}],
  };
  it.each(Object.entries(unfit))('where %s', async (_name, [frames, members]) => {
    await using stage = await resumeStage({
      a: { script: stream(frames), type: 'OpenAI' },
      b: { script: reciter(), type: 'OpenAI' },
    });
    const answered = await ask(stage.chatURL, { body: { ...chatBody, ...members } });
    expect(codeOf(answered.text)).toBe('stream_truncated');
    expect(stage.upstreams.b.requests).toHaveLength(0);
  });

  it('of Anthropic where thinking was signed, and is gone on with where it was not', async () => {
    const thinking = (signature: string): string[] =>
      [
        {
          type: 'message_start',
          message: { id: 'msg_1', type: 'message', role: 'assistant', model: 'm', content: [], usage: {} },
        },
        { type: 'content_block_start', index: 0, content_block: { type: 'thinking', thinking: '', signature: '' } },
        { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'hm' } },
        { type: 'content_block_delta', index: 0, delta: { type: 'signature_delta', signature } },
        { type: 'content_block_stop', index: 0 },
        { type: 'content_block_start', index: 1, content_block: { type: 'text', text: '' } },
        { type: 'content_block_delta', index: 1, delta: { type: 'text_delta', text: 'word1' } },
      ].map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
    for (const [signature, goesOn] of [
      ['s', false],
      ['', true],
    ] as const) {
      await using stage = await resumeStage({
        a: { script: stream(thinking(signature)), type: 'Anthropic' },
        b: { script: reciter(), type: 'OpenAI' },
      });
      const client = new Anthropic({ apiKey: 'x', baseURL: stage.gateway.url, maxRetries: 0 });
      const running = client.messages.stream({ model: 'chat', max_tokens: 9, messages: [said] }).finalMessage();
      if (goesOn) {
        const { content } = await running;
        expect(content).toMatchObject([
          { type: 'thinking', thinking: 'hm' },
          { type: 'text', text: recitation },
        ]);
      } else {
        await expect(running).rejects.toThrow(/ended its answer/);
        expect(stage.upstreams.b.requests).toHaveLength(0);
      }
    }
  });
});

describe('a successor', () => {
  it('that breaks too is followed by the next one, and all of them are accounted for', async () => {
    await using stage = await resumeStage({
      a: { script: cut(10), type: 'OpenAI' },
      b: { script: cut(30, 'reset'), type: 'Anthropic' },
      c: { script: reciter(), type: 'Ollama' },
    });
    const told = await clients['OpenAI 7, chat completions'](stage.gateway.url);
    expect(told.text).toBe(recitation);
    expect(told.output).toBeGreaterThanOrEqual(10 + 30 + 60);
    expect(told.input).toBeGreaterThan(2 * inputTokens);
    expect(await stage.gateway.backend('default/chat/b')).toMatchObject({ state: 'disabled', reason: 'Truncated' });
  });

  it('that breaks before it says anything new is as if it had not been there', async () => {
    await using stage = await resumeStage({
      a: { script: cut(40), type: 'OpenAI' },
      b: { script: cut(30), type: 'OpenAI' },
      c: { script: reciter(), type: 'OpenAI' },
    });
    const answered = await ask(stage.chatURL, { body: chatBody });
    expect(streamedContentOf(answered)).toBe(recitation);
    expect(await stage.gateway.backend('default/chat/b')).toMatchObject({ state: 'disabled', reason: 'Truncated' });
  });

  it('is closed when the client leaves while it is waited for', async () => {
    await using stage = await resumeStage({
      a: { script: cut(), type: 'OpenAI' },
      b: { script: stopAtOnce('stall'), type: 'OpenAI' },
    });
    const { b } = stage.upstreams;
    const controller = new AbortController();
    const asking = ask(stage.chatURL, { body: chatBody, signal: controller.signal });
    asking.catch(() => undefined);
    await eventually(() => b.requests.length === 1);
    controller.abort();
    await eventually(() => b.requests[0]?.closedAtMs !== undefined);
    await eventually(async () => (await stage.gateway.state()).inFlight === 0);
    expect(await stage.gateway.metrics()).toMatch(/sluice_requests_total\{[^}]*outcome="client-left"\} 1/);
  });

  it('may call tools behind the text', async () => {
    const call = [{ index: 0, id: 'c1', type: 'function', function: { name: 'f', arguments: '{}' } }];
    const frames = [
      frame({ content: 'word1 word2' }),
      frame({ tool_calls: call }),
      frame({}, { finish_reason: 'tool_calls' }),
    ];
    await using stage = await resumeStage({
      a: { script: cut(1), type: 'Anthropic' },
      b: { script: stream([...frames, 'data: [DONE]\n\n']), type: 'OpenAI' },
    });
    const client = new Anthropic({ apiKey: 'x', baseURL: stage.gateway.url, maxRetries: 0 });
    const message = await client.messages.stream({ model: 'chat', max_tokens: 9, messages: [said] }).finalMessage();
    expect(message).toMatchObject({
      stop_reason: 'tool_use',
      content: [
        { type: 'text', text: 'word1 word2' },
        { type: 'tool_use', name: 'f', input: {} },
      ],
    });
  });
});
