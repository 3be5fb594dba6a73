// Images and documents of which clients give only the addresses, for upstreams that have to have the bytes: fetched once,
// only if needed, and whatever goes wrong with them is the client's fault.

import Anthropic from '@anthropic-ai/sdk';
import { BadRequestError } from 'openai';
import { describe, expect, it } from 'vitest';
import { chatRequest } from '../../support/chat.ts';
import { ask, contentOf, errorOf, official, streamedContentOf } from '../../support/client.ts';
import { backend, provider } from '../../support/config.ts';
import { eventually } from '../../support/eventually.ts';
import { ollama } from '../../support/ollama-answers.ts';
import { openai } from '../../support/openai-answers.ts';
import { answer } from '../../support/scripts.ts';
import { promptMs, soon } from '../../support/soon.ts';
import { openStage, type Stage, type StageOptions } from '../../support/stage.ts';
import { type Script, type ScriptedUpstream, startUpstream } from '../../support/upstream.ts';

const png = Buffer.from('\x89PNG\r\n\x1a\n and the rest', 'latin1');
const base64 = png.toString('base64');
/** A server of pictures that calls them pages. */
const picture = answer(png, { headers: { 'content-type': 'text/html' } });

/** A stage on which the backends named `ollama…` are Ollama's, and pictures may be fetched from this machine. */
function stageOf<Name extends string>(
  scripts: Readonly<Record<Name, Script>>,
  options: StageOptions = {},
): Promise<Stage<Name>> {
  return openStage(scripts, {
    gateway: {
      sources: { allowCidrs: ['127.0.0.1/32'], resolve: () => Promise.resolve([{ address: '127.0.0.1', family: 4 }]) },
    },
    ...options,
    draft(usual) {
      const providers = usual.providers.map((each) => {
        const name = each.id.slice(each.id.indexOf('/') + 1);
        if (!name.startsWith('ollama')) return each;
        return provider(name, each.baseURL.replace(/\/v1$/, ''), { type: 'Ollama' });
      });
      return { ...usual, providers };
    },
  });
}

function addressOf(site: ScriptedUpstream, path = '/a.png'): string {
  return `http://pictures.test:${site.port}${path}`;
}

function chatOf(...urls: readonly string[]): {
  model: string;
  messages: { role: 'user'; content: { type: 'image_url'; image_url: { url: string } }[] }[];
} {
  const content = urls.map((url) => ({ type: 'image_url' as const, image_url: { url } }));
  return { model: 'chat', messages: [{ role: 'user', content }] };
}

