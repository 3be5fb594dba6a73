// A stream that breaks after content is gone on with by another backend, where the route says so: whatever client reads it,
// and whatever either upstream speaks, the client gets one whole message.

import { describe, expect, it } from 'vitest';
import type { ProviderType } from '../../../proxy/config/schema.ts';
import { ask, streamedContentOf } from '../../support/client.ts';
import { inputTokens, recitation, reciter } from '../../support/reciter.ts';
import { chatBody, clients, cut, impatient, resumeStage } from '../../support/resume-stage.ts';
import { stopAfter } from '../../support/scripts.ts';
import type { UpstreamRequest } from '../../support/upstream.ts';

const types: readonly ProviderType[] = ['OpenAI', 'VLLM', 'Anthropic', 'Ollama'];
const pairs = types.flatMap((first) => types.map((second) => [first, second] as const));

describe.each(Object.entries(clients))('%s', (_client, run) => {
  it.each(pairs)('gets one message where %s is cut and %s goes on', async (first, second) => {
    await using stage = await resumeStage({
      a: { script: cut(), type: first },
      b: { script: reciter(), type: second },
    });
    const { id, text, input, output } = await run(stage.gateway.url);
    expect(text).toBe(recitation);
    // Ids of the first go on; Ollama has none, and its model is named.
    expect(id).toMatch(/_?1(_|$)|^m-of-a$/);
    const requests = [...stage.upstreams.a.requests, ...stage.upstreams.b.requests];
    expect(requests).toHaveLength(2);
    // What the second has counted is there, and what is estimated of the first.
    expect(output).toBeGreaterThanOrEqual(60 + 40);
    expect(input).toBeGreaterThan(inputTokens);
    const metrics = await stage.gateway.metrics();
    const counted = (type: string): number =>
      ['a', 'b'].reduce((sum, name) => {
        const line = new RegExp(`sluice_tokens_total\\{[^}]*backend="${name}",type="${type}"\\} (\\d+)`).exec(metrics);
        expect(Number(line?.[1])).toBeGreaterThan(0);
        return sum + Number(line?.[1]);
      }, 0);
    expect([counted('input'), counted('output')]).toEqual([input, output]);
    expect(await stage.gateway.backend('default/chat/a')).toMatchObject({ state: 'disabled', reason: 'Truncated' });
    expect(await stage.gateway.backend('default/chat/b')).toMatchObject({ state: 'enabled', inFlight: 0 });
  });
});

describe.each(['end', 'reset', 'stall', 'error'] as const)('a stream that stops by %s', (stop) => {
  it.each([1, 59])('after %i words is gone on with', async (words) => {
    await using stage = await resumeStage(
      {
        a: { script: cut(words, stop), type: 'OpenAI' },
        b: { script: reciter(), type: 'OpenAI' },
      },
      { rule: stop === 'stall' ? impatient : {} },
    );
    const answered = await ask(stage.chatURL, { body: chatBody });
    expect(streamedContentOf(answered)).toBe(recitation);
    expect(answered.text.match(/\[DONE\]/g)).toHaveLength(1);
    expect(answered.text).not.toContain('error');
    expect(await stage.gateway.metrics()).toMatch(/sluice_requests_total\{[^}]*outcome="answered"\} 1/);
  });
});

/** Which upstream speaks a client's own protocol. */
const ownUpstream = (client: string): ProviderType => {
  return client.startsWith('Anthropic') ? 'Anthropic' : client.startsWith('Ollama') ? 'Ollama' : 'OpenAI';
};

describe.each(Object.entries(clients))('%s', (client, run) => {
  it.each(['its own', 'another'])('gets one message wherever an answer in %s protocol is cut', async (whose) => {
    const own = ownUpstream(client);
    const type = whose === 'its own' ? own : own === 'OpenAI' ? 'Anthropic' : 'OpenAI';
    await using stage = await resumeStage(
      { a: { script: reciter(), type }, b: { script: reciter(), type: 'VLLM' } },
      { failover: { disable: { failures: 1, windowSeconds: 60, seconds: 0 } } },
    );
    const { a } = stage.upstreams;
    await run(stage.gateway.url);
    const bytes = await sizeOf(stage, a.requests[0]!);
    // An odd step, so that cuts fall everywhere in a frame; and every byte of the end, where the least is missing.
    const places = [
      ...Array.from({ length: 20 }, (_, index) => Math.round((index * bytes) / 20.3)),
      ...lastOf(bytes, 12),
    ];
    for (const place of places) {
      a.script = stopAfter(place, 'end', reciter());
      const told = await run(stage.gateway.url);
      expect([place, told.text]).toEqual([place, recitation]);
    }
  });
});

function lastOf(bytes: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => bytes - 7 * index);
}

/** How many bytes the upstream sends for a request. */
async function sizeOf(
  { upstreams }: Awaited<ReturnType<typeof resumeStage<'a' | 'b'>>>,
  sent: UpstreamRequest,
): Promise<number> {
  let bytes = 0;
  const send = (chunk: Uint8Array | string): Promise<void> => {
    bytes += Buffer.from(chunk as string).length;
    return Promise.resolve();
  };
  const nothing = (): void => undefined;
  const exchange = { request: sent, send, wait: () => Promise.resolve(), end: nothing, reset: nothing };
  await reciter()({ ...exchange, closed: new Promise<void>(nothing) });
  expect(upstreams.a.requests.length).toBeGreaterThan(0);
  return bytes;
}
