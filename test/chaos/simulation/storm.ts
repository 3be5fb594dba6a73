// What goes wrong in a run: with providers, keys, Redis and its news, processes, and what people do about it.

import type { Fleet } from './fleet.ts';
import type { KeyTruth, Mood } from './providers.ts';
import { reactions } from './reactions.ts';
import { crowd } from './traffic.ts';
import type { ProxyGround } from './sight.ts';
import type { Chance } from './virtual-time.ts';

/** A storm to be planned. */
export interface StormPlan {
  readonly ground: ProxyGround;
  readonly fleet: Fleet;
  readonly chance: Chance;
  readonly forMs: number;
}

type Trouble = (plan: StormPlan) => void;

const moods = Object.keys(reactions).filter((name) => name !== 'an answer' && name !== 'a 400') as Mood[];

/** So many things go wrong in a run, all in all. */
const troublesMin = 10;
const troublesMax = 36;

/** Plans everything that goes wrong. */
export function planStorm(plan: StormPlan): void {
  const { ground, chance, forMs } = plan;
  const count = Math.round(chance.between(troublesMin, troublesMax));
  for (let number = 0; number < count; number += 1) {
    const trouble = chance.one(troubles);
    // Most come in showers: what happens at once is what nobody has thought of.
    const atMs = chance.is(0.6)
      ? chance.one([0.15, 0.4, 0.7]) * forMs + chance.between(0, 15_000)
      : chance.between(0, forMs * 0.9);
    ground.time.after(atMs, () => {
      trouble(plan);
      if (chance.is(0.6)) crowd(plan, chance.between(-100, 1000));
      // When what is disabled now returns.
      if (chance.is(0.4)) crowd(plan, ground.form.disableSeconds * 1000 + chance.between(-200, 600));
    });
  }
}

const illProvider: Trouble = ({ ground: { providers, ledger, time }, chance }) => {
  const provider = chance.one([...providers.values()]);
  const mood = chance.one(moods);
  const share = chance.is(0.6) ? 1 : chance.between(0.1, 0.9);
  const forMs = chance.between(50, 25_000);
  provider.turn(mood, share);
  ledger.say(
    `${provider.name} answers with ${mood}, ${(share * 100).toFixed(0)} % of the time, for ${forMs.toFixed(0)} ms`,
  );
  ledger.count('provider ill');
  time.after(forMs, () => {
    provider.turn('well', 1);
    ledger.say(`${provider.name} is well`);
  });
};

const brokenKey: Trouble = ({ ground: { providers, ledger, time, form }, chance, fleet }) => {
  const provider = providers.get('default/p0');
  if (!form.keyed || provider === undefined) return;
  const secret = chance.one(fleet.secrets());
  const truth = chance.one<KeyTruth>(['revoked', 'poor', 'limited']);
  provider.turnKey(secret, truth);
  ledger.say(`${secret} is ${truth}`);
  ledger.count(`key becomes ${truth}`);
  time.after(chance.between(100, 20_000), () => {
    if (provider.keys.get(secret)?.truth !== truth || !fleet.secrets().includes(secret)) return;
    provider.turnKey(secret, 'good');
    ledger.say(`${secret} is good again`);
  });
};

const changedSecret: Trouble = ({ fleet, chance }) => fleet.turnKey(chance.below(3));

const deadRedis: Trouble = ({ ground: { redis, ledger, time }, chance }) => {
  const empty = chance.is(0.5);
  redis.kill();
  ledger.say('Redis dies');
  ledger.count('Redis dies');
  time.after(chance.between(10, 20_000), () => {
    redis.revive(empty);
    ledger.say(`Redis is back${empty ? ', with nothing in it' : ''}`);
  });
};

const frozenRedis: Trouble = ({ ground: { redis, ledger }, chance }) => {
  const forMs = chance.between(20, 15_000);
  redis.freeze(forMs);
  ledger.say(`Redis stands still for ${forMs.toFixed(0)} ms`);
  ledger.count('Redis stands still');
};

