// An upstream that closes idle connections at the very moment at which they are used again, all the time: no client
// notices, nothing is answered twice, and the upstream is not blamed.

import { expect, test } from 'vitest';
import { chat, chatRequest, markedText } from '../support/chat.ts';
import { ask, contentOf } from '../support/client.ts';
import { openStage } from '../support/stage.ts';
import { crowd, printTable, seededRandom, Tally } from './crowd.ts';
import { sized, timeoutMs } from './scale.ts';

const requests = sized({ usual: 2000, full: 50_000 });
const atOnce = 20;
const closeEveryMs = 2;
const random = seededRandom(31);

test(
  `of ${requests} requests over dying connections none fails or is doubled`,
  { timeout: timeoutMs(900) },
  async () => {
    await using stage = await openStage({ a: chat('a') }, { failover: { whenAllDisabled: 'Fail' } });
    const { a } = stage.upstreams;
    const closing = setInterval(() => a.closeIdleConnections(), closeEveryMs);
    const attempts = new Tally();
    const wrong: string[] = [];
    await crowd(requests, atOnce, async (number) => {
      // A further request finds its connection reset: after one request, or after some.
      if (random() < 0.02) a.requestsPerConnection = 1 + Math.floor(random() * 5);
      const marker = `m${number}`;
      const answered = await ask(stage.chatURL, { body: chatRequest(marker) });
      attempts.add(answered.headers['x-sluice-attempts'] ?? '?');
      const isRight = answered.status === 200 && contentOf(answered) === markedText('a', marker);
      if (!isRight && wrong.length < 5) wrong.push(`${answered.status} ${answered.text.slice(0, 200)}`);
    });
    clearInterval(closing);
    const served = new Set(a.requests.map(({ body }) => body.toString()));
    printTable('Connections that die when they are used again', {
      requests: `${requests}, ${atOnce} at a time`,
      connections: a.connectionsTotal,
      'found dead': a.staleResets,
      'served by the upstream': `${a.requests.length}, of which ${a.requests.length - served.size} twice`,
      'attempts told': String(attempts),
    });
    expect(wrong).toEqual([]);
    expect(a.staleResets).toBeGreaterThan(10);
    expect([a.requests.length, served.size]).toEqual([requests, requests]);
    expect(attempts.of('1')).toBe(requests);
    expect(await stage.gateway.backend('default/chat/a')).toMatchObject({ state: 'enabled', models: [] });
  },
);
