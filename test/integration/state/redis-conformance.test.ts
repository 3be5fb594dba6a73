import { afterAll, beforeAll } from 'vitest';
import type { Fleet } from '../../support/joined-fleet.ts';
import { describeLeases } from '../../support/lease-conformance.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { requires } from '../../support/requires.ts';
import { describeStore } from '../../support/state-conformance.ts';
import { createProxy } from './redis-fleet.ts';

const program = await requires('redis-server');

program.describe('with a real server', () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await startRedis(program.path);
  });
  afterAll(() => redis.stop());

  async function open(): Promise<Fleet> {
    await redis.admin.flushall();
    return { create: (proxyId) => createProxy({ url: redis.url, proxyId }), close: async () => {} };
  }

  describeStore('the Redis store', open);
  describeLeases('leases in Redis', open);
});
