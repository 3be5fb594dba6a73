// However the bytes of an answer are cut on their way, its parts are the same: of every upstream, frames of AWS included.

import { deepStrictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { StreamPart } from '../../../../proxy/canonical/response.ts';
import { serverSentEvents } from '../../../../proxy/stream/sse-frames.ts';
import { bytesOf, type Said } from '../../../support/vendors/vendor.ts';
import { cutAt } from '../../stream/frames.ts';
import { requestTo, type Upstream, upstreams } from './upstreams.ts';

const words = fc.oneof(fc.string({ unit: 'binary', maxLength: 40 }), fc.string({ unit: 'grapheme', maxLength: 40 }));
const answer = fc
  .record({
    thinking: words,
    text: words,
    calls: fc.array(fc.record({ name: fc.constantFrom('weather', 'time'), input: fc.dictionary(words, words) }), {
      maxLength: 3,
    }),
  })
  .filter(({ text, calls }) => text !== '' || calls.length > 0);
const cuts = fc.array(fc.nat(), { maxLength: 60 });

function partsOf({ codec }: Upstream, chunks: readonly Buffer[]): readonly StreamPart[] {
  const decoder = codec.streamDecoder({ fallbackId: 'r' });
  const splitter = (codec.streamFormat ?? serverSentEvents).createSplitter();
  const parts = chunks.flatMap((chunk) => splitter.push(chunk)).flatMap((frame) => decoder.decode(frame).parts);
  const rest = splitter.flush();
  return [...parts, ...(rest === undefined ? [] : decoder.decode(rest).parts), ...decoder.end()];
}

describe.each(upstreams)('an answer of $name', (upstream) => {
  const bytesFor = ({ thinking, text, calls }: Said): Buffer => {
    const request = requestTo(
      upstream,
      Buffer.from(JSON.stringify({ model: upstream.vendor.model, stream: true })),
      true,
    );
    const named = (calls ?? []).map((call, index) => ({ ...call, id: upstream.callId(index + 1) }));
    return bytesOf(upstream.vendor.frames({ thinking: thinking ?? '', text: text ?? '', calls: named }, request));
  };

  test('[1] [2] [112] has the same parts wherever it is cut', () => {
    fc.assert(
      fc.property(answer, cuts, (what, positions) => {
        const bytes = bytesFor(what as unknown as Said);
        deepStrictEqual(named(partsOf(upstream, cutAt(bytes, positions))), named(partsOf(upstream, [bytes])));
      }),
      { numRuns: 60 },
    );
  });

  test('[1] [2] [112] has the same parts byte by byte', () => {
    const bytes = bytesFor({
      thinking: 'hm, läßt sich 🤔',
      text: 'Grüße 😀 👩‍👩‍👧',
      calls: [
        { id: '', name: 'weather', input: { 'Đà Nẵng': '今天' } },
        { id: '', name: 'time', input: {} },
      ],
    });
    const one = partsOf(upstream, [bytes]);
    expect(
      named(
        partsOf(
          upstream,
          Array.from(bytes, (byte) => Buffer.of(byte)),
        ),
      ),
    ).toEqual(named(one));
    for (let at = 0; at <= bytes.length; at++) {
      deepStrictEqual(named(partsOf(upstream, [bytes.subarray(0, at), bytes.subarray(at)])), named(one));
    }
    const texts = one.flatMap((part) => (part.type === 'delta' ? [part.text] : [])).join('');
    expect(texts).toContain('Grüße 😀 👩‍👩‍👧');
    expect(texts).not.toContain('\u{fffd}');
  });
});

/** Ids that are made here are new each time: they are told by their order. */
function named(parts: readonly StreamPart[]): readonly StreamPart[] {
  const seen = new Map<string, string>();
  return parts.map((part) => {
    if (part.type !== 'block-start' || part.block.type !== 'tool-call') return part;
    const { id } = part.block;
    if (!seen.has(id)) seen.set(id, `call ${seen.size + 1}`);
    return { ...part, block: { ...part.block, id: seen.get(id) ?? '' } };
  });
}
