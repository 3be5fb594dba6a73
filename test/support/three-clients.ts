// A chat in each of the three vendors' protocols, as bytes: what is common to all of them is asked of all of them.

import { createParser } from 'eventsource-parser';
import { ask, type PlainAnswer } from './client.ts';

/** One vendor's way to ask for a chat, and to read what comes. */
export interface ChatFace {
  readonly name: 'openai' | 'anthropic' | 'ollama';
  readonly path: string;
  readonly streamType: string;
  body(text: string, stream: boolean): object;
  /** The text of a streamed answer. */
  textOf(answer: PlainAnswer): string;
  /** The message of an error, which is in the vendor's own form. */
  errorOf(answer: PlainAnswer): string;
}

const messages = (content: string): object[] => [{ role: 'user', content }];

/** All of them. The model is that of the route `chat`. */
export const faces: readonly ChatFace[] = [
  {
    name: 'openai',
    path: '/v1/chat/completions',
    streamType: 'text/event-stream',
    body: (text, stream) => ({ model: 'chat', messages: messages(text), stream }),
    textOf: ({ text }) =>
      eventsOf(text)
        .filter((data) => data !== '[DONE]')
        .map((data) => JSON.parse(data) as { choices: { delta: { content?: string } }[] })
        .map(({ choices }) => choices[0]?.delta.content ?? '')
        .join(''),
    errorOf: ({ text }) => (JSON.parse(text) as { error: { message: string; type: string } }).error.message,
  },
  {
    name: 'anthropic',
    path: '/v1/messages',
    streamType: 'text/event-stream',
    body: (text, stream) => ({ model: 'chat', max_tokens: 100, messages: messages(text), stream }),
    textOf: ({ text }) =>
      eventsOf(text)
        .map((data) => JSON.parse(data) as { delta?: { text?: string } })
        .map(({ delta }) => delta?.text ?? '')
        .join(''),
    errorOf({ text }) {
      const { type, error } = JSON.parse(text) as { type: string; error: { message: string } };
      return type === 'error' ? error.message : '';
    },
  },
  {
    name: 'ollama',
    path: '/api/chat',
    streamType: 'application/x-ndjson',
    body: (text, stream) => ({ model: 'chat', messages: messages(text), stream }),
    textOf: ({ text }) =>
      text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => (JSON.parse(line) as { message?: { content: string } }).message?.content ?? '')
        .join(''),
    errorOf: ({ text }) => (JSON.parse(text) as { error: string }).error,
  },
];

/** The data of the events, as any client reads them. */
function eventsOf(text: string): string[] {
  const events: string[] = [];
  const parser = createParser({ onEvent: ({ data }) => events.push(data) });
  parser.feed(`${text}\n\n`);
  return events;
}

/** Asks as a client of that vendor's. */
export function askAs(face: ChatFace, url: string, text: string, stream: boolean): Promise<PlainAnswer> {
  const headers = face.name === 'anthropic' ? { 'anthropic-version': '2023-06-01' } : {};
  return ask(url + face.path, { body: face.body(text, stream), headers });
}
