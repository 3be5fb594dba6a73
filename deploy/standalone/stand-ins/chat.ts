// `/v1/chat/completions` of a stand-in. https://platform.openai.com/docs/api-reference/chat

import {
  type Answer,
  type AnswerContext,
  countTokens,
  frame,
  isObject,
  type JsonObject,
  refuse,
  textOf,
  write,
} from './answer.ts';
import { callTool, type ToolCall } from './tool-call.ts';

/** Answers with a text, or with a tool call where the client insists on one or asks for the tool by name. */
export function answerChat(request: JsonObject, context: AnswerContext): Answer {
  const messages = Array.isArray(request['messages']) ? request['messages'].filter(isObject) : [];
  if (messages.length === 0) return refuse(400, 'invalid_request_error', 'messages must hold at least one message');
  const last = messages.at(-1);
  const question = textOf(last?.['content']);
  const call = last?.['role'] === 'user' ? callTool(request, question, context.id) : undefined;
  const { pieces, cut } = write(context.name, question, request['max_completion_tokens'] ?? request['max_tokens']);
  const prompt = countTokens(messages.map(({ content }) => textOf(content)).join(' '));
  const completion = call === undefined ? pieces.length : countTokens(call.function.arguments);
  const usage = { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
  const reason = cut ? 'length' : 'stop';
  const content = { pieces, call, usage, finish: call === undefined ? reason : 'tool_calls' };
  return request['stream'] === true ? streamed(request, context, content) : whole(request, context, content);
}

interface Content {
  readonly pieces: readonly string[];
  readonly call: ToolCall | undefined;
  readonly usage: JsonObject;
  readonly finish: string;
}

function whole(request: JsonObject, context: AnswerContext, { pieces, call, usage, finish }: Content): Answer {
  const message =
    call === undefined
      ? { role: 'assistant', content: pieces.join('').trimEnd(), refusal: null }
      : { role: 'assistant', content: null, refusal: null, tool_calls: [call] };
  const choices = [{ index: 0, message, logprobs: null, finish_reason: finish }];
  return { type: 'json', status: 200, body: { ...head(request, context, 'chat.completion'), choices, usage } };
}

function streamed(request: JsonObject, context: AnswerContext, { pieces, call, usage, finish }: Content): Answer {
  const withUsage = isObject(request['stream_options']) && request['stream_options']['include_usage'] === true;
  const shared = { ...head(request, context, 'chat.completion.chunk'), ...(withUsage ? { usage: null } : {}) };
  const chunk = (delta: JsonObject, reason: string | null): string =>
    frame({ ...shared, choices: [{ index: 0, delta, logprobs: null, finish_reason: reason }] });
  const deltas: readonly JsonObject[] =
    call === undefined ? pieces.map((piece) => ({ content: piece })) : [{ tool_calls: [{ index: 0, ...call }] }];
  return {
    type: 'stream',
    frames: [
      chunk({ role: 'assistant', content: call === undefined ? '' : null }, null),
      ...deltas.map((delta) => chunk(delta, null)),
      chunk({}, finish),
      ...(withUsage ? [frame({ ...shared, choices: [], usage })] : []),
      'data: [DONE]\n\n',
    ],
  };
}

function head(request: JsonObject, { name, id, createdAt }: AnswerContext, object: string): JsonObject {
  const model = typeof request['model'] === 'string' ? request['model'] : name;
  return { id: `chatcmpl-${id}`, object, created: createdAt, model, system_fingerprint: `stand-in-${name}` };
}
