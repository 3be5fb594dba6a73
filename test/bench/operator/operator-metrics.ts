// What the operator counts of itself: requests to the API server, and how long its runs took.

/** Figures of one moment, by series. */
export type Scrape = ReadonlyMap<string, number>;

/** Reads `/metrics` of an operator. */
export async function scrape(admin: string): Promise<Scrape> {
  const text = await (await fetch(`http://${admin}/metrics`)).text();
  const series = new Map<string, number>();
  for (const line of text.split('\n')) {
    const space = line.lastIndexOf(' ');
    if (space > 0 && !line.startsWith('#')) series.set(line.slice(0, space), Number(line.slice(space + 1)));
  }
  return series;
}

/** Requests between two moments, by `METHOD CODE`; those of which there were none are left out. */
export function requestsBetween(before: Scrape, after: Scrape): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const [series, count] of after) {
    const [, code, method] = /^rest_client_requests_total\{code="([^"]*)",method="([^"]*)"/.exec(series) ?? [];
    const more = count - (before.get(series) ?? 0);
    if (code !== undefined && more > 0) counts.set(`${method} ${code}`, more);
  }
  return counts;
}

/** Runs of a controller between two moments: how many, and how long they took in all. */
export function runsBetween(
  before: Scrape,
  after: Scrape,
  controller: string,
): { readonly runs: number; readonly ms: number } {
  const more = (part: string): number => {
    const series = `controller_runtime_reconcile_time_seconds_${part}{controller="${controller}"}`;
    return (after.get(series) ?? 0) - (before.get(series) ?? 0);
  };
  return { runs: more('count'), ms: more('sum') * 1000 };
}