describe('an address that the upstream cannot be given', () => {
  it.each(['v6', 'v7'] as const)('is fetched, whole and streamed: openai %s', async (version) => {
    await using site = await startUpstream(picture);
    await using stage = await stageOf({ ollama: ollama('ollama') });
    const client = official(version, `${stage.gateway.url}/v1`);
    const asked = chatOf(addressOf(site, '/a.png?signed=1'), addressOf(site, '/b.png'));
    const whole = await client.chat.completions.create(asked);
    expect(whole.choices[0]?.message.content).toBe('hello from ollama');
    const streamed = await client.chat.completions.stream(asked).finalChatCompletion();
    expect(streamed.choices[0]?.message.content).toBe('hello from ollama');
    for (const { json } of stage.upstreams.ollama.requests) {
      expect(json['messages']).toMatchObject([{ images: [base64, base64] }]);
    }
    expect(site.requests.map(({ target }) => target).toSorted()).toEqual([
      '/a.png?signed=1',
      '/a.png?signed=1',
      '/b.png',
      '/b.png',
    ]);
    for (const { headers } of site.requests) {
      expect(Object.keys(headers).toSorted()).toEqual([
        'accept',
        'accept-encoding',
        'connection',
        'host',
        'user-agent',
      ]);
    }
  });

  it('is fetched for a client of Anthropic', async () => {
    await using site = await startUpstream(picture);
    await using stage = await stageOf({ ollama: ollama('ollama') });
    const client = new Anthropic({ apiKey: 'nobody', baseURL: stage.gateway.url, maxRetries: 0 });
    const { content } = await client.messages.create({
      model: 'chat',
      max_tokens: 10,
      messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'url', url: addressOf(site) } }] }],
    });
    expect(content.at(-1)).toMatchObject({ type: 'text', text: 'hello from ollama' });
    expect(stage.upstreams.ollama.requests[0]?.json['messages']).toMatchObject([{ images: [base64] }]);
  });

  it('is fetched once, however many backends fail', async () => {
    await using site = await startUpstream(picture);
    const failing = answer({ error: 'down' }, { status: 503 });
    await using stage = await stageOf({ ollama1: failing, ollama2: failing, ollama3: ollama('ollama3') });
    const got = await ask(stage.chatURL, { body: chatOf(addressOf(site)) });
    expect([got.status, contentOf(got), got.headers['x-sluice-attempts']]).toEqual([200, 'hello from ollama3', '3']);
    expect(site.requests).toHaveLength(1);
  });

  it('is of no use to a backend that was switched off meanwhile: another one gets it', async () => {
    const { promise: open, resolve: letGo } = Promise.withResolvers<void>();
    await using site = await startUpstream(async (exchange) => {
      await open;
      await picture(exchange);
    });
    await using stage = await stageOf({ ollama1: ollama('ollama1'), ollama2: ollama('ollama2') });
    const asking = ask(stage.chatURL, { body: chatOf(addressOf(site)) });
    await eventually(() => site.requests.length === 1);
    await stage.gateway.switchBackend('default/chat/ollama1', 'disable');
    letGo();
    expect(contentOf(await asking)).toBe('hello from ollama2');
    expect(stage.upstreams.ollama1.requests).toEqual([]);
  });

  it('is fetched for a disabled backend that serves one request at a time, and is tried for want of others', async () => {
    await using site = await startUpstream(picture);
    await using stage = await stageOf(
      { ollama: answer({ error: 'down' }, { status: 503 }) },
      { rule: { strategy: 'FirstAvailable', backends: [backend('ollama')] } },
    );
    expect((await ask(stage.chatURL, { body: chatRequest('one') })).status).toBe(503);
    expect(await stage.gateway.backend('default/chat/ollama')).toMatchObject({ state: 'disabled' });
    stage.upstreams.ollama.script = ollama('ollama');
    const got = await ask(stage.chatURL, { body: chatOf(addressOf(site)) });
    expect([got.status, contentOf(got)]).toEqual([200, 'hello from ollama']);
  });

  it('is fetched only when a backend needs it', async () => {
    await using site = await startUpstream(picture);
    await using stage = await stageOf({ openai: openai('openai'), ollama: ollama('ollama') });
    const body = chatOf(addressOf(site));
    expect((await ask(stage.chatURL, { body })).headers['x-sluice-backend']).toBe('openai');
    expect(site.requests).toEqual([]);
    expect(JSON.stringify(stage.upstreams.openai.requests[0]?.json)).toContain(addressOf(site));
    stage.upstreams.openai.script = answer({ error: {} }, { status: 500 });
    expect((await ask(stage.chatURL, { body })).headers['x-sluice-backend']).toBe('ollama');
    expect(site.requests).toHaveLength(1);
  });

  it('is fetched for a backend that joins a slow one', async () => {
    await using site = await startUpstream(picture);
    const slow: Script = ({ closed }) => closed;
    await using stage = await stageOf(
      { openai: slow, ollama: ollama('ollama') },
      { failover: { hedgeSeconds: 1 } as never },
    );
    const got = await ask(stage.chatURL, { body: { ...chatOf(addressOf(site)), stream: true } });
    expect([got.headers['x-sluice-backend'], streamedContentOf(got)]).toEqual(['ollama', 'hello from ollama']);
    expect(site.requests).toHaveLength(1);
  });
});

