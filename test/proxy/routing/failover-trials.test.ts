import { describe, expect, it } from 'vitest';
import { settled } from '../../support/clock.ts';
import { FailoverRig } from './failover-rig.ts';

describe('an early trial', () => {
  function rigWithTrial(differs = {}): FailoverRig {
    const rig = new FailoverRig(['a', 'b', 'c'], differs);
    rig.present.until.set('chat/a', 500);
    rig.present.early.add('chat/a');
    return rig;
  }

  it('answers the request if it goes well', async () => {
    const rig = rigWithTrial();
    expect(await rig.run(['committed'])).toMatchObject({ type: 'committed', visit: { early: true } });
    expect(rig.places).toEqual(['a']);
  });

  it.each(['next-backend', 'stop', 'same-backend', 'next-key', 'empty'] as const)(
    'that ends with %s costs no attempt, and the request goes on',
    async (script) => {
      const rig = rigWithTrial({ maxAttempts: 1 });
      expect(await rig.run([script, 'committed'])).toMatchObject({ type: 'committed', visit: { early: false } });
      expect(rig.places).toEqual(['a', 'b']);
    },
  );

  it('is heard of only if there is nothing else to tell', async () => {
    const rig = rigWithTrial({ maxAttempts: 2 });
    expect(await rig.run([])).toMatchObject({ type: 'exhausted', failures: [{ cause: 'b' }, { cause: 'c' }] });
    const alone = new FailoverRig(['a'], { whenAllDisabled: 'Fail' });
    alone.present.until.set('chat/a', 500);
    alone.present.early.add('chat/a');
    expect(await alone.run([])).toMatchObject({ type: 'exhausted', failures: [{ cause: 'a' }] });
    expect(alone.places).toEqual(['a']);
  });
});

describe('a visit that has to be prepared', () => {
  it('is made when it is, and given back when it cannot be', async () => {
    const rig = new FailoverRig(['a', 'b', 'c']);
    rig.prepare = ({ backend: { name } }) => (name === 'c' ? undefined : Promise.resolve(name === 'b'));
    expect(await rig.run(['next-backend', 'committed'])).toMatchObject({ type: 'committed' });
    expect(rig.places).toEqual(['b', 'c']);
    expect(rig.released).toEqual(['a']);
  });

  it('that was to join a slow one goes next if that one has ended meanwhile, and nowhere if there is no need', async () => {
    for (const [outcome, places] of [
      [{ type: 'failed', signal: { type: 'truncated', cause: 'the test' }, staleSocket: false }, ['a', 'b']],
      [{ type: 'committed' }, ['a']],
    ] as const) {
      const rig = new FailoverRig(['a', 'b'], { hedgeSeconds: 1 });
      rig.prepare = async ({ backend: { name } }) => {
        if (name === 'b') rig.attempts[0]?.finish(outcome);
        await settled();
        return true;
      };
      expect(await rig.run(['hang', 'committed'])).toMatchObject({ type: 'committed' });
      expect(rig.places).toEqual(places);
      await settled();
      expect(rig.released).toEqual(outcome.type === 'committed' ? ['b'] : []);
    }
  });

  it('is not made for a client that left meanwhile', async () => {
    const rig = new FailoverRig(['a', 'b']);
    rig.prepare = async () => {
      rig.controller.abort();
      return true;
    };
    expect(await rig.run([])).toEqual({ type: 'aborted' });
    expect(rig.places).toEqual([]);
    expect(rig.released).toEqual(['a']);
  });
});
