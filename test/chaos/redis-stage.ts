// Scripted upstreams, one Redis and several gateway processes between which nothing is shared but that Redis.

import { makeFolder } from '../deploy/folder.ts';
import { chat, chatRequest } from '../support/chat.ts';
import { ask, type PlainAnswer } from '../support/client.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { answer } from '../support/scripts.ts';
import { type ScriptedUpstream, startUpstream } from '../support/upstream.ts';
import { chaosManifest, type Spare, spares } from './redis-manifest.ts';
import { type Member, startMember } from './redis-processes.ts';

/** Everything that a test of several gateways plays with. */
export interface ChaosStage extends AsyncDisposable {
  readonly redis: TestRedis;
  readonly upstreams: { readonly good: ScriptedUpstream; readonly other: ScriptedUpstream };
  /** Answers 503 to everything, and notes when. */
  readonly flaky: ScriptedUpstream;
  /** By `performance.now()`: when the flaky upstream last failed. */
  failedAtMs(): number;
  readonly members: Member[];
  /** Starts one more gateway. */
  join(flags?: readonly string[]): Promise<Member>;
  /** Starts one more gateway, without waiting for anything. */
  begin(flags?: readonly string[]): Promise<Member>;
  /** A backend that nobody has used. */
  spare(): Spare;
}

/** How long an answer takes, and in how many pieces it comes. */
export interface AnswerPace {
  readonly words?: number;
  readonly gapMs?: number;
}

/** Starts upstreams, Redis and gateways. `urlOf` says how the gateways reach Redis, if not directly. */
export async function openChaosStage(
  redisPath: string,
  count: number,
  pace: AnswerPace = {},
  urlOf: (redis: TestRedis) => string | Promise<string> = ({ url }) => url,
): Promise<ChaosStage> {
  let failedAtMs = 0;
  const failing = answer({ error: { message: 'out of order', type: 'server_error' } }, { status: 503 });
  const upstreams = { good: await startUpstream(chat('good', pace)), other: await startUpstream(chat('other', pace)) };
  const flaky = await startUpstream(async (exchange) => {
    await failing(exchange);
    failedAtMs = performance.now();
  });
  const redis = await startRedis(redisPath);
  const redisURL = await urlOf(redis);
  const manifest = chaosManifest({
    good: upstreams.good.baseURL,
    other: upstreams.other.baseURL,
    flaky: flaky.baseURL,
  });
  const folder = makeFolder({ 'gateway.yaml': manifest });
  const members: Member[] = [];
  let begun = 0;
  let sparesTaken = 0;
  const begin = (flags: readonly string[] = []): Promise<Member> =>
    startMember({ name: `g${++begun}`, file: folder.path, redisURL, flags });
  const join = async (flags?: readonly string[]): Promise<Member> => {
    const member = await begin(flags);
    members.push(member);
    return member;
  };
  await Promise.all(Array.from({ length: count }, () => join()));
  return {
    redis,
    upstreams,
    flaky,
    failedAtMs: () => failedAtMs,
    members,
    join,
    begin,
    spare() {
      const spare = spares[sparesTaken++];
      if (spare === undefined) throw new Error('no spare backend is left');
      return spare;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(members.map((member) => member[Symbol.asyncDispose]()));
      await redis.stop();
      await Promise.all([flaky, upstreams.good, upstreams.other].map((upstream) => upstream.refuse()));
      folder[Symbol.dispose]();
    },
  };
}

let asked = 0;

/** Sends one chat completion that no other equals. */
export function askOnce({ url }: Pick<Member, 'url'>, path: string): Promise<PlainAnswer> {
  return ask(`${url}${path}`, { body: chatRequest(`once-${++asked}`) });
}
