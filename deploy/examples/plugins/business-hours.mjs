// A plugin of the strategy Plugin (proxy/README.md, Plugins): at night, when nobody waits, the cheapest backend first; by
// day the one that answers soonest; and clients with the label tier=gold always the latter.

/**
 * @param {{stream: boolean, client?: {labels: Record<string, string>}}} request
 * @param {readonly {name: string, enabled: boolean, price?: {outputPerMillion?: number}, firstContentMs?: number}[]} candidates
 * @returns {readonly string[]} names of candidates, the one to ask first in front
 */
export function order(request, candidates) {
  const hour = new Date().getUTCHours();
  const isDay = hour >= 6 && hour < 20;
  const isGold = request.client?.labels.tier === 'gold';
  const rank = isDay || isGold ? soonest : cheapest;
  return candidates
    .filter(({ enabled }) => enabled)
    .toSorted((a, b) => rank(a) - rank(b))
    .map(({ name }) => name);
}

/** One that was never measured is worth a try. */
function soonest({ firstContentMs = 0 }) {
  return firstContentMs;
}

/** One without a price comes last. */
function cheapest({ price }) {
  return price?.outputPerMillion ?? Infinity;
}
