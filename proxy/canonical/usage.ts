// Token counts as every protocol reports them, in one form.

/** Tokens of one answer, as the upstream counted them; absent where it did not say. */
export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Part of the input that came from a prompt cache. */
  readonly cachedTokens?: number;
  /** Part of the output that was reasoning. */
  readonly reasoningTokens?: number;
}
