// What label values may be: closed sets only, so that no client and no upstream can make series.

/** Statuses that tell on-call something of their own; any other becomes its class. */
const namedStatuses: readonly number[] = [
  200, 400, 401, 403, 404, 405, 408, 409, 413, 415, 422, 429, 499, 500, 502, 503, 504, 529,
];

const statusLabels: readonly string[] = Array.from({ length: 600 }, (_, status) =>
  namedStatuses.includes(status) ? String(status) : status >= 100 ? `${Math.floor(status / 100)}xx` : 'none',
);

/** A status as a label: itself if it is one that matters, else its class; `none` if nothing was answered. */
export function statusLabel(status: number | undefined): string {
  return statusLabels[status ?? 0] ?? 'none';
}

const protocolLabels: ReadonlySet<string> = new Set([
  'openai-chat',
  'openai-completions',
  'openai-responses',
  'openai-embeddings',
  'anthropic-messages',
  'anthropic-count-tokens',
  'ollama-chat',
  'ollama-generate',
  'ollama-embed',
  'ollama-embeddings',
  'relay',
]);

/** A protocol as a label; `none` for a request that was refused before its protocol was known. */
export function protocolLabel(protocol: string | undefined): string {
  if (protocol === undefined) return 'none';
  return protocolLabels.has(protocol) ? protocol : 'other';
}

/** Seconds: from a refusal, which takes milliseconds, to an answer that takes the longest default timeout. */
export const durationBounds: readonly number[] = [
  0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 300, 600,
];

/** Seconds until somebody sees something: finer where people notice the difference, up to the default timeout. */
export const firstContentBounds: readonly number[] = [
  0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2.5, 5, 10, 20, 30, 60,
];
