// Half a minute in which an upstream says nothing disturbs no official client: keep-alives of the gateway are nothing to
// them. All wait at the same time.

import { expect, it } from 'vitest';
import { openStage } from '../../support/stage.ts';
import { chat } from '../../support/chat.ts';
import { ask, dataOf } from '../../support/client.ts';
import { clients } from './pairs.ts';

/** Two keep-alives, and a little more. */
const silentMs = 31_000;

it(
  '[25] [174] a silent stream is kept open for every client, and ends as if nothing had been',
  { timeout: 90_000 },
  async () => {
    await using stage = await openStage(
      { it: chat('it', { words: 2, gapMs: silentMs / 4 }) },
      // What has begun to answer is not given up for its silence.
      { rule: { timeouts: { idleSeconds: 60 } } },
    );
    const { url } = stage.gateway;
    const question = { user: 'one' };
    const bytes = ask(`${url}/v1/messages`, {
      body: { model: 'chat', max_tokens: 9, stream: true, messages: [{ role: 'user', content: 'one' }] },
    });
    const told = await Promise.all(clients.map((client) => client.ask(url, question, true)));
    for (const { text, finish } of told) expect([text, finish]).toEqual(['it~one~0 it~one~1 ', 'stop']);
    // That there was something to ignore.
    expect(dataOf((await bytes).text).filter((data) => data === '{"type":"ping"}').length).toBeGreaterThan(0);
  },
);
