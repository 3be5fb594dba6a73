// What a provider does with a request, in each of its moods. Words of answers name the provider, the request and their
// place, so that whatever reaches a client shows where it came from.

import type { Chance } from './virtual-time.ts';

/** The provider's side of one request. */
export interface Call {
  /** Who its words are said by. */
  readonly voice: string;
  readonly marker: string;
  readonly stream: boolean;
  readonly chance: Chance;
  /** Time passes before what comes next. */
  pass(ms: number): void;
  head(status: number, headers: Readonly<Record<string, string>>): void;
  data(text: string): void;
  end(): void;
  /** The connection breaks. */
  fail(code: string): void;
}

/** One way to react. */
export interface Reaction {
  /** It never comes to a connection. */
  readonly unconnected?: true;
  act(call: Call): void;
}

/** Words of every whole answer. */
export const wordCount = 4;

const error = JSON.stringify({ error: { message: 'it broke', type: 'server_error', param: null, code: null } });
const limit = JSON.stringify({
  error: { message: 'Too many requests', type: 'requests', code: 'rate_limit_exceeded' },
});
const money = JSON.stringify({
  error: { message: 'no money', type: 'insufficient_quota', code: 'insufficient_quota' },
});
const wrongKey = JSON.stringify({
  error: { message: 'wrong key', type: 'invalid_request_error', code: 'invalid_api_key' },
});
const malformed = JSON.stringify({
  error: { message: 'no such parameter', type: 'invalid_request_error', code: null },
});

function unconnected(code: string): Reaction {
  return {
    unconnected: true,
    act(call) {
      call.pass(call.chance.between(0.2, 20));
      call.fail(code);
    },
  };
}

function status(code: number, body: string, headers: Readonly<Record<string, string>> = {}): Reaction {
  return {
    act(call) {
      call.pass(call.chance.between(0.5, 60));
      call.head(code, { 'content-type': 'application/json', ...headers });
      call.data(body);
      call.end();
    },
  };
}

/** An answer up to some point, and what happens then. */
function answered(until: 'head' | 'role' | 'content' | 'all', then: (call: Call) => void, slowness = 1): Reaction {
  return {
    act(call) {
      call.pass(slowness * call.chance.between(1, 200));
      if (call.stream) sendStream(call, until, slowness);
      else sendWhole(call, until);
      then(call);
    },
  };
}

function sendWhole(call: Call, until: 'head' | 'role' | 'content' | 'all'): void {
  call.head(200, { 'content-type': 'application/json' });
  if (until === 'head') return;
  const text = wholeAnswer(call);
  if (until === 'all') call.data(text);
  else call.data(text.slice(0, Math.floor(text.length / 2)));
}

function sendStream(call: Call, until: 'head' | 'role' | 'content' | 'all', slowness: number): void {
  call.head(200, { 'content-type': 'text/event-stream' });
  if (until === 'head') return;
  call.data(chunk({ delta: { role: 'assistant', content: '' } }));
  if (until === 'role') return;
  const words = until === 'all' ? wordCount : 1 + call.chance.below(wordCount - 1);
  for (let index = 0; index < words; index += 1) {
    call.pass(slowness * call.chance.between(0, 60));
    call.data(chunk({ delta: { content: wordOf(call.voice, call.marker, index) } }));
  }
  if (until === 'content') return;
  call.data(chunk({ delta: {}, finish_reason: 'stop' }));
  call.data('data: [DONE]\n\n');
}

function chunk(choice: object): string {
  return `data: {"id":"c","object":"chat.completion.chunk","choices":[${JSON.stringify({ index: 0, ...choice })}]}\n\n`;
}

function wholeAnswer({ voice, marker }: Call): string {
  const content = Array.from({ length: wordCount }, (_, index) => wordOf(voice, marker, index)).join('');
  const message = { role: 'assistant', content };
  return JSON.stringify({
    id: 'c',
    object: 'chat.completion',
    choices: [{ index: 0, message, finish_reason: 'stop' }],
  });
}

/** One word of an answer. */
export function wordOf(provider: string, marker: string, index: number): string {
  return `${provider}~${marker}~${index} `;
}

/** Names a request, from its body to the words of its answer. */
export function markerOf({ messages }: { readonly messages: readonly { readonly content: string }[] }): string {
  return messages[0]?.content ?? '';
}

const nothing = (): void => {};

/** All of them. */
export const reactions = {
  'an answer': answered('all', (call) => call.end()),
  'no name': unconnected('ENOTFOUND'),
  'a closed port': unconnected('ECONNREFUSED'),
  'a bad certificate': unconnected('CERT_HAS_EXPIRED'),
  'a reset': {
    act(call) {
      call.fail('ECONNRESET');
    },
  },
  silence: { act: nothing },
  'a head and silence': answered('head', nothing),
  'a role and silence': answered('role', nothing),
  'a 400': status(400, malformed),
  'a 401': status(401, wrongKey),
  'a 403': status(403, error),
  'a 404': status(404, JSON.stringify({ error: { message: 'no such model', code: 'model_not_found' } })),
  'a 429': status(429, limit, { 'retry-after': '3' }),
  'a 429 for money': status(429, money),
  'a 500': status(500, error),
  'a 502': status(502, '<html>bad gateway</html>', { 'content-type': 'text/html' }),
  'a 503': status(503, error, { 'retry-after': '2' }),
  'a 529': status(529, error),
  'no JSON': status(200, 'hello'),
  'an empty answer': status(200, ''),
  'an error that is a 200': status(200, error),
  'a redirect': status(302, '', { location: 'http://elsewhere.example/' }),
  'a cut head': answered('head', (call) => call.fail('UND_ERR_SOCKET')),
  'a cut before content': answered('role', (call) => call.end()),
  'a cut after content': answered('content', (call) => call.end()),
  'a reset after content': answered('content', (call) => call.fail('ECONNRESET')),
  'a stall after content': answered('content', nothing),
  'an error after content': answered('content', (call) => {
    call.data(call.stream ? `data: ${error}\n\n` : '}');
    call.end();
  }),
  slow: answered('all', (call) => call.end(), 12),
} as const satisfies Readonly<Record<string, Reaction>>;
