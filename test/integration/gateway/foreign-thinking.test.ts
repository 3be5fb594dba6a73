// Conversations that have been somewhere else before: an upstream that refuses their thinking is asked again without it,
// once, and nothing is held against it.

import Anthropic from '@anthropic-ai/sdk';
import { describe, expect, it } from 'vitest';
import { anthropic, failure } from '../../support/anthropic-answers.ts';
import { ask, official } from '../../support/client.ts';
import { provider } from '../../support/config.ts';
import { openai } from '../../support/openai-answers.ts';
import { answer } from '../../support/scripts.ts';
import { openStage, type Stage, type StageOptions } from '../../support/stage.ts';
import type { Script } from '../../support/upstream.ts';

const refusal = failure(400, 'invalid_request_error', 'messages.1.content.0: Invalid `signature` in `thinking` block');

/** Anthropic, which takes no thinking of others: all that there is here. */
const strict: Script = (exchange) => {
  const isThought = JSON.stringify(exchange.request.json['messages']).includes('thinking"');
  return (isThought ? refusal : anthropic('anthropic'))(exchange);
};

function stageOf<Name extends string>(
  scripts: Readonly<Record<Name, Script>>,
  options: StageOptions = {},
): Promise<Stage<Name>> {
  return openStage(scripts, {
    ...options,
    draft: (usual) => ({
      ...usual,
      providers: usual.providers.map((each) => {
        const name = each.id.slice(each.id.indexOf('/') + 1);
        return provider(name, each.baseURL.replace(/\/v1$/, ''), { type: 'Anthropic' });
      }),
    }),
  });
}

const thought = { type: 'thinking' as const, thinking: 'hm', signature: 'of somebody else' };
const conversation = {
  model: 'chat',
  max_tokens: 4096,
  messages: [
    { role: 'user' as const, content: 'one' },
    { role: 'assistant' as const, content: [thought, { type: 'text' as const, text: 'two' }] },
    { role: 'user' as const, content: 'three' },
  ],
};

describe('thinking that an upstream refuses', () => {
  it.each([false, true])('is left out, and the client notices nothing: stream %s', async (stream) => {
    // Whatever the route says about 400: it is not the backend's.
    const failover = { statusCodes: [[400, 400]], maxAttempts: 1 } as never;
    await using stage = await stageOf({ first: strict, second: strict }, { failover });
    const client = new Anthropic({ apiKey: 'nobody', baseURL: stage.gateway.url, maxRetries: 0 });
    const message = stream
      ? await client.messages.stream(conversation).finalMessage()
      : await client.messages.create(conversation);
    expect(message.content).toMatchObject([{ type: 'text', text: 'hello from anthropic' }]);
    const { requests } = stage.upstreams.first;
    expect(requests.map(({ json }) => (json['messages'] as { content: unknown }[])[1]?.content)).toEqual([
      conversation.messages[1]?.content,
      [{ type: 'text', text: 'two' }],
    ]);
    expect(stage.upstreams.second.requests).toEqual([]);
    expect((await stage.gateway.backend('default/chat/first')).state).toBe('enabled');
  });

  it('is refused once: what comes then is told as it is', async () => {
    await using stage = await stageOf({ first: refusal });
    const url = `${stage.gateway.url}/v1/messages`;
    const got = await ask(url, { body: conversation, headers: { 'anthropic-version': '2023-06-01' } });
    expect([got.status, got.headers['x-sluice-attempts']]).toEqual([400, '2']);
    expect(got.text).toContain('Invalid `signature` in `thinking` block');
    expect(stage.upstreams.first.requests).toHaveLength(2);
    expect((await stage.gateway.backend('default/chat/first')).state).toBe('enabled');
  });

  it('is not left out where there is none', async () => {
    await using stage = await stageOf({ first: refusal });
    const body = { ...conversation, messages: [{ role: 'user', content: 'one' }] };
    const got = await ask(`${stage.gateway.url}/v1/messages`, { body, headers: { 'anthropic-version': '2023-06-01' } });
    expect([got.status, stage.upstreams.first.requests.length]).toEqual([400, 1]);
  });

  it('is left out for the next backend too, and a budget of thinking inside a row of calls with it', async () => {
    const down: Script = (exchange) =>
      (JSON.stringify(exchange.request.json).includes('hm') ? refusal : answer({}, { status: 500 }))(exchange);
    await using stage = await stageOf({ first: down, second: strict });
    const body = {
      ...conversation,
      thinking: { type: 'enabled', budget_tokens: 2048 },
      messages: [
        { role: 'user', content: 'one' },
        { role: 'assistant', content: [thought, { type: 'tool_use', id: 'toolu_1', name: 'f', input: {} }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'ok' }] },
      ],
    };
    const got = await ask(`${stage.gateway.url}/v1/messages`, { body, headers: { 'anthropic-version': '2023-06-01' } });
    expect([got.status, got.headers['x-sluice-backend'], got.headers['x-sluice-dropped']]).toEqual([
      200,
      'second',
      'thinking',
    ]);
    expect(stage.upstreams.first.requests).toHaveLength(2);
    expect(stage.upstreams.second.requests.map(({ json }) => json['thinking'])).toEqual([undefined]);
  });

  it('is left out of responses, whose reasoning belongs to an account', async () => {
    const error = {
      message: 'The encrypted content for item rs_1 could not be verified.',
      type: 'invalid_request_error',
      param: null,
      code: 'invalid_encrypted_content',
    };
    const account: Script = (exchange) => {
      const foreign = JSON.stringify(exchange.request.json['input']).includes('encrypted_content');
      return (foreign ? answer({ error }, { status: 400 }) : openai('openai'))(exchange);
    };
    await using stage = await openStage({ openai: account }, { provider: { type: 'OpenAI' } });
    const client = official('v7', `${stage.gateway.url}/v1`);
    const response = await client.responses.create({
      model: 'chat',
      input: [
        { role: 'user', content: 'one' },
        { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'gAAA' },
        { role: 'assistant', content: 'two' },
        { role: 'user', content: 'three' },
      ],
    });
    expect(response.status).toBe('completed');
    expect(stage.upstreams.openai.requests.map(({ json }) => (json['input'] as unknown[]).length)).toEqual([4, 3]);
  });
});
