// Every way in which an upstream can fail before the first content of an answer, by name, and what becomes of its backend.

import { chat, chatFrames, chunkFrame, roleFrame } from './chat.ts';
import { answer, bytes, type Stop, stopAfter, stopAtOnce, stream, streamHead } from './scripts.ts';
import type { Script } from './upstream.ts';
import { encodeChunk } from './upstream-wire.ts';

/** One way to fail. */
export interface Fault {
  readonly script: Script;
  /** The class that the backend is disabled for; undefined: nothing is. */
  readonly disables: string | undefined;
  /** Makes sense only for one kind of request. */
  readonly only?: 'stream' | 'whole';
}

const errorBody = { error: { message: 'it broke', type: 'server_error', param: null, code: null } };
const limitBody = { error: { message: 'Too many requests', type: 'rate_limit_error', param: null, code: null } };

function status(code: number, headers: Readonly<Record<string, string>> = {}, body: object = errorBody): Script {
  return answer(body, { status: code, headers });
}

/** Breaks the answer that the request asked for, after so many bytes. */
function cutAnswer(afterBytes: number, stop: Stop): Script {
  return (exchange) => stopAfter(afterBytes, stop, chat('cut'))(exchange);
}

/** Closes the connection after the answer. */
function endAfter(script: Script): Script {
  return async (exchange) => {
    await script(exchange);
    exchange.end();
  };
}

/** A stream that has begun but has not said anything, and then does as it is told. */
function begunStream(then: Script): Script {
  return async (exchange) => {
    await exchange.send(Buffer.concat([streamHead(), encodeChunk(roleFrame(exchange.request))]));
    await then(exchange);
  };
}

function streamOf(frames: readonly string[]): Script {
  return (exchange) => stream([roleFrame(exchange.request), ...frames])(exchange);
}

const errorFrame = `data: ${JSON.stringify(errorBody)}\n\n`;
const errorEvent = `event: error\n${errorFrame}`;

