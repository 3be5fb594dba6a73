// How servers that speak chat completions differ in what they accept: data that a provider gives to the codec.

/** What one kind of server accepts. */
export interface ChatDialect {
  /** OpenAI's newer models refuse `max_tokens`; most others know nothing else. */
  readonly maxTokensMember: 'max_completion_tokens' | 'max_tokens';
  /** Whether `developer` is a role; where it is not, its messages are the system's. */
  readonly developerRole: boolean;
  /** Where the model's own earlier thinking is given back; nowhere if undefined. */
  readonly thinkingMember: 'reasoning_content' | 'reasoning' | undefined;
  /** Whether streams report usage only if `stream_options.include_usage` is set. */
  readonly usageOnRequest: boolean;
}

/** OpenAI itself. */
export const openaiDialect: ChatDialect = {
  maxTokensMember: 'max_completion_tokens',
  developerRole: true,
  thinkingMember: undefined,
  usageOnRequest: true,
};
