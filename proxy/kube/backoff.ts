// How long to wait before a watch is tried again. Thousands of proxies lose an API server in the same moment: chance keeps
// them from coming back in the same moment.

/** One slip is over soon. */
const firstMs = 200;
/** An API server that is gone for long is asked twice a minute by each proxy, no more. */
const longestMs = 30_000;
/** Whatever a server asks for: a header must not silence a proxy for good. */
const retryAfterMaxMs = 120_000;

/** After this many failures in a row (at least one). Never sooner than the server asks, where it does. */
export function backoffMs(
  failures: number,
  { retryAfterMs = 0, random }: { readonly retryAfterMs?: number | undefined; readonly random: () => number },
): number {
  const wholeMs = Math.min(firstMs * 2 ** (failures - 1), longestMs);
  const backMs = wholeMs * (0.5 + random() / 2);
  // All who were turned away were told the same: spread them after that moment.
  return retryAfterMs === 0 ? backMs : Math.min(retryAfterMs, retryAfterMaxMs) + backMs;
}
