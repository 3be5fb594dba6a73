// Every vendor's way to speak that there is a codec for, or that is passed on. Those that share one with another stand for
// it: OpenAICompatible for VLLM, Groq, OpenRouter and the like.

import { anthropicVendor, vertexClaudeVendor } from './anthropic.ts';
import { bedrockVendor } from './bedrock.ts';
import { chatCompletions } from './chat-completions.ts';
import { cohereVendor } from './cohere.ts';
import { geminiVendor, vertexVendor } from './gemini.ts';
import { ollamaVendor } from './ollama.ts';
import { hearResponses, isResponses, responseFault, responseFrames, wholeResponse } from './responses.ts';
import type { Vendor } from './vendor.ts';

const chat = chatCompletions({ thinking: 'nowhere', idPattern: /^.{1,40}$/ });

/** Thinks without showing it in chats; shows a summary in responses. */
const openaiVendor: Vendor = {
  name: 'OpenAI',
  type: 'OpenAI',
  model: 'gpt-5',
  ...chat,
  whole: (what, request) => (isResponses(request) ? wholeResponse : chat.whole)(what, request),
  frames: (what, request) => (isResponses(request) ? responseFrames : chat.frames)(what, request),
  fault: (message, request) => (isResponses(request) ? responseFault(message) : chat.fault!(message, request)),
  hear: (request) => (isResponses(request) ? hearResponses : chat.hear)(request),
};

const mistralMembers =
  'model messages stream tools tool_choice parallel_tool_calls max_tokens temperature top_p stop random_seed response_format presence_penalty frequency_penalty n safe_prompt'.split(
    ' ',
  );

/** All of them. */
export const vendors: readonly Vendor[] = [
  openaiVendor,
  { ...openaiVendor, name: 'AzureOpenAI', type: 'AzureOpenAI', basePath: '/openai/v1' },
  { name: 'OpenAICompatible', type: 'OpenAICompatible', model: 'qwen3', ...chatCompletions({ thinking: 'reasoning' }) },
  {
    name: 'DeepSeek',
    type: 'DeepSeek',
    model: 'deepseek-reasoner',
    ...chatCompletions({ thinking: 'reasoning_content' }),
  },
  {
    name: 'Mistral',
    type: 'Mistral',
    model: 'magistral-medium',
    ...chatCompletions({
      thinking: 'content',
      usageBesideChoices: true,
      wholeCalls: true,
      idPattern: /^[a-zA-Z0-9]{9}$/,
      members: mistralMembers,
    }),
    hearsThinking: false,
  },
  anthropicVendor,
  ollamaVendor,
  geminiVendor,
  vertexVendor,
  vertexClaudeVendor,
  bedrockVendor,
  cohereVendor,
];
