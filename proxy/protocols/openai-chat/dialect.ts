// How servers that speak chat completions differ in what they accept: data that a provider gives to the codec.

/** What one kind of server accepts. */
export interface ChatDialect {
  /** OpenAI's newer models refuse `max_tokens`; most others know nothing else. */
  readonly maxTokensMember: 'max_completion_tokens' | 'max_tokens';
  /** Whether `developer` is a role; where it is not, its messages are the system's. */
  readonly developerRole: boolean;
  /** Where the model's own earlier thinking is given back; nowhere if undefined. */
  readonly thinkingMember: 'reasoning_content' | 'reasoning' | undefined;
  /** Whether calls may have `extra_content`: only Google's own server is known to want it. */
  readonly extraContent?: boolean;
  /** Whether streams report usage only if `stream_options.include_usage` is set. */
  readonly usageOnRequest: boolean;
  /** What members of a request are called here, where OpenAI has another name. */
  readonly renamed?: { readonly [openaiName: string]: string };
  /** The member that names who is asked for. */
  readonly userMember?: 'safety_identifier' | 'user';
  /** What `tool_choice: required` is called. */
  readonly requiredToolChoice?: 'required' | 'any';
  /** Whether ids of tool calls must be nine letters and digits. */
  readonly shortToolIds?: boolean;
  /** Whether results say which tool they are of. */
  readonly namedToolResults?: boolean;
  /**
   * How a model is asked to go on with the beginning of an answer: by a last message of the assistant's that says `prefix`
   * (https://docs.mistral.ai/api/#tag/chat, https://api-docs.deepseek.com/guides/chat_prefix_completion, below `/beta`), by
   * `continue_final_message` (vLLM), or by such a message alone (OpenRouter, Together, llama.cpp). Not at all if undefined.
   */
  readonly prefill?: 'prefix' | 'continue_final_message' | 'last-message';
  /** The beginning is said again by the answer. */
  readonly echoesPrefill?: boolean;
  readonly temperatureMax?: number;
  readonly stopsMax?: number;
  /** What is left out: members of the canonical request, or of a client's own (under their name on the wire). */
  readonly dropped?: ReadonlySet<string>;
  /** What is refused, because the answer would not be what was asked for; each with the reason. */
  readonly refused?: { readonly [parameter: string]: string };
}

/** https://platform.openai.com/docs/api-reference/chat/create */
export const openaiDialect: ChatDialect = {
  maxTokensMember: 'max_completion_tokens',
  developerRole: true,
  thinkingMember: undefined,
  usageOnRequest: true,
  userMember: 'safety_identifier',
  stopsMax: 4,
  dropped: new Set(['topK']),
};

/** What most servers accept that were written after OpenAI's: https://docs.vllm.ai/en/latest/serving/openai_compatible_server/ */
const compatibleDialect: ChatDialect = {
  maxTokensMember: 'max_tokens',
  developerRole: false,
  thinkingMember: 'reasoning',
  extraContent: true,
  usageOnRequest: true,
  userMember: 'user',
  prefill: 'last-message',
};

/** Refuses members that it does not know. https://docs.mistral.ai/api/#tag/chat */
const mistralDialect: ChatDialect = {
  maxTokensMember: 'max_tokens',
  developerRole: false,
  thinkingMember: undefined,
  usageOnRequest: false,
  renamed: { seed: 'random_seed' },
  requiredToolChoice: 'any',
  shortToolIds: true,
  namedToolResults: true,
  prefill: 'prefix',
  echoesPrefill: true,
  temperatureMax: 1.5,
  dropped: new Set([
    'topK',
    'userId',
    'logit_bias',
    'prediction',
    'prompt_cache_key',
    'prompt_cache_options',
    'prompt_cache_retention',
    'reasoningEffort',
    'safety_identifier',
    'service_tier',
    'store',
    'thinking',
    'user',
    'verbosity',
  ]),
  refused: {
    topLogprobs: 'is not supported: this model tells no probabilities.',
    modalities: 'is not supported: this model answers in text.',
    audio: 'is not supported: this model answers in text.',
    web_search_options: 'is not supported: this model does not search.',
  },
};

/** Every dialect that a provider may name. */
export const chatDialects = {
  openai: openaiDialect,
  compatible: compatibleDialect,
  /** https://api-docs.deepseek.com/guides/thinking_mode: the model's thinking has to be given back with its calls. */
  deepseek: { ...compatibleDialect, thinkingMember: 'reasoning_content', extraContent: false, prefill: 'prefix' },
  /** https://docs.vllm.ai/en/latest/serving/openai_compatible_server/#chat-api */
  vllm: { ...compatibleDialect, prefill: 'continue_final_message' },
  mistral: mistralDialect,
} as const satisfies { readonly [name: string]: ChatDialect };

/** The name of a dialect. */
export type ChatDialectName = keyof typeof chatDialects;
