// Token counts as every protocol reports them, in one form.

/** Tokens of one answer, as the upstream counted them; absent where it did not say. */
export interface Usage {
  /** All of the input, whatever became of it in a cache. */
  readonly inputTokens: number;
  /** All of the output, reasoning included. */
  readonly outputTokens: number;
  /** Part of the input that came from a prompt cache. */
  readonly cachedTokens?: number;
  /** Part of the input that was written to a prompt cache. */
  readonly cacheWriteTokens?: number;
  /** Part of the output that was reasoning. */
  readonly reasoningTokens?: number;
  /** Counted here, because the upstream did not. */
  readonly estimated?: boolean;
}

/** What two answers have used together. */
export function addUsage(one: Usage, other: Usage): Usage {
  const sum = (name: 'cachedTokens' | 'cacheWriteTokens' | 'reasoningTokens'): Partial<Usage> => {
    const given = one[name] !== undefined || other[name] !== undefined;
    return given ? { [name]: (one[name] ?? 0) + (other[name] ?? 0) } : {};
  };
  return {
    inputTokens: one.inputTokens + other.inputTokens,
    outputTokens: one.outputTokens + other.outputTokens,
    ...sum('cachedTokens'),
    ...sum('cacheWriteTokens'),
    ...sum('reasoningTokens'),
    ...((one.estimated === true || other.estimated === true) && { estimated: true }),
  };
}
