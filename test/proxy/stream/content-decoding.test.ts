import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { AnswerProtocol } from '../../../proxy/protocols/protocol.ts';
import { soon } from '../../support/soon.ts';
import { AnswerRig } from './answer-rig.ts';

const gzipped = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
const encoded = gzipSync(randomBytes(256 * 1024));

test('an upstream that sends faster than its encoding is undone is made to wait', async () => {
  const rig = new AnswerRig({ stream: false }).head(gzipped);
  rig.data(encoded.subarray(0, 100_000));
  expect(rig.orders).toEqual(['pause']);
  await soon(() => rig.orders).toEqual(['pause', 'resume']);
});

test('and goes on waiting while the client is slow, too', async () => {
  const rig = new AnswerRig({ stream: false }).head(gzipped);
  rig.data(encoded.subarray(0, 100_000));
  rig.answer.pause();
  await delay(20);
  expect(rig.orders).toEqual(['pause', 'pause']);
  rig.answer.resume();
  await soon(() => rig.orders.at(-1)).toBe('resume');
});

test('a fault of ours while it is taken ends the answer, and not the process', async () => {
  const protocol: AnswerProtocol = {
    readAnswer() {
      throw new Error('a fault');
    },
    tap() {
      throw new Error('not reached');
    },
  };
  const rig = new AnswerRig({ stream: false, protocol }).head(gzipped);
  rig.data(gzipSync('{}')).end();
  await soon(() => rig.outcome).toMatchObject({
    type: 'failed',
    signal: { type: 'truncated', cause: new Error('a fault') },
  });
});
