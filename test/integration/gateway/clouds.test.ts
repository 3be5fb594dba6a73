// Every official client hears of every cloud's failures: those before content have a status, those after it are in the
// stream. What is asked and answered otherwise is in the table of clients and vendors.

import { describe, expect, it } from 'vitest';
import { openCloudStage, vendors } from '../../support/clouds/vendors.ts';
import { openai } from '../../support/openai-answers.ts';
import { inPieces, stopAfter } from '../../support/scripts.ts';
import type { Script } from '../../support/upstream.ts';
import { clients } from '../matrix/pairs.ts';

const question = { user: 'one' };
const tooMany = 'The upstream rate limit is exhausted. Try again later.';

describe.each(vendors)('$name', (vendor) => {
  describe.each(clients)('asked by $name', (client) => {
    const script = vendor.answers(vendor.name);

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
        await expect(client.ask(stage.gateway.url, question, stream)).rejects.toThrow(what);
      }
    });

    it('has another backend answer where it fails before content', async () => {
      for (const failing of [vendor.tooMany, vendor.failsAtOnce]) {
        await using stage = await openCloudStage({ [vendor.name]: failing, openai: openai('openai') });
        const talk = await client.ask(stage.gateway.url, question, true);
        expect(talk.text).toContain('openai');
      }
    });
  });
});