const readOnlyRedis: Trouble = ({ ground: { redis, ledger, time }, chance }) => {
  const { master } = redis;
  redis.setReadOnly(true);
  ledger.say('Redis takes no writes');
  ledger.count('Redis takes no writes');
  time.after(chance.between(100, 10_000), () => {
    if (redis.master === master) redis.setReadOnly(false);
  });
};

const failover: Trouble = ({ ground: { redis, ledger }, chance }) => {
  const lagMs = chance.between(0, 3000);
  const splitMs = chance.between(0, 15_000);
  const dies = chance.is(0.5);
  if (dies) redis.kill();
  redis.failOver(lagMs, splitMs);
  ledger.say(
    `Redis fails over, ${lagMs.toFixed(0)} ms behind; ${dies ? 'the old master is dead' : `split for ${splitMs.toFixed(0)} ms`}`,
  );
  ledger.count('Redis fails over');
};

const lostNews: Trouble = ({ ground: { redis, ledger, time }, chance }) => {
  redis.dropShare = chance.between(0, 1);
  redis.doubleShare = chance.between(0, 0.5);
  redis.latencyMs = chance.one([
    [0.2, 3],
    [0.2, 40],
    [20, 120],
    [100, 400],
  ] as const);
  ledger.say(`news is lost (${(redis.dropShare * 100).toFixed(0)} %) and late (${redis.latencyMs.join(' to ')} ms)`);
  ledger.count('news is lost and late');
  time.after(chance.between(500, 30_000), () => {
    redis.dropShare = 0;
    redis.doubleShare = 0;
    redis.latencyMs = [0.2, 3];
  });
};

const deafProxy: Trouble = ({ ground: { time, ledger }, fleet, chance }) => {
  const proxy = fleet.one();
  const { current } = proxy?.connection ?? { current: undefined };
  if (proxy === undefined || current === undefined) return;
  const how = chance.below(4);
  if (how < 2) current.broken('the network');
  else if (how === 2) current.unsubscribed();
  else current.deafUntilMs = time.nowMs + chance.between(100, 20_000);
  ledger.say(`${proxy.name} loses a connection to Redis`);
  ledger.count('connection lost');
};

const replacedProxy: Trouble = ({ fleet, chance }) => {
  const proxy = fleet.one();
  if (proxy !== undefined) fleet.replace(proxy, chance.is(0.6) ? 'die' : 'end');
};

const stillProxy: Trouble = ({ ground: { ledger }, fleet, chance }) => {
  const proxy = fleet.one();
  if (proxy === undefined) return;
  const forMs = chance.is(0.7) ? chance.between(20, 500) : chance.between(500, 6000);
  proxy.standStill(forMs);
  ledger.say(`${proxy.name} stands still for ${forMs.toFixed(0)} ms`);
  ledger.count('proxy stands still');
};

const person: Trouble = ({ ground: { ledger, leaves, time }, fleet, chance }) => {
  const proxy = fleet.one();
  if (proxy === undefined) return;
  const { id } = chance.one(leaves);
  const forMs = chance.is(0.5) ? Math.floor(chance.between(500, 30_000)) : undefined;
  ledger.say(`a person switches ${id} off at ${proxy.name}`);
  ledger.count('person');
  proxy.gate(() => proxy.admin.disableBackend(id, forMs));
  // Whoever switches off for ever switches on again, mostly; maybe somewhere else.
  if (!chance.is(0.9)) return;
  time.after(chance.between(1, 20_000), () => {
    const other = fleet.one();
    if (other === undefined) return;
    ledger.say(`a person switches ${id} on at ${other.name}`);
    other.gate(() => other.admin.enableBackend(id));
  });
};

/** Those that concern what is decided most are there more than once. */
const troubles: readonly Trouble[] = [
  illProvider,
  illProvider,
  illProvider,
  illProvider,
  illProvider,
  illProvider,
  brokenKey,
  brokenKey,
  changedSecret,
  deadRedis,
  frozenRedis,
  readOnlyRedis,
  failover,
  failover,
  lostNews,
  lostNews,
  deafProxy,
  replacedProxy,
  replacedProxy,
  stillProxy,
  person,
  person,
  person,
];
