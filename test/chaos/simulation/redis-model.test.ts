// The model of Redis against a real server: the same commands, the same answers.

import { isDeepStrictEqual } from 'node:util';
import { expect, test } from 'vitest';
import type { RedisCommand } from '../../../proxy/state/redis-connection.ts';
import { createRedisKeys } from '../../../proxy/state/redis-keys.ts';
import { leaseScript, releaseScript } from '../../../proxy/state/redis-lease-scripts.ts';
import { leaveScript } from '../../../proxy/state/redis-scripts.ts';
import { toCommand, toReadCommand } from '../../../proxy/state/redis-wire.ts';
import { foreverMs, type SharedNews } from '../../../proxy/state/store.ts';
import { startRedis } from '../../support/redis.ts';
import { requires } from '../../support/requires.ts';
import { sized } from '../scale.ts';
import { RedisData, runScript } from './redis-model.ts';
import { Chance } from './virtual-time.ts';

const program = await requires('redis-server');
const commands = sized({ usual: 3000, full: 100_000 });
const keys = createRedisKeys('default');
const targets = ['backend:a/b/c', 'backend:a/b/c#m', 'key:a/k'];

program.describe('the model of Redis', () => {
  test(`answers ${commands} commands like a real server`, async () => {
    await using redis = await startRedis(program.path);
    const chance = new Chance(5);
    let data = new RedisData();
    const outcomes = new Set<string>();
    let generation = 0;
    let readOnly = false;
    for (let number = 0; number < commands; number += 1) {
      if (chance.is(0.02)) {
        readOnly = !readOnly;
        // A replica of nowhere takes no writes, and keeps what it has.
        await redis.admin.call('REPLICAOF', ...(readOnly ? ['127.0.0.1', '1'] : ['NO', 'ONE']));
      }
      const command = drawCommand();
      const sentMs = Date.now();
      const real = await evaluate(command);
      const times = timesOf(real, sentMs);
      const models = times.map((nowMs) => modelled(data, command, nowMs, readOnly));
      const right = models.find(({ text }) => isDeepStrictEqual(text, toText(real))) ?? models[0];
      expect(right?.text, JSON.stringify({ number, command: command.args })).toEqual(toText(real));
      if (right !== undefined) data = right.data;
      if (Array.isArray(real)) outcomes.add(real.length === 2 ? String(real[1]) : 'page');
    }
    // Each way through the scripts was taken, or nothing was shown.
    expect([...outcomes].sort()).toEqual(['known', 'late', 'over', 'page', 'stored', 'void']);

    function drawCommand(): RedisCommand {
      const now = Date.now();
      const proxyId = chance.one(['p1', 'p2']);
      if (chance.is(0.3)) return toReadCommand(keys, { after: String(chance.below(data.revision + 2)), proxyId });
      if (chance.is(0.05)) return { script: leaveScript, keys: [keys.proxies], args: [proxyId] };
      if (chance.is(0.1)) return drawLease(now);
      // A clock that was set or a frozen server makes a command late.
      return toCommand(keys, drawNews(now), now, chance.is(0.03) ? now - 6000 : now);
    }

    function drawLease(now: number): RedisCommand {
      const names = chance.is(0.5) ? ['a'] : ['b', 'a', 'c'];
      const token = `t${chance.below(3)}`;
      if (chance.is(0.3))
        return { script: releaseScript, keys: names.map((name) => keys.lease(name)), args: names.map(() => token) };
      const sent = chance.is(0.1) ? now - 30 : now;
      return {
        script: leaseScript,
        keys: names.map((name) => keys.lease(name)),
        args: [token, String(chance.below(40)), String(sent)],
      };
    }

    function drawNews(now: number): SharedNews {
      const target = chance.one(targets);
      if (chance.is(0.2)) {
        generation = Math.max(generation + chance.below(3), chance.is(0.05) ? 0 : now);
        return { type: 'clear', clear: { target, generation: chance.is(0.1) ? generation - 2 : generation } };
      }
      const untilMs = chance.is(0.1) ? foreverMs : now + Math.floor(chance.between(-5, 60));
      const known = chance.is(0.8) ? generation : Math.max(0, generation - 1);
      const id = `e${chance.below(200)}`;
      const entry = { id, target, hard: chance.is(0.3), reason: 'ServerError', sinceMs: now - 7, untilMs } as const;
      return { type: 'disable', entry: { ...entry, by: 'p1', generation: known } };
    }

    async function evaluate({ script, keys: names, args }: RedisCommand): Promise<unknown> {
      try {
        return await redis.admin.eval(script.lua, names.length, ...names, ...args);
      } catch (error) {
        return error;
      }
    }
  });
});

/**
 * When the server can have executed a command. It says so itself, but expires keys a millisecond earlier or later, for the
 * one who asks or by itself; a refusal says nothing.
 */
function timesOf(real: unknown, sentMs: number): readonly number[] {
  if (Array.isArray(real)) return [0, -1, 1].map((offset) => Number(real[0]) + offset);
  return Array.from({ length: Date.now() - sentMs + 2 }, (_, offset) => sentMs + offset);
}

function modelled(before: RedisData, command: RedisCommand, nowMs: number, readOnly: boolean) {
  const data = before.clone();
  try {
    const { reply } = runScript(data, command, nowMs, readOnly);
    return { data, text: toText(reply) };
  } catch (error) {
    return { data, text: toText(error) };
  }
}

/** Errors by their first word: what follows is for people. */
function toText(reply: unknown): unknown {
  if (reply instanceof Error) return reply.message.split(' ')[0];
  if (!Array.isArray(reply)) return String(reply);
  // The time is judged by what follows from it.
  return reply.slice(1).map((field) => String(field).replace(/^(READONLY).*/, '$1'));
}
