import { describe, expect, it } from 'vitest';
import { send, type AnswerListener } from '../../../proxy/upstream/send.ts';
import { answer } from '../../support/scripts.ts';
import { startUpstream } from '../../support/upstream.ts';
import { providerAt, UpstreamRig } from './upstream-rig.ts';

describe('a listener that cannot take what it hears', () => {
  it.each(['head', 'data', 'end'] as const)(
    'of the %s hears that the answer failed, and nothing more',
    async (what) => {
      await using upstream = await startUpstream(answer({ a: 1 }));
      await using rig = new UpstreamRig();
      const heard: string[] = [];
      const { promise: failed, resolve } = Promise.withResolvers<unknown>();
      const take = (event: string): void => {
        heard.push(event);
        if (event === what) throw new Error('a fault');
      };
      const listener: AnswerListener = {
        head: () => take('head'),
        data: () => take('data'),
        end: () => take('end'),
        failed: ({ cause }) => resolve(cause),
      };
      const request = { method: 'POST', path: '/', headers: {}, body: Buffer.from('hello') };
      send(rig.upstreams.pool(providerAt(upstream.baseURL), 5_000), request, listener);
      expect(await failed).toMatchObject({ message: 'a fault' });
      expect(heard.at(-1)).toBe(what);
    },
  );
});
