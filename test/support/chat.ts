// Chat completions whose every word says which backend wrote it and for which request, so that an answer made of two
// others, or somebody else's, is recognised.

import { answer, stream, type StreamOptions } from './scripts.ts';
import type { Script, UpstreamRequest } from './upstream.ts';

/** How a marked upstream answers. */
export interface ChatOptions extends StreamOptions {
  /** Frames of content in a stream; words of a whole answer. */
  readonly words?: number;
  /** Before a whole answer. */
  readonly afterMs?: number;
}

const wordsUsual = 5;

/** A request whose only message is its marker. */
export function chatRequest(marker: string, members: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return { model: 'chat', messages: [{ role: 'user', content: marker }], ...members };
}

/** What a marked backend says to a request. */
export function markedText(backend: string, marker: string, words = wordsUsual): string {
  return Array.from({ length: words }, (_, index) => word(backend, marker, index)).join('');
}

function word(backend: string, marker: string, index: number): string {
  return `${backend}~${marker}~${index} `;
}

/** The marker of a request. */
export function markerOf(request: UpstreamRequest): string {
  const { messages } = request.json as { readonly messages?: readonly { readonly content?: unknown }[] };
  return String(messages?.at(-1)?.content);
}

/** Answers chat completions, whole or streamed as asked, in the name of a backend. */
export function chat(backend: string, options: ChatOptions = {}): Script {
  return (exchange) => {
    const { request } = exchange;
    if (request.json['stream'] === true) return stream(chatFrames(backend, request, options), options)(exchange);
    return answer(chatAnswer(backend, request, options.words), { afterMs: options.afterMs ?? 0 })(exchange);
  };
}

/** A whole answer. */
export function chatAnswer(backend: string, request: UpstreamRequest, words = wordsUsual): object {
  const message = { role: 'assistant', content: markedText(backend, markerOf(request), words), refusal: null };
  return {
    id: `chatcmpl-${request.number}`,
    object: 'chat.completion',
    created: 1,
    model: request.json['model'],
    choices: [{ index: 0, message, logprobs: null, finish_reason: 'stop' }],
    usage: chatUsage(words),
  };
}

/** The frames of a streamed answer: role, words, finish, usage if asked for, marker of the end. */
export function chatFrames(backend: string, request: UpstreamRequest, { words = wordsUsual }: ChatOptions): string[] {
  const marker = markerOf(request);
  const options = request.json['stream_options'] as { readonly include_usage?: boolean } | undefined;
  return [
    roleFrame(request),
    ...Array.from({ length: words }, (_, index) => contentFrame(request, word(backend, marker, index))),
    chunkFrame(request, { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }),
    ...(options?.include_usage === true ? [chunkFrame(request, { choices: [], usage: chatUsage(words) })] : []),
    doneFrame,
  ];
}

/** The frame that comes before any content. */
export function roleFrame(request: UpstreamRequest): string {
  const delta = { role: 'assistant', content: '' };
  return chunkFrame(request, { choices: [{ index: 0, delta, finish_reason: null }] });
}

/** One frame of content. */
export function contentFrame(request: UpstreamRequest, content: string): string {
  return chunkFrame(request, { choices: [{ index: 0, delta: { content }, finish_reason: null }] });
}

/** One chunk of a completion as a frame. */
export function chunkFrame(request: UpstreamRequest, members: object): string {
  const { model } = request.json;
  const fixed = { id: `chatcmpl-${request.number}`, object: 'chat.completion.chunk', created: 1, model };
  return `data: ${JSON.stringify({ ...fixed, ...members })}\n\n`;
}

/** The marker of the end. */
export const doneFrame = 'data: [DONE]\n\n';

function chatUsage(words: number): object {
  return { prompt_tokens: 3, completion_tokens: words, total_tokens: words + 3 };
}
