// What decides inside Redis who has a lease. All times are Redis' own; a script that is executed twice, or late, gives
// away nothing that was not asked for.

import { script, timePrelude } from './redis-scripts.ts';

/**
 * Gives the first of some leases that is free, or already the holder's, to the holder.
 * KEYS the leases. ARGV token, milliseconds it is to last, when it was sent by Redis' clock.
 * Reply: which one (from 1), 0 if others have them all, -1 if it came when its time was over.
 */
export const leaseScript = script(`${timePrelude}
local left = ARGV[2] - math.max(0, now - ARGV[3])
if left < 1 then return -1 end
for place, key in ipairs(KEYS) do
  local holder = redis.pcall('GET', key)
  if not holder or holder == ARGV[1] or type(holder) == 'table' then
    redis.call('SET', key, ARGV[1], 'PX', text(left))
    return place
  end
end
return 0
`);

/** Takes leases from their holders, unless others have them by now. KEYS the leases. ARGV the token of each. */
export const releaseScript = script(`
for place, key in ipairs(KEYS) do
  if redis.pcall('GET', key) == ARGV[place] then redis.call('DEL', key) end
end
return 0
`);
