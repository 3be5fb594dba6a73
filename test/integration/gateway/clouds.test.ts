// Every official client talks to every cloud: the same questions get the same answers, whoever asks whom.

import { describe, expect, it } from 'vitest';
import { cloudClients } from '../../support/clouds/clients.ts';
import { counts } from '../../support/clouds/said.ts';
import { openCloudStage, vendors } from '../../support/clouds/vendors.ts';
import { eventually } from '../../support/eventually.ts';
import { openai } from '../../support/openai-answers.ts';
import { inPieces, stopAfter } from '../../support/scripts.ts';
import type { Script } from '../../support/upstream.ts';

const picture = Buffer.from('\x89PNG\r\n\x1a\n and what a picture has', 'latin1').toString('base64');
const ways = [false, true];
const tooMany = 'The upstream rate limit is exhausted. Try again later.';

describe.each(vendors)('$name', (vendor) => {
  describe.each(cloudClients)('asked by $name', (client) => {
    const script = vendor.answers(vendor.name);

    it('chats, whole and streamed alike, and says what it took', async () => {
      await using stage = await openCloudStage({ [vendor.name]: inPieces(29, script) });
      for (const stream of ways) {
        const talk = await client.ask(stage.gateway.url, { stream });
        expect(talk).toMatchObject({ text: `hello from ${vendor.name} 😀`, calls: [] });
        expect([talk.inputTokens, talk.outputTokens]).toEqual([counts.input, counts.output]);
        expect(talk.finish).toMatch(/^(stop|end_turn)$/);
      }
    });

    it('has two tools called at once, and takes their results', async () => {
      await using stage = await openCloudStage({ [vendor.name]: script });
      for (const stream of ways) {
        const talk = await client.ask(stage.gateway.url, { stream, tools: true });
        expect(talk.calls).toEqual([
          { name: 'weather', input: { city: 'Ōslo' } },
          { name: 'time', input: {} },
        ]);
        if (client.name !== 'ollama') expect(talk.finish).toMatch(/^tool_(calls|use)$/);
        expect((await talk.answer(['rain', 'noon'], stream)).text).toBe('heard rain and noon');
      }
    });

    it('is shown a picture, asked for JSON, and made to think', async () => {
      await using stage = await openCloudStage({ [vendor.name]: script });
      for (const stream of ways) {
        const seen = await client.ask(stage.gateway.url, { stream, picture });
        expect(seen.text).toBe(`a picture of ${Buffer.from(picture, 'base64').length} bytes`);
        const json = await client.ask(stage.gateway.url, { stream, json: true });
        expect(JSON.parse(json.text)).toEqual({ city: 'Ōslo' });
        const thought = await client.ask(stage.gateway.url, { stream, think: true });
        expect([thought.thinking, thought.text]).toEqual(['let me see', `hello from ${vendor.name} 😀`]);
      }
    });

    it('is let go when the client leaves', async () => {
      const slow = inPieces(1, script, 20);
      await using stage = await openCloudStage({ [vendor.name]: slow });
      const leaving = new AbortController();
      const asking = client.ask(stage.gateway.url, { stream: true, signal: leaving.signal }).catch((error) => error);
      await eventually(() => stage.upstreams[vendor.name]?.requests.length === 1);
      leaving.abort();
      expect(await asking).toBeInstanceOf(Error);
      await eventually(() => stage.upstreams[vendor.name]?.requests[0]?.closedAtMs !== undefined);
    });

    it('fails so that the client knows: before content with a status, after it in the stream, and when it is cut', async () => {
      const failed =
        vendor.name === 'cohere' ? 'The upstream sent an answer that is not valid.' : 'The upstream is overloaded.';
      const cut: Script = stopAfter(700, 'end', inPieces(29, script));
      for (const [failing, stream, what] of [
        [vendor.tooMany, false, tooMany],
        [vendor.tooMany, true, tooMany],
        [vendor.failsAtOnce, true, vendor.name === 'bedrock' ? tooMany : failed],
        [vendor.failsLater, true, failed],
        [cut, true, 'The upstream ended its answer before it was complete.'],
      ] as const) {
        await using stage = await openCloudStage({ [vendor.name]: failing });
        await expect(client.ask(stage.gateway.url, { stream })).rejects.toThrow(what);
      }
    });

    it('has another backend answer where it fails before content', async () => {
      for (const failing of [vendor.tooMany, vendor.failsAtOnce]) {
        await using stage = await openCloudStage({ [vendor.name]: failing, openai: openai('openai') });
        const talk = await client.ask(stage.gateway.url, { stream: true });
        expect(talk.text).toContain('openai');
      }
    });
  });
});