describe('an address where nothing is to be had', () => {
  it('is the client’s own fault: a 400 that names the host, and no backend is blamed', async () => {
    await using site = await startUpstream(answer('no', { status: 404 }));
    const failover = { on: ['BadRequest'], statusCodes: [[400, 499]] } as never;
    await using stage = await stageOf({ ollama: ollama('ollama') }, { failover });
    const client = official('v7', `${stage.gateway.url}/v1`);
    const address = addressOf(site, '/private/token?key=secret');
    for (const stream of [false, true]) {
      const error: unknown = await client.chat.completions
        .create({ ...chatOf(address), stream })
        .catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(BadRequestError);
      const { message } = error as BadRequestError;
      expect(message).toContain(
        `The image at pictures.test:${site.port} cannot be given to this model: it answers with status 404.`,
      );
      expect(message).not.toMatch(/token|secret/);
    }
    expect(stage.upstreams.ollama.requests).toEqual([]);
    expect((await stage.gateway.backend('default/chat/ollama')).state).toBe('enabled');
    expect(await stage.gateway.metrics()).not.toMatch(/sluice_failures_total\{/);
  });

  it('does not keep those from answering who take addresses', async () => {
    await using site = await startUpstream(answer('no', { status: 404 }));
    await using stage = await stageOf({ ollama: ollama('ollama'), openai: openai('openai') });
    const got = await ask(stage.chatURL, { body: chatOf(addressOf(site)) });
    expect([got.status, got.headers['x-sluice-backend'], got.headers['x-sluice-attempts']]).toEqual([
      200,
      'openai',
      '1',
    ]);
  });

  it.each([
    ['is inside', () => 'http://169.254.169.254/latest/meta-data/', /cannot be reached/],
    ['has a name inside', () => 'http://localhost:1/', /cannot be reached/],
    ['is no address', () => 'pictures', /has no address that begins with http/],
    ['has a password', () => 'https://a:b@pictures.test/', /has a password/],
  ])('is told so in a stream too: %s', async (_what, address, says) => {
    await using stage = await stageOf({ ollama: ollama('ollama') }, { gateway: {} });
    const got = await ask(stage.chatURL, { body: { ...chatOf(address()), stream: true } });
    expect([got.status, errorOf(got).code]).toEqual([400, 'invalid_request']);
    expect(errorOf(got).message).toMatch(says);
    expect(stage.upstreams.ollama.requests).toEqual([]);
  });

  it('is not connected to on this machine unless somebody has allowed it', async () => {
    await using site = await startUpstream(picture);
    await using stage = await stageOf({ ollama: ollama('ollama') }, { gateway: {} });
    const got = await ask(stage.chatURL, { body: chatOf(`http://127.0.0.1:${site.port}/a.png`) });
    expect([got.status, site.connectionsTotal]).toEqual([400, 0]);
  });

  it('is waited for no longer than the client waits', async () => {
    await using site = await startUpstream(({ closed }) => closed);
    await using stage = await stageOf({ ollama: ollama('ollama') });
    const leaving = new AbortController();
    const asking = ask(stage.chatURL, { body: chatOf(addressOf(site)), signal: leaving.signal }).catch(() => undefined);
    await soon(() => site.requests.length).toBe(1);
    leaving.abort();
    await asking;
    await soon(() => site.requests[0]?.closedAtMs, promptMs).toBeDefined();
    expect(stage.upstreams.ollama.requests).toEqual([]);
    expect((await stage.gateway.backend('default/chat/ollama')).state).toBe('enabled');
  });

  it('is waited for no longer than the whole request may take, and no upstream is blamed for it', async () => {
    await using site = await startUpstream(({ closed }) => closed);
    const timeouts = { firstContentSeconds: 1, responseSeconds: 1, totalSeconds: 2 } as never;
    await using stage = await stageOf({ ollama: ollama('ollama') }, { rule: { timeouts } });
    const got = await ask(stage.chatURL, { body: chatOf(addressOf(site)) });
    expect([got.status, errorOf(got).code]).toEqual([400, 'invalid_request']);
    expect(errorOf(got).message).toContain('does not come in time');
    expect((await stage.gateway.backend('default/chat/ollama')).state).toBe('enabled');
  });

  it('is told in a stream that was opened meanwhile', async () => {
    await using site = await startUpstream(answer('no', { status: 404, afterMs: 1500 }));
    await using stage = await stageOf({ ollama: ollama('ollama') }, { failover: { holdSeconds: 1 } as never });
    const got = await ask(stage.chatURL, { body: { ...chatOf(addressOf(site)), stream: true } });
    expect([got.status, streamedContentOf(got)]).toEqual([200, '']);
    expect(got.text).toContain('it answers with status 404');
    expect(got.text).not.toContain('[DONE]');
  });
});
