// Every operation of every client, at every place where clients look for it: shared paths with and without the prefix of
// their vendor, and below a route's own path.

import { describe, expect, it } from 'vitest';
import { ask } from '../../support/client.ts';
import { provider } from '../../support/config.ts';
import { anthropic } from '../../support/anthropic-answers.ts';
import { ollama } from '../../support/ollama-answers.ts';
import { openai } from '../../support/openai-answers.ts';
import { openStage } from '../../support/stage.ts';

const messages = [{ role: 'user', content: 'one' }];
const version = { 'anthropic-version': '2023-06-01' };

/** One operation: its path behind the version, what is asked, and a member that its answers have. */
interface Case {
  readonly path: string;
  readonly body?: object;
  readonly has: string;
}

const openaiCases: readonly Case[] = [
  { path: '/chat/completions', body: { model: 'chat', messages }, has: 'choices' },
  { path: '/completions', body: { model: 'chat', prompt: 'one' }, has: 'choices' },
  { path: '/responses', body: { model: 'chat', input: 'one' }, has: 'output' },
  { path: '/embeddings', body: { model: 'chat', input: 'one' }, has: 'data' },
  { path: '/models', has: 'data' },
  { path: '/models/chat', has: 'owned_by' },
];

const anthropicCases: readonly Case[] = [
  { path: '/messages', body: { model: 'chat', max_tokens: 9, messages }, has: 'content' },
  { path: '/messages/count_tokens', body: { model: 'chat', messages }, has: 'input_tokens' },
  { path: '/models', has: 'has_more' },
  { path: '/models/chat', has: 'display_name' },
];

const ollamaCases: readonly Case[] = [
  { path: '/api/chat', body: { model: 'chat', messages, stream: false }, has: 'done' },
  { path: '/api/generate', body: { model: 'chat', prompt: 'one', stream: false }, has: 'response' },
  { path: '/api/embed', body: { model: 'chat', input: 'one' }, has: 'embeddings' },
  { path: '/api/embeddings', body: { model: 'chat', prompt: 'one' }, has: 'embedding' },
  { path: '/api/show', body: { model: 'chat' }, has: 'capabilities' },
  { path: '/api/tags', has: 'models' },
  { path: '/api/ps', has: 'models' },
  { path: '/api/version', has: 'version' },
];

const upstreams = {
  OpenAI: openai('a'),
  Anthropic: anthropic('a'),
  Ollama: ollama('a'),
} as const;

function stageOf(type: keyof typeof upstreams) {
  return openStage(
    { a: upstreams[type] },
    {
      draft: (usual) => ({
        ...usual,
        providers: usual.providers.map(({ baseURL }) =>
          provider('a', type === 'OpenAI' ? baseURL : baseURL.replace(/\/v1$/, ''), { type }),
        ),
      }),
    },
  );
}

async function expectAt(url: string, { path, body, has }: Case, headers: Record<string, string> = {}): Promise<void> {
  const got = await ask(url + path, { ...(body && { body }), headers });
  expect([url + path, got.status, got.text.slice(0, 300)]).toEqual([
    url + path,
    200,
    expect.stringContaining(`"${has}"`),
  ]);
}

describe('a client finds what it knows', () => {
  it.each(['/v1', '/openai', '/openai/v1', '/chat', '/chat/v1', '/chat/openai', '/chat/openai/v1'])(
    'of OpenAI, at %s',
    async (prefix) => {
      await using stage = await stageOf('OpenAI');
      for (const each of openaiCases) await expectAt(stage.gateway.url + prefix, each);
    },
  );

  it.each(['/v1', '/anthropic', '/anthropic/v1', '/chat/v1', '/chat/anthropic', '/chat/anthropic/v1'])(
    'of Anthropic, at %s',
    async (prefix) => {
      for (const type of ['Anthropic', 'OpenAI'] as const) {
        await using stage = await stageOf(type);
        for (const each of anthropicCases) await expectAt(stage.gateway.url + prefix, each, version);
      }
    },
  );

  it.each(['', '/chat'])('of Ollama, at %j', async (prefix) => {
    for (const type of ['Ollama', 'OpenAI'] as const) {
      await using stage = await stageOf(type);
      for (const each of ollamaCases) {
        // The older kind of vectors is its own server's business.
        if (type === 'Ollama' && each.path === '/api/embeddings') continue;
        await expectAt(stage.gateway.url + prefix, each);
      }
    }
  });

  it('behind a pin too', async () => {
    await using stage = await stageOf('OpenAI');
    const pinned = `${stage.gateway.url}/chat/a`;
    await expectAt(`${pinned}/v1`, openaiCases[0]!);
    await expectAt(`${pinned}/anthropic/v1`, anthropicCases[0]!, version);
    await expectAt(pinned, ollamaCases[0]!);
  });
});
