// Routes of their own for what the backends of a rule are of no use against: requests that are too long, and those that a
// filter of contents refuses. Only where the rule says so.

import { describe, expect, it } from 'vitest';
import type { FailoverConfig } from '../../../proxy/config/schema.ts';
import { chat, chatRequest } from '../../support/chat.ts';
import { ask, contentOf, errorOf } from '../../support/client.ts';
import { backend, failover, provider, route, rule, ruleInOrder } from '../../support/config.ts';
import { answer } from '../../support/scripts.ts';
import { openStage, type Stage } from '../../support/stage.ts';
import type { Script } from '../../support/upstream.ts';

const refused = (code: string, message: string): Script =>
  answer({ error: { message, type: 'invalid_request_error', code } }, { status: 400 });
const tooLong = refused('context_length_exceeded', "This model's maximum context length is 8192 tokens.");
const filtered = refused('content_policy_violation', 'Your request was rejected as a result of our safety system.');

type Names = 'a' | 'b' | 'other';

/** The rule of `chat` has the backends a and b; the route `other` has its own. */
function stageOf(
  scripts: Readonly<Record<Names, Script>>,
  differs: Partial<FailoverConfig>,
  contextOfA?: number,
): Promise<Stage<Names>> {
  return openStage(scripts, {
    draft: (usual) => ({
      providers: usual.providers.map((each) => {
        if (!each.id.endsWith('/a') || contextOfA === undefined) return each;
        return provider('a', each.baseURL, {
          models: [{ name: 'm', upstreamName: 'm', maxContextTokens: contextOfA }],
        });
      }),
      routes: [
        route('chat', [
          rule(
            [
              backend('a', { priority: 0, ...(contextOfA !== undefined && { model: 'm' }) }),
              ...(contextOfA === undefined ? [backend('b', { priority: 1 })] : []),
            ],
            { failover: failover(differs) },
          ),
        ]),
        route('other', [ruleInOrder(['other'])]),
      ],
    }),
  });
}

const toOther = (name: 'ContextLength' | 'ContentFilter'): Partial<FailoverConfig> => {
  return { fallbacks: [{ class: name, route: 'default/other' }] };
};

describe('a fallback for requests that are too long', () => {
  it('is asked when a model has said so, and other backends are not', async () => {
    await using stage = await stageOf({ a: tooLong, b: chat('b'), other: chat('other') }, toOther('ContextLength'));
    for (const stream of [true, false]) {
      const answered = await ask(stage.chatURL, { body: chatRequest('one', { stream }) });
      expect([answered.status, answered.headers['x-sluice-backend']]).toEqual([200, 'other']);
    }
    expect(stage.upstreams.b.requests).toHaveLength(0);
    expect(await stage.gateway.backend('default/chat/a')).toMatchObject({ state: 'enabled' });
  });

  it('is asked before anything is sent, where the estimate says so', async () => {
    await using stage = await stageOf(
      { a: chat('a'), b: chat('b'), other: chat('other') },
      toOther('ContextLength'),
      1000,
    );
    const answered = await ask(stage.chatURL, { body: chatRequest('word '.repeat(1200)) });
    expect(answered.headers['x-sluice-backend']).toBe('other');
    expect(stage.upstreams.a.requests).toHaveLength(0);
    expect(contentOf(await ask(stage.chatURL, { body: chatRequest('one') }))).toContain('a~one~0');
  });

  it('is not asked about anything else, nor where there is none', async () => {
    for (const differs of [toOther('ContentFilter'), {}]) {
      await using stage = await stageOf({ a: tooLong, b: chat('b'), other: chat('other') }, differs);
      const answered = await ask(stage.chatURL, { body: chatRequest('one') });
      expect([answered.status, errorOf(answered).code]).toEqual([400, 'context_length_exceeded']);
      expect(stage.upstreams.other.requests).toHaveLength(0);
    }
  });
});

