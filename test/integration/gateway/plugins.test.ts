// The strategy Plugin in a whole gateway.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RuleConfig } from '../../../proxy/config/schema.ts';
import { chat, chatRequest } from '../../support/chat.ts';
import { ask, type PlainAnswer } from '../../support/client.ts';
import { backend, failover, route, rule } from '../../support/config.ts';
import { answer } from '../../support/scripts.ts';
import { openStage, type Stage, type StageOptions } from '../../support/stage.ts';

let pluginFolder: string;

beforeAll(() => {
  pluginFolder = mkdtempSync(join(tmpdir(), 'sluice-plugins-'));
  const write = (name: string, text: string): void => writeFileSync(join(pluginFolder, name), text);
  // Orders by a header; and refuses to work where it can see what it must not.
  write(
    'by-header.mjs',
    `export function order({ headers, ...request }, candidates) {
      const seen = JSON.stringify([headers, request, candidates]);
      if (seen.includes('CANARY')) throw new Error('a secret has reached the plugin');
      return headers['x-order'].split('').filter((name) => candidates.some((it) => it.name === name));
    }`,
  );
  write('throws.mjs', 'export const order = () => { throw new Error("out of order"); };');
  write('blocks.mjs', 'export const order = () => { for (;;); };');
});

afterAll(() => rmSync(pluginFolder, { recursive: true }));

const names = ['a', 'b', 'c'] as const;
const scripts = { a: chat('a'), b: chat('b'), c: chat('c') };

function plugged(module: string, timeoutMillis = 5_000): Partial<RuleConfig> {
  return { strategy: 'Plugin', plugin: { module, timeoutMillis } };
}

function stageOf(module: string, options: StageOptions = {}, timeoutMillis?: number): Promise<Stage<'a' | 'b' | 'c'>> {
  return openStage(scripts, {
    rule: { ...plugged(module, timeoutMillis), backends: names.map((name) => backend(name)) },
    gateway: { pluginFolder },
    ...options,
  });
}

const secretHeaders = {
  authorization: 'Bearer CANARY-key',
  'proxy-authorization': 'Basic CANARY',
  'x-api-key': 'CANARY-key',
  'api-key': 'CANARY-key',
  'x-goog-api-key': 'CANARY-key',
  'x-access-token': 'CANARY-token',
  cookie: 'CANARY',
};

function asked(stage: Stage<string>, order: string, marker = 'CANARY-prompt'): Promise<PlainAnswer> {
  return ask(stage.chatURL, { body: chatRequest(marker), headers: { 'x-order': order, ...secretHeaders } });
}

async function reached(stage: Stage<string>, order: string): Promise<string | undefined> {
  return (await asked(stage, order)).headers['x-sluice-backend'];
}

describe('a plugin', () => {
  it('decides who is asked first, and who next when that one fails', async () => {
    await using stage = await stageOf('by-header.mjs');
    for (const order of ['bca', 'cab', 'abc']) expect(await reached(stage, order)).toBe(order[0]);
    stage.upstreams.c.script = answer('', { status: 500 });
    const failedOver = await asked(stage, 'cba');
    expect(failedOver.headers).toMatchObject({ 'x-sluice-backend': 'b', 'x-sluice-attempts': '2' });
    // Those that it does not name come last.
    expect(await reached(stage, 'a')).toBe('a');
    expect(await stage.gateway.metrics()).toContain(
      'sluice_plugin_orders_total{module="by-header.mjs",outcome="ordered"} 5',
    );
  });

  it('decides inside each tier, and behind references', async () => {
    await using stage = await openStage(scripts, {
      gateway: { pluginFolder },
      draft: (usual) => ({
        ...usual,
        routes: [
          route('chat', [rule([backend('more', { route: 'default/more' })], { strategy: 'Random' })]),
          route('more', [rule([backend('a', { priority: 1 }), backend('b'), backend('c')], plugged('by-header.mjs'))]),
        ],
      }),
    });
    expect(await reached(stage, 'acb')).toBe('c');
    expect(await reached(stage, 'abc')).toBe('b');
  });

  it('decides in a route that a rule falls back to, whether a model or the estimate says that the request is too long', async () => {
    const tooLong = { message: 'too long', type: 'invalid_request_error', code: 'context_length_exceeded' };
    await using stage = await openStage(
      { ...scripts, small: answer({ error: tooLong }, { status: 400 }) },
      {
        gateway: { pluginFolder },
        draft: (usual) => ({
          ...usual,
          providers: usual.providers.map((each) =>
            each.id.endsWith('/small')
              ? { ...each, models: [{ name: 'm', upstreamName: 'm', maxContextTokens: 1_000 }] }
              : each,
          ),
          routes: [
            route('chat', [
              rule([backend('small', { model: 'm' })], {
                failover: failover({ fallbacks: [{ class: 'ContextLength', route: 'default/long' }] }),
              }),
            ]),
            route('long', [rule([backend('a'), backend('b'), backend('c')], plugged('by-header.mjs'))]),
          ],
        }),
      },
    );
    for (const order of ['bca', 'cab', 'abc', 'cba']) expect(await reached(stage, order)).toBe(order[0]);
    expect(stage.upstreams.small.requests).toHaveLength(4);
    for (const order of ['bca', 'cab', 'abc', 'cba']) {
      const answered = await asked(stage, order, 'word '.repeat(1_200));
      expect(answered.headers['x-sluice-backend']).toBe(order[0]);
    }
    expect(stage.upstreams.small.requests).toHaveLength(4);
    expect(await stage.gateway.metrics()).toContain(
      'sluice_plugin_orders_total{module="by-header.mjs",outcome="ordered"} 8',
    );
  });

  it.each([
    ['throws', 'throws.mjs', 'failed'],
    ['is missing', 'nowhere.mjs', 'failed'],
    ['lies elsewhere', '../elsewhere.mjs', 'failed'],
    ['blocks', 'blocks.mjs', 'timeout'],
  ])('that %s leaves the decision to chance, and is counted', async (_what, module, outcome) => {
    await using stage = await stageOf(module, {}, outcome === 'timeout' ? 200 : 5_000);
    const backends = new Set<string | undefined>();
    const requests = outcome === 'timeout' ? 1 : 40;
    for (let count = 0; count < requests; count += 1) {
      const answered = await asked(stage, 'abc');
      expect(answered.status).toBe(200);
      backends.add(answered.headers['x-sluice-backend']);
    }
    if (requests > 1) expect(backends.size).toBe(3);
    expect(await stage.gateway.metrics()).toContain(
      `sluice_plugin_orders_total{module="${module}",outcome="${outcome}"} ${requests}`,
    );
  });

  it('is not asked about a pinned backend', async () => {
    await using stage = await stageOf('throws.mjs');
    const pinned = await ask(`${stage.gateway.url}/chat/b`, { body: chatRequest('one') });
    expect(pinned.headers['x-sluice-backend']).toBe('b');
    expect(await stage.gateway.metrics()).not.toContain('sluice_plugin_orders_total{');
  });
});
