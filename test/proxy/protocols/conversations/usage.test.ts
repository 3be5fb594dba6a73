// Whatever an upstream says in the place of counts, usage is whole numbers that are not negative, for the gateway and for
// every client.

import { deepStrictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import type { Usage } from '../../../../proxy/canonical/usage.ts';
import { createChatAnswers } from '../../../../proxy/protocols/lane-chat.ts';
import { protocolOf } from '../../../../proxy/protocols/registry.ts';
import { serverSentEvents } from '../../../../proxy/stream/sse-frames.ts';
import { bytesOf, type Json, type Said } from '../../../support/vendors/vendor.ts';
import * as frame from '../bedrock-converse/frames.ts';
import { clientWires } from './client-wire.ts';
import { requestTo, type Upstream, upstreams } from './upstreams.ts';

const odd = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.constantFrom(-1, 1e308, -1e308, 0.5, 1e21, null, '7', '', true, [], {}),
);

/** Members that count tokens, in any vendor's spelling. */
const counting = /(tokens|tokencount|_count)$/i;

/** An answer with other counts, taken one after the other. */
function recount(value: unknown, counts: readonly unknown[]): unknown {
  let next = 0;
  return JSON.parse(JSON.stringify(value), (name, inner: unknown) =>
    counting.test(name) && typeof inner === 'number' ? counts[next++ % counts.length] : inner,
  ) as unknown;
}

/** The same in the frames of a stream. */
function recountFrame(bytes: string | Buffer, counts: readonly unknown[]): string | Buffer {
  if (typeof bytes !== 'string') return bytes;
  let next = 0;
  return bytes.replace(/"(\w+)":\d+/g, (whole, name: string) =>
    counting.test(name) ? `"${name}":${JSON.stringify(counts[next++ % counts.length])}` : whole,
  );
}

function framesOf({ vendor }: Upstream, what: Said, request: ReturnType<typeof requestTo>, counts: readonly unknown[]) {
  const frames = vendor.frames(what, request).map((bytes) => recountFrame(bytes, counts));
  if (vendor.type !== 'Bedrock') return frames;
  const usage = recount({ inputTokens: 1, outputTokens: 2, cacheReadInputTokens: 3, cacheWriteInputTokens: 4 }, counts);
  return [...frames.slice(0, -1), frame.metadata(usage as Json)];
}

function check(usage: Usage | undefined, written: string): void {
  for (const [name, count] of Object.entries(usage ?? {})) {
    if (name !== 'estimated')
      deepStrictEqual([name, Number.isSafeInteger(count) && (count as number) >= 0], [name, true]);
  }
  // What is written has no null, no sign and no exponent where there should be a count.
  deepStrictEqual(/"((?!max_)\w*tokens|(?:prompt_)?eval_count)":(?!\d+[,}])/.exec(written)?.[0], undefined);
}

const what: Said = { text: 'so', calls: [{ id: 'Call00001', name: 'f', input: {} }] };

describe.each(upstreams)('usage of $name', (upstream) => {
  test.each(clientWires)(
    '[133] [176] is never negative, and always a number, for clients of $protocol',
    ({ protocol }) => {
      const { chat: client } = protocolOf(protocol);
      if (client === undefined) throw new Error(`${protocol} does not chat`);
      const lane = {
        type: 'chat',
        operation: { protocol: 'relay', path: '' },
        client,
        upstream: upstream.codec,
      } as const;
      const context = { requestId: 'r', model: 'm', createdAt: 1, wantsUsage: true, estimateInputTokens: () => 5 };
      const request = (stream: boolean) =>
        requestTo(upstream, Buffer.from(JSON.stringify({ model: upstream.vendor.model, stream })), stream);
      fc.assert(
        fc.property(fc.array(odd, { minLength: 1, maxLength: 6 }), (counts) => {
          const answers = createChatAnswers(lane, context);
          const whole = recount(upstream.vendor.whole(what, request(false)), counts);
          const { usage, body = '' } = answers.readAnswer(Buffer.from(JSON.stringify(whole)));
          check(usage, body.toString());
          const tap = answers.tap({ hideUsage: false });
          const splitter = (upstream.codec.streamFormat ?? serverSentEvents).createSplitter();
          for (const one of splitter.push(bytesOf(framesOf(upstream, what, request(true), counts)))) tap.frame(one);
          const streamed = Buffer.concat([tap.rewriting!.take(), tap.rewriting!.end()]);
          check(tap.usage, streamed.toString());
        }),
        { numRuns: 60 },
      );
    },
  );
});