describe('where a model is long enough, and cannot do what is wanted,', () => {
  it('the fallback for what is too long is asked at once', async () => {
    await using stage = await openStage(
      { a: tooLong, b: chat('b'), other: chat('other') },
      {
        draft: ({ providers }) => ({
          providers: providers.map((each) =>
            each.id.endsWith('/other')
              ? each
              : {
                  ...each,
                  models: [
                    { name: 'short', upstreamName: 'short', maxContextTokens: 10, capabilities: ['Tools'] },
                    { name: 'plain', upstreamName: 'plain', maxContextTokens: 10_000, capabilities: [] },
                  ],
                },
          ),
          routes: [
            route('chat', [
              rule([backend('a', { model: 'short' }), backend('b', { model: 'plain' })], {
                failover: failover({ ...toOther('ContextLength'), maxAttempts: 1 }),
              }),
            ]),
            route('other', [ruleInOrder(['other'])]),
          ],
        }),
      },
    );
    const tools = [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }];
    const answered = await ask(stage.chatURL, { body: { ...chatRequest('word '.repeat(50)), tools } });
    expect([answered.status, answered.headers['x-sluice-backend']]).toEqual([200, 'other']);
    expect(stage.upstreams.a.requests).toHaveLength(0);
  });
});

describe('a fallback for requests that a filter refuses', () => {
  it('that leads nowhere for this request does not lead to that for requests that are too long', async () => {
    const fallbacks: FailoverConfig['fallbacks'] = [
      { class: 'ContentFilter', route: 'default/nowhere' },
      { class: 'ContextLength', route: 'default/other' },
    ];
    await using stage = await openStage(
      { a: filtered, other: chat('other') },
      {
        draft: ({ providers }) => ({
          providers: providers.map((each) => ({
            ...each,
            models: [{ name: 'm', upstreamName: 'm', maxContextTokens: 10_000 }],
          })),
          routes: [
            route('chat', [rule([backend('a', { model: 'm' })], { failover: failover({ fallbacks }) })]),
            route('nowhere', [
              rule([backend('other')], { matches: [{ headers: [{ name: 'x-never', type: 'Present' }] }] }),
            ]),
            route('other', [ruleInOrder(['other'])]),
          ],
        }),
      },
    );
    const answered = await ask(stage.chatURL, { body: chatRequest('one') });
    expect([answered.status, errorOf(answered).code]).toEqual([400, 'content_policy_violation']);
    expect(stage.upstreams.other.requests).toHaveLength(0);
  });

  it('is asked instead of the other backends', async () => {
    await using stage = await stageOf({ a: filtered, b: chat('b'), other: chat('other') }, toOther('ContentFilter'));
    const answered = await ask(stage.chatURL, { body: chatRequest('one') });
    expect([answered.status, answered.headers['x-sluice-backend']]).toEqual([200, 'other']);
    expect(stage.upstreams.b.requests).toHaveLength(0);
  });

  it('comes after them where the rule fails over for such failures too', async () => {
    const on = [...failover().on, 'ContentFilter'];
    await using stage = await stageOf(
      { a: filtered, b: filtered, other: chat('other') },
      { ...toOther('ContentFilter'), on },
    );
    const answered = await ask(stage.chatURL, { body: chatRequest('one') });
    expect([answered.headers['x-sluice-attempts'], answered.headers['x-sluice-backend']]).toEqual(['3', 'other']);
  });

  it('that refuses as well has the last word, and is asked once', async () => {
    await using stage = await stageOf({ a: filtered, b: chat('b'), other: filtered }, toOther('ContentFilter'));
    const answered = await ask(stage.chatURL, { body: chatRequest('one') });
    expect([answered.status, errorOf(answered).code]).toEqual([400, 'content_policy_violation']);
    expect(stage.upstreams.other.requests).toHaveLength(1);
  });

  it('is not asked once the attempts are spent', async () => {
    await using stage = await stageOf(
      { a: filtered, b: chat('b'), other: chat('other') },
      { ...toOther('ContentFilter'), maxAttempts: 1 },
    );
    expect((await ask(stage.chatURL, { body: chatRequest('one') })).status).toBe(400);
    expect(stage.upstreams.other.requests).toHaveLength(0);
  });
});
