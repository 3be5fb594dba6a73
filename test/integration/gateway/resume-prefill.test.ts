// Who goes on with a broken answer is given its beginning, where its model and its protocol have a way for that.

import { describe, expect, it } from 'vitest';
import type { ProviderType } from '../../../proxy/config/schema.ts';
import { ask, streamedContentOf } from '../../support/client.ts';
import { type ReciterOptions, recitation, reciter } from '../../support/reciter.ts';
import { chatBody, clients, cut, frame, resumeStage } from '../../support/resume-stage.ts';
import { stream } from '../../support/scripts.ts';
import type { UpstreamRequest } from '../../support/upstream.ts';
const begun = recitation.split(' ').slice(0, 40).join(' ');
const [whole, rest] = [60, 20];

/** The last message of a request. */
function lastMessage({ json }: UpstreamRequest): Readonly<Record<string, unknown>> | undefined {
  return (json['messages'] as Readonly<Record<string, unknown>>[]).at(-1);
}

describe('a model that can go on from a beginning', () => {
  const ways: readonly (readonly [ProviderType, ReciterOptions['prefill'], object, object])[] = [
    ['VLLM', 'goes-on', { continue_final_message: true, add_generation_prompt: false }, {}],
    ['DeepSeek', 'goes-on', {}, { prefix: true }],
    ['Mistral', 'echoes', {}, { prefix: true }],
    ['Mistral', 'goes-on', {}, { prefix: true }],
    ['OpenAICompatible', 'goes-on', {}, {}],
    ['Anthropic', 'goes-on', {}, {}],
  ];
  it.each(ways)('is asked to by %s, which %s', async (type, prefill, members, message) => {
    await using stage = await resumeStage({
      a: { script: cut(), type: 'OpenAI' },
      b: { script: reciter({ prefill: prefill ?? 'goes-on' }), type, capabilities: ['Prefill'] },
    });
    const told = await clients['OpenAI 7, chat completions'](stage.gateway.url);
    const [request, ...others] = stage.upstreams.b.requests;
    expect(others).toEqual([]);
    expect(request?.json).toMatchObject(members);
    expect(lastMessage(request!)).toEqual({ role: 'assistant', content: begun, ...message });
    expect(told.text).toBe(recitation);
    // Only what is new was generated, unless the server counts the beginning too.
    expect(told.output).toBeLessThan(40 * 3 + (prefill === 'echoes' ? whole : rest) + 1);
  });

  it.each(['OpenAI 7, chat completions', 'Anthropic 1', 'Ollama, chat', 'OpenAI 7, responses'] as const)(
    'goes on for a client of %s',
    async (client) => {
      await using stage = await resumeStage({
        a: { script: cut(), type: 'Ollama' },
        b: { script: reciter(), type: 'Anthropic', capabilities: ['Prefill'] },
      });
      expect((await clients[client](stage.gateway.url))?.text).toBe(recitation);
      expect(lastMessage(stage.upstreams.b.requests[0]!)).toMatchObject({ role: 'assistant', content: begun });
    },
  );

  it('is asked from the start if it refuses, within the same attempt, and nobody sees it', async () => {
    for (const type of ['OpenAICompatible', 'Anthropic'] as const) {
      await using stage = await resumeStage(
        {
          a: { script: cut(), type: 'OpenAI' },
          b: { script: reciter({ prefill: 'refuses' }), type, capabilities: ['Prefill'] },
        },
        { failover: { maxAttempts: 2, statusCodes: [[400, 499]] } },
      );
      const answered = await ask(stage.chatURL, { body: chatBody });
      expect(streamedContentOf(answered)).toBe(recitation);
      expect(answered.text).not.toContain('prefill');
      expect(stage.upstreams.b.requests.map((request) => lastMessage(request)?.['role'])).toEqual([
        'assistant',
        'user',
      ]);
      expect(await stage.gateway.backend('default/chat/b')).toMatchObject({ state: 'enabled' });
    }
  });

  it('is not asked to where it does not say that it can, or would think first, or has been given a beginning', async () => {
    const members: readonly (readonly [object, readonly string[]])[] = [
      [{}, ['Tools']],
      [{ reasoning_effort: 'low' }, ['Prefill', 'Reasoning']],
      [{ response_format: { type: 'json_object' } }, ['Prefill', 'JSONSchema']],
    ];
    for (const [differs, capabilities] of members) {
      await using stage = await resumeStage({
        a: { script: cut(), type: 'OpenAI' },
        b: { script: reciter(), type: 'VLLM', capabilities },
      });
      const answered = await ask(stage.chatURL, { body: { ...chatBody, ...differs } });
      expect(streamedContentOf(answered)).toBe(recitation);
      expect(lastMessage(stage.upstreams.b.requests[0]!)?.['role']).toBe('user');
    }
  });

  it('has what is left of the limit of the client', async () => {
    await using stage = await resumeStage({
      a: { script: cut(), type: 'OpenAI' },
      b: { script: reciter(), type: 'VLLM', capabilities: ['Prefill'] },
    });
    await ask(stage.chatURL, { body: { ...chatBody, max_tokens: 500 } });
    const left = stage.upstreams.b.requests[0]?.json['max_tokens'];
    expect(left).toBeGreaterThan(300);
    expect(left).toBeLessThan(461);
  });

  it('that has nothing to add ends the message', async () => {
    await using stage = await resumeStage({
      a: { script: cut(60), type: 'OpenAI' },
      b: { script: reciter({ text: recitation }), type: 'VLLM', capabilities: ['Prefill'] },
    });
    // All words have come, and only the finish is missing.
    stage.upstreams.a.script = async (exchange) => {
      const frames = recitation.split(' ').map((word, index) => (index === 0 ? word : ` ${word}`));
      await stream(frames.map((content) => frame({ content })))(exchange);
    };
    const answered = await ask(stage.chatURL, { body: chatBody });
    expect(streamedContentOf(answered)).toBe(recitation);
    expect(answered.text).toContain('"finish_reason":"stop"');
    expect(answered.text).toMatch(/\[DONE\]\n\n$/);
  });
});