/** Faults that need no more than one request. Each is quick, except those that wait for a deadline. */
export const faults: Readonly<Record<string, Fault>> = {
  'reset at once': { script: stopAtOnce('reset'), disables: 'Connect' },
  'closed without an answer': { script: stopAtOnce('end'), disables: 'Connect' },
  'closed inside the head': { script: cutAnswer(20, 'end'), disables: 'Connect' },
  'reset inside the head': { script: cutAnswer(20, 'reset'), disables: 'Connect' },
  'garbage instead of HTTP': {
    script: bytes('\u0016\u0003\u0001 no HTTP at all\r\n\r\n'),
    disables: 'InvalidResponse',
  },
  'a 500': { script: status(500), disables: 'ServerError' },
  'a 500 in HTML': {
    script: answer('<html>oh no</html>', { status: 500, headers: { 'content-type': 'text/html' } }),
    disables: 'ServerError',
  },
  'a 500 without a body': { script: answer('', { status: 500 }), disables: 'ServerError' },
  'a 502': { script: status(502), disables: 'ServerError' },
  'a 503': { script: status(503), disables: 'Overloaded' },
  'a 503 with Retry-After': { script: status(503, { 'retry-after': '7' }), disables: 'Overloaded' },
  'a 504': { script: status(504), disables: 'ServerError' },
  'a 529': { script: status(529), disables: 'Overloaded' },
  'a 429': { script: status(429, {}, limitBody), disables: 'RateLimit' },
  'a 429 with Retry-After': { script: status(429, { 'retry-after': '30' }, limitBody), disables: 'RateLimit' },
  'a 401': { script: status(401), disables: 'Authentication' },
  'a 402': { script: status(402), disables: 'Quota' },
  'a 403': { script: status(403), disables: 'Permission' },
  'a 404': {
    script: status(404, {}, { error: { message: 'no such model', code: 'model_not_found' } }),
    disables: undefined,
  },
  'a 408': { script: status(408), disables: 'Timeout' },
  'a 409': { script: status(409), disables: undefined },
  'a 424': { script: status(424), disables: 'ServerError' },
  'a redirect': { script: status(302, { location: 'http://127.0.0.1:1/' }), disables: 'InvalidResponse' },
  'a 200 without a body': { script: answer(''), disables: 'InvalidResponse' },
  'a 200 in HTML': {
    script: answer('<html>hello</html>', { headers: { 'content-type': 'text/html' } }),
    disables: 'InvalidResponse',
  },
  'a 200 that is no completion': { script: answer({}), disables: 'InvalidResponse' },
  'a 200 that is an error': { script: answer(errorBody), disables: 'InvalidResponse' },
  'a 204': { script: bytes('HTTP/1.1 204 No Content\r\n\r\n'), disables: 'InvalidResponse' },
  'a wrong length': {
    script: endAfter(answer('{"choices":[', { headers: { 'content-length': '5000' } })),
    disables: 'Truncated',
  },
  'broken gzip': {
    script: answer('this is not gzip', { headers: { 'content-encoding': 'gzip' } }),
    disables: 'Truncated',
  },
  'an unknown encoding': {
    script: answer('x', { headers: { 'content-encoding': 'zstd' } }),
    disables: 'InvalidResponse',
  },
  'half of the JSON': { script: cutAnswer(250, 'end'), disables: 'Truncated', only: 'whole' },
  'half of the JSON, reset': { script: cutAnswer(250, 'reset'), disables: 'Truncated', only: 'whole' },
  'JSON cut short by its own length': {
    script: answer('{"choices":[{"index":0,"mess'),
    disables: 'InvalidResponse',
    only: 'whole',
  },
  'an answer that says nothing': {
    script: (exchange) => chat('mute', { words: 0 })(exchange),
    disables: 'InvalidResponse',
  },
  'JSON for a stream': {
    script: answer({ choices: [{ index: 0, message: { role: 'assistant', content: 'x' }, finish_reason: 'stop' }] }),
    disables: 'InvalidResponse',
    only: 'stream',
  },
  'a stream without a frame': { script: stream([]), disables: 'Truncated', only: 'stream' },
  'a stream that ends after its role': { script: streamOf([]), disables: 'Truncated', only: 'stream' },
  'a stream cut after its role': { script: begunStream(stopAtOnce('end')), disables: 'Truncated', only: 'stream' },
  'a stream reset after its role': { script: begunStream(stopAtOnce('reset')), disables: 'Truncated', only: 'stream' },
  'a stream of [DONE] only': { script: stream(['data: [DONE]\n\n']), disables: 'Truncated', only: 'stream' },
  'an error frame first': { script: stream([errorFrame]), disables: 'ServerError', only: 'stream' },
  'an error event first': { script: stream([errorEvent]), disables: 'ServerError', only: 'stream' },
  'an error event after the role': { script: streamOf([errorEvent]), disables: 'ServerError', only: 'stream' },
  'content and an error in one chunk': {
    script: (exchange) => stream([chatFrames('dud', exchange.request, {}).slice(0, 2).join('') + errorEvent])(exchange),
    disables: 'ServerError',
    only: 'stream',
  },
  'three frames that are no JSON': {
    script: streamOf(['data: {\n\n', 'data: }\n\n', 'data: oh no\n\n']),
    disables: 'InvalidResponse',
    only: 'stream',
  },
  'a finish of abort': {
    script: (exchange) =>
      stream([
        roleFrame(exchange.request),
        chunkFrame(exchange.request, { choices: [{ index: 0, delta: {}, finish_reason: 'abort' }] }),
      ])(exchange),
    disables: 'InvalidResponse',
    only: 'stream',
  },
};

/** Faults that show only when a deadline has passed. */
export const slowFaults: Readonly<Record<string, Fault>> = {
  'nothing at all': { script: stopAtOnce('stall'), disables: 'Timeout' },
  'half of a head': { script: cutAnswer(20, 'stall'), disables: 'Timeout' },
  'a head of a stream': { script: begunStream(stopAtOnce('stall')), disables: 'Timeout', only: 'stream' },
  'keep-alives only': {
    script: async (exchange) => {
      await exchange.send(streamHead());
      for (let count = 0; count < 100; count += 1) {
        await exchange.send(encodeChunk(': PROCESSING\n\n'));
        await exchange.wait(20);
      }
    },
    disables: 'Timeout',
    only: 'stream',
  },
  'half of the JSON': { script: cutAnswer(250, 'stall'), disables: 'Stalled', only: 'whole' },
  'an error without its end': {
    script: answer('{"error":{"message":"', { status: 500, headers: { 'content-length': '5000' } }),
    disables: 'ServerError',
  },
};
