// What runs inside Redis: the only code that decides there. All times are Redis' own (`TIME`), so that the proxies'
// clocks do not matter; every script may be repeated without harm, for a command that timed out may have been executed.

import { createHash } from 'node:crypto';
import { rememberMs } from './target-record.ts';
import { foreverMs } from './store.ts';

/** A script and the digest that Redis knows it by. */
export interface RedisScript {
  readonly lua: string;
  readonly digest: string;
}

/**
 * A disable that only a person ends stays this long without any proxy alive: longer than any outage, and yet an
 * installation that was removed leaves nothing behind. Living proxies renew it.
 */
const keepMs = 30 * 24 * 60 * 60 * 1000;
/** Records with more than this to go are renewed when they are read. */
const renewMs = keepMs - 24 * 60 * 60 * 1000;
/** The bookkeeping outlives the records it keeps. */
const keepLogMs = keepMs + 24 * 60 * 60 * 1000;
/** A command that reaches Redis later than this was not meant for now (frozen server, clock that was set). */
const lateMs = 5000;
/** Records kept at most: both kinds of disable, and a clear, of as many targets as a proxy keeps. */
const recordsMax = 300_000;

/** Redis' time in milliseconds, `now`; and whole numbers as text, because Lua would round them to 14 digits. */
export const timePrelude = `
local function text(number) return string.format('%.0f', number) end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/**
 * Signs of life, and what changed after a revision, at most so many records at once.
 * KEYS log, index, proxies. ARGV after, records, proxy, stale ms, record prefix.
 * Reply: now, epoch, revision, why writing fails or '', living proxies, last revision read, then 7 fields per record.
 */
export const readScript = script(`${timePrelude}
local refused = ''
local beat = redis.pcall('ZADD', KEYS[3], text(now), ARGV[3])
if type(beat) == 'table' and beat.err then refused = beat.err end
local epoch = redis.call('HGET', KEYS[1], 'epoch') or ''
if refused == '' then
  redis.pcall('ZREMRANGEBYSCORE', KEYS[3], '-inf', text(now - ARGV[4]))
  if epoch == '' then
    epoch = text(now) .. ':' .. ARGV[3]
    local set = redis.pcall('HSET', KEYS[1], 'epoch', epoch)
    if type(set) == 'table' and set.err then refused = set.err end
  end
  if ARGV[1] == '0' then
    for _, key in ipairs(KEYS) do redis.pcall('PEXPIRE', key, '${keepLogMs}') end
  end
end
local found = redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. ARGV[1], '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[2])
local last = ARGV[1]
local reply = {}
for i = 1, #found, 2 do
  local key = ARGV[5] .. found[i]
  last = found[i + 1]
  local fields = redis.pcall('HMGET', key, 'generation', 'until', 'since', 'id', 'by', 'reason')
  if not fields.err then
    if fields[1] then
      table.insert(reply, found[i])
      for field = 1, 6 do table.insert(reply, fields[field] or '') end
      local ends = tonumber(fields[2])
      if ends and ends - now > ${renewMs} and refused == '' then
        redis.pcall('PEXPIREAT', key, text(math.min(ends, now + ${keepMs})))
      end
    elseif refused == '' then
      redis.pcall('ZREM', KEYS[2], found[i])
    end
  end
end
local revision = redis.call('HGET', KEYS[1], 'revision') or '0'
local proxies = redis.call('ZCOUNT', KEYS[3], text(now - ARGV[4]), '+inf')
local head = {text(now), epoch, revision, refused, proxies, last, #found / 2}
for i = 1, #reply do head[7 + i] = reply[i] end
return head
`);

/**
 * Records a disable, unless what is there is the same, outlasts it, or is a newer clear.
 * KEYS record, clear record, log, index.
 * ARGV name, remaining ms or 'forever', age ms, generation, id, by, reason, channel, when it was sent by this clock.
 * Reply: now, outcome.
 */
export const shareScript = script(`${timePrelude}
local delay = math.max(0, now - ARGV[9])
if delay > ${lateMs} then return {text(now), 'late'} end
local generation = tonumber(ARGV[4])
local cleared = tonumber(redis.call('HGET', KEYS[2], 'generation') or '0')
if generation < cleared then return {text(now), 'void'} end
local ends = ${foreverMs}
if ARGV[2] ~= 'forever' then ends = now + ARGV[2] - delay end
if ends <= now then return {text(now), 'over'} end
local held = redis.call('HMGET', KEYS[1], 'generation', 'until', 'id')
if held[1] then
  if held[3] == ARGV[5] then return {text(now), 'known'} end
  local heldGeneration, heldUntil = tonumber(held[1]), tonumber(held[2])
  if heldGeneration > generation then return {text(now), 'known'} end
  if heldGeneration == generation and (heldUntil > ends or (heldUntil == ends and held[3] > ARGV[5])) then
    return {text(now), 'known'}
  end
elseif redis.call('ZCARD', KEYS[4]) >= ${recordsMax} then
  return {text(now), 'full'}
end
local revision = redis.call('HINCRBY', KEYS[3], 'revision', 1)
redis.call('HSET', KEYS[1], 'generation', ARGV[4], 'until', text(ends), 'since', text(now - delay - ARGV[3]),
  'id', ARGV[5], 'by', ARGV[6], 'reason', ARGV[7])
redis.call('PEXPIREAT', KEYS[1], text(math.min(ends, now + ${keepMs})))
redis.call('ZADD', KEYS[4], text(revision), ARGV[1])
redis.pcall('PUBLISH', ARGV[8], text(revision))
return {text(now), 'stored'}
`);

/**
 * Records a clear and drops what it voids.
 * KEYS clear record, hard record, soft record, log, index. ARGV generation, their three names, channel. Reply: now, outcome.
 */
export const clearScript = script(`${timePrelude}
local generation = tonumber(ARGV[1])
if generation + ${rememberMs} <= now then return {text(now), 'over'} end
local held = redis.call('HGET', KEYS[1], 'generation')
if held and tonumber(held) >= generation then return {text(now), 'known'} end
if not held and redis.call('ZCARD', KEYS[5]) >= ${recordsMax} then return {text(now), 'full'} end
local revision = redis.call('HINCRBY', KEYS[4], 'revision', 1)
for i = 2, 3 do
  local voided = redis.call('HGET', KEYS[i], 'generation')
  if voided and tonumber(voided) < generation then
    redis.call('DEL', KEYS[i])
    redis.call('ZREM', KEYS[5], ARGV[i + 1])
  end
end
redis.call('HSET', KEYS[1], 'generation', ARGV[1])
redis.call('PEXPIREAT', KEYS[1], text(generation + ${rememberMs}))
redis.call('ZADD', KEYS[5], text(revision), ARGV[2])
redis.pcall('PUBLISH', ARGV[5], text(revision))
return {text(now), 'stored'}
`);

/** Takes a proxy off the list of the living. KEYS proxies. ARGV proxy. */
export const leaveScript = script(`return redis.call('ZREM', KEYS[1], ARGV[1])`);

/** A script, known by its digest. */
export function script(lua: string): RedisScript {
  return { lua, digest: createHash('sha1').update(lua).digest('hex') };
}
