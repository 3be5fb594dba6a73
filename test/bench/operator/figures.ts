// Figures as people read them: percentiles, sizes, times.

/** The figure that this share of all is not above; NaN if there are none. */
export function percentile(figures: readonly number[], share: number): number {
  const sorted = [...figures].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

/** `p50 / p90 / p99 / max` as cells of a table. */
export function spreadCells(figures: readonly number[]): readonly string[] {
  return [percentile(figures, 0.5), percentile(figures, 0.9), percentile(figures, 0.99), Math.max(...figures)].map(
    (figure) => (Number.isFinite(figure) ? figure.toFixed(0) : '–'),
  );
}

/** Bytes in units that can be compared at a glance. */
export function bytes(count: number): string {
  if (count < 10_000) return `${count} B`;
  return count < 1_000_000 ? `${(count / 1024).toFixed(0)} KiB` : `${(count / 1024 / 1024).toFixed(1)} MiB`;
}

/** Milliseconds; seconds where there are many. */
export function duration(ms: number): string {
  return ms < 10_000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
