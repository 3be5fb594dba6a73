import { describe, expect, it } from 'vitest';
import { FailoverRig, type Scripted } from './failover-rig.ts';

const abc = ['a', 'b', 'c'];

/** Every attempt is told of exactly once, but for those whose connection had been dead. */
function expectToldOnce({ attempts }: FailoverRig): void {
  for (const { script, told, place } of attempts) {
    expect([place, told.length]).toEqual([place, script === 'stale' && told.length === 0 ? 0 : 1]);
  }
}

describe('the search for a backend', () => {
  it('ends with the first that answers', async () => {
    const rig = new FailoverRig(abc);
    const end = await rig.run(['next-backend', 'committed']);
    expect(end).toMatchObject({ type: 'committed', visit: { backend: { name: 'b' }, disabled: false } });
    expect(rig.places).toEqual(['a', 'b']);
    expect(rig.attempts.map(({ told }) => told)).toEqual([['judged'], ['succeeded']]);
  });

  it('ends without one after each has failed, with every failure in its order', async () => {
    const rig = new FailoverRig(abc);
    const end = await rig.run([]);
    expect(end).toMatchObject({ type: 'exhausted', empty: undefined, failures: abc.map((cause) => ({ cause })) });
    expect(rig.places).toEqual(abc);
    expectToldOnce(rig);
  });

  it('ends at once where a failure says so', async () => {
    const rig = new FailoverRig(abc);
    expect(await rig.run(['stop'])).toMatchObject({ type: 'exhausted', failures: [{ cause: 'a' }] });
    expect(rig.places).toEqual(['a']);
  });

  it('ends with the deadline of the whole request, and lets the backend go without a verdict', async () => {
    const rig = new FailoverRig(abc);
    expect(await rig.run(['next-backend', 'deadline'])).toMatchObject({ type: 'deadline', failures: [{ cause: 'a' }] });
    expect(rig.attempts[1]?.told).toEqual(['released']);
  });

  it('keeps the first empty answer for want of a better', async () => {
    const rig = new FailoverRig(abc);
    const end = await rig.run(['next-backend', 'empty', 'empty']);
    expect(end).toMatchObject({
      type: 'exhausted',
      empty: { attempt: rig.attempts[1], visit: { backend: { name: 'b' } } },
    });
    const better = new FailoverRig(abc);
    expect(await better.run(['empty', 'committed'])).toMatchObject({ type: 'committed' });
  });
});

describe('the count of attempts', () => {
  it('is one per visit', async () => {
    const rig = new FailoverRig(abc, { maxAttempts: 2 });
    expect(await rig.run([])).toMatchObject({ type: 'exhausted' });
    expect(rig.places).toEqual(['a', 'b']);
  });

  it('has every retry on the same backend', async () => {
    const rig = new FailoverRig(abc, { maxAttempts: 3 });
    await rig.run(['same-backend', 'next-backend', 'next-backend']);
    expect(rig.places).toEqual(['a', 'a', 'b']);
    const spent = new FailoverRig(abc, { maxAttempts: 2 });
    await spent.run(['same-backend', 'same-backend']);
    expect(spent.log).toEqual(['send a', 'judge a retries 0 keys 0', 'wait 5', 'send a', 'judge a retries 1 keys 0']);
  });

  it('does not have changes of the key', async () => {
    const rig = new FailoverRig(['a', 'b'], { maxAttempts: 2 }, ['k1', 'k2', 'k3']);
    await rig.run(['next-key', 'next-key', 'next-backend', 'next-key', 'next-backend']);
    expect(rig.places).toEqual(['a k1', 'a k2', 'a k3', 'b k1', 'b k2']);
  });

  it('does not have visits for which there was no key', async () => {
    const rig = new FailoverRig(abc, { maxAttempts: 1 }, ['k1']);
    rig.keys = [];
    expect(await rig.run([])).toMatchObject({ type: 'exhausted', failures: [] });
    expect(rig.places).toEqual([]);
    // Once as what they seemed to be, once as if they were disabled.
    expect(rig.released).toEqual([...abc, ...abc]);
  });

  it('ends at 16 requests, whatever the pools hold and the route allows', async () => {
    const names = Array.from({ length: 30 }, (_, index) => `k${index}`);
    const keys = new FailoverRig(['a', 'b'], {}, names);
    expect(await keys.run(names.map(() => 'next-key'))).toMatchObject({ type: 'exhausted' });
    expect(keys.places).toHaveLength(16);
    const backends = new FailoverRig(names);
    await backends.run([]);
    expect(backends.places).toHaveLength(16);
    const retries = new FailoverRig(['a']);
    await retries.run(names.map(() => 'same-backend'));
    expect(retries.places).toHaveLength(16);
  });
});

describe('a connection that had been dead', () => {
  it('is replaced once, uncounted, and only the second try is judged', async () => {
    const rig = new FailoverRig(abc, { maxAttempts: 1 });
    expect(await rig.run(['stale', 'committed'])).toMatchObject({ type: 'committed' });
    expect(rig.places).toEqual(['a', 'a again']);
    expect(rig.attempts.map(({ told }) => told)).toEqual([[], ['succeeded']]);
  });

  it('is a failure like any other the second time', async () => {
    const rig = new FailoverRig(abc, { maxAttempts: 2 });
    await rig.run(['stale', 'stale', 'stale', 'committed']);
    expect(rig.places).toEqual(['a', 'a again', 'b', 'b again']);
    expect(rig.attempts.map(({ told }) => told)).toEqual([[], ['judged'], [], ['succeeded']]);
  });

  it('does not count among the 16 requests', async () => {
    const rig = new FailoverRig(['a']);
    const scripts = Array.from({ length: 40 }, (_, index): Scripted => (index % 2 === 0 ? 'stale' : 'same-backend'));
    await rig.run(scripts);
    expect(rig.places).toHaveLength(32);
  });
});

describe('another key', () => {
  it('is taken from the pool of the visited backend, none twice in a visit, until the pool is empty', async () => {
    const rig = new FailoverRig(['a', 'b'], {}, ['k1', 'k2']);
    await rig.run(['next-key', 'next-key', 'committed']);
    expect(rig.places).toEqual(['a k1', 'a k2', 'b k1']);
    expect(rig.released).toEqual([]);
  });

  it('is one of another account where only that can do better', async () => {
    const rig = new FailoverRig(['a'], {}, ['k1', 'k2']);
    rig.keys = rig.keys.slice(0, 1);
    await rig.run([{ type: 'next-key', otherAccount: true }]);
    expect(rig.places).toEqual(['a k1']);
  });
});

describe('a key that somebody else is trying', () => {
  it('is used where nothing better is left, as if it rested', async () => {
    const rig = new FailoverRig(['a', 'b'], {}, ['k1']);
    rig.keysOf = ({ disabled }) => (disabled ? rig.keys : []);
    expect(await rig.run(['committed'])).toMatchObject({
      type: 'committed',
      visit: { backend: { name: 'a' }, disabled: true },
    });
    expect(rig.places).toEqual(['a k1']);
    const strict = new FailoverRig(['a', 'b'], { whenAllDisabled: 'Fail' }, ['k1']);
    strict.keysOf = rig.keysOf;
    expect(await strict.run(['committed'])).toMatchObject({ type: 'exhausted' });
  });
});

describe('a key that was given', () => {
  /** Every one is used or given back: a claim that nobody ends would keep it from all others. */
  function expectNoneKept(rig: FailoverRig): void {
    const used = new Set([...rig.places, ...rig.unused]);
    expect(rig.given.filter((place) => !used.has(place))).toEqual([]);
  }

  it.each([
    ['no', ['a k1', 'b k1']],
    ['with another key', ['a k1', 'a k2', 'a k3', 'b k1']],
  ] as const)('is not kept where the answer is whether to go on: %s', async (answer, places) => {
    const rig = new FailoverRig(['a', 'b'], {}, ['k1', 'k2', 'k3']);
    rig.moment = (what) => void (what === 'judge a k1' && (rig.mayGoOn = answer));
    await rig.run(['next-key', 'again', 'next-backend']);
    expect(rig.places).toEqual(places);
    expectNoneKept(rig);
  });

  it.each([
    ['it is this request’s to try', true, 'no'],
    ['it is this request’s to try, but not any more', true, 'with another key'],
    ['it is somebody else’s to try', false, 'no'],
  ] as const)('is not kept where it was waited for: %s', async (_, isOurs, answer) => {
    const rig = new FailoverRig(['a'], { whenAllDisabled: 'Fail' }, ['k1', 'k2']);
    rig.prepareKey = async (key) => {
      rig.mayGoOn = rig.given.length === 1 ? answer : 'yes';
      // Whoever is not to try it gives it back there and then.
      if (!isOurs) rig.unused.push(`a ${key.id.slice('default/'.length)}`);
      return isOurs;
    };
    await rig.run(['stop']);
    expect(rig.given).not.toEqual([]);
    expectNoneKept(rig);
    expect(rig.places).toEqual(answer === 'no' ? [] : ['a k2']);
  });
});

describe('a failure that asks for more', () => {
  it('leads only to backends that have it, from then on', async () => {
    const rig = new FailoverRig(['a', 'b', 'c', 'd']);
    await rig.run([{ type: 'next-backend', accepts: ({ name }) => name > 'b' }]);
    expect(rig.places).toEqual(['a', 'c', 'd']);
  });

  it('leads to no disabled backend that lacks it either', async () => {
    const rig = new FailoverRig(abc);
    rig.present.until.set('chat/b', 1).set('chat/c', 2);
    await rig.run([{ type: 'next-backend', accepts: ({ name }) => name === 'c' }]);
    expect(rig.places).toEqual(['a', 'c']);
  });
});

describe('disabled backends', () => {
  it('are tried in the order of their return once nothing else is left', async () => {
    const rig = new FailoverRig(abc);
    rig.present.until.set('chat/a', 20).set('chat/b', 10);
    expect(await rig.run(['next-backend', 'next-backend', 'committed'])).toMatchObject({ visit: { disabled: true } });
    expect(rig.places).toEqual(['c', 'b', 'a']);
  });

  it('are left alone where the route wants to fail', async () => {
    const rig = new FailoverRig(abc, { whenAllDisabled: 'Fail' });
    rig.present.until.set('chat/a', 20).set('chat/b', 10).set('chat/c', 30);
    expect(await rig.run([])).toEqual({ type: 'exhausted', failures: [], empty: undefined });
    expect(rig.places).toEqual([]);
  });

  it('are left alone beyond the budget', async () => {
    const rig = new FailoverRig(abc);
    for (const name of abc) rig.present.until.set(`chat/${name}`, 10);
    rig.overrides = 1;
    await rig.run([]);
    expect(rig.places).toEqual(['a']);
  });

  it('are tried for a pin whatever the route and its budget say', async () => {
    const rig = new FailoverRig(['a'], { whenAllDisabled: 'Fail' });
    rig.present.until.set('chat/a', 20);
    rig.overrides = 0;
    expect(await rig.run(['committed'], true)).toMatchObject({ type: 'committed', visit: { disabled: true } });
  });
});

describe('a client that leaves', () => {
  it('ends the attempt under way, which is let go without a verdict', async () => {
    const rig = new FailoverRig(abc);
    const ended = rig.run(['next-backend', 'hang']);
    while (rig.attempts.length < 2) await Promise.resolve();
    rig.controller.abort('client-left');
    expect(await ended).toEqual({ type: 'aborted' });
    expect(rig.attempts[1]?.told).toEqual(['released']);
    expect(rig.log.filter((entry) => entry.startsWith('abort'))).toEqual(['abort b']);
  });

  it('sends nothing at all where it has left before', async () => {
    const rig = new FailoverRig(abc);
    rig.controller.abort('client-left');
    expect(await rig.run(['committed'])).toEqual({ type: 'aborted' });
    expect(rig.places).toEqual([]);
  });

  it('may leave at any moment: nothing is sent to another backend, and every attempt is told of once', async () => {
    const script: Scripted[] = [
      'same-backend',
      'next-key',
      'stale',
      'next-backend',
      'stale',
      'next-backend',
      'committed',
    ];
    const whole = new FailoverRig(abc, {}, ['k1', 'k2']);
    const moments: string[] = [];
    whole.moment = (what) => void moments.push(what);
    expect(await whole.run(script)).toMatchObject({ type: 'committed' });
    expectToldOnce(whole);
    for (let index = 0; index < moments.length; index += 1) {
      const rig = new FailoverRig(abc, {}, ['k1', 'k2']);
      let left = index;
      rig.moment = () => void (left-- === 0 && rig.controller.abort('client-left'));
      const end = await rig.run(script);
      const visited = new Set(rig.places.map((place) => place[0]));
      const until = new Set(moments.slice(0, index + 1).map((what) => what.split(' ')[1]?.[0] ?? ''));
      expect([...visited].filter((name) => !until.has(name ?? ''))).toEqual([]);
      expect(['aborted', 'committed']).toContain(end.type);
      expectToldOnce(rig);
    }
  });

  it('goes elsewhere if the backend was switched off while it waited, and takes another key if its own was refused', async () => {
    const off = new FailoverRig(abc);
    off.moment = (what) => void (what.startsWith('wait') && (off.mayGoOn = 'no'));
    await off.run([{ type: 'same-backend', waitMs: 700 }, 'committed']);
    expect(off.places).toEqual(['a', 'b']);
    const refused = new FailoverRig(abc, {}, ['k1', 'k2']);
    refused.moment = (what) => void (what.startsWith('wait') && (refused.mayGoOn = 'with another key'));
    await refused.run([{ type: 'same-backend', waitMs: 700 }, 'committed']);
    expect(refused.places).toEqual(['a k1', 'a k2']);
  });

  it('is not kept waiting for a retry', async () => {
    const rig = new FailoverRig(abc);
    rig.moment = (what) => void (what.startsWith('wait') && rig.controller.abort('client-left'));
    expect(await rig.run([{ type: 'same-backend', waitMs: 700 }])).toEqual({ type: 'aborted' });
    expect(rig.log).toEqual(['send a', 'judge a retries 0 keys 0', 'wait 700']);
  });
});

describe('a slow start', () => {
  const hedged = { hedgeSeconds: 1 };

  it('is hedged by the next backend, whose answer stops the slow one without a verdict', async () => {
    const rig = new FailoverRig(abc, hedged);
    expect(await rig.run(['hang', 'committed'])).toMatchObject({
      type: 'committed',
      visit: { backend: { name: 'b' } },
    });
    await Promise.resolve();
    expect(rig.places).toEqual(['a', 'b']);
    expect(rig.log).toContain('abort a');
    await expect.poll(() => rig.attempts.map(({ told }) => told)).toEqual([['released'], ['succeeded']]);
  });

  it('is not hedged beyond the budget or the attempts, or where nobody else is enabled', async () => {
    for (const [names, differs, overrides] of [
      [abc, hedged, 0],
      [abc, { ...hedged, maxAttempts: 1 }, 9],
      [['a'], hedged, 9],
    ] as const) {
      const rig = new FailoverRig(names, differs);
      rig.overrides = overrides;
      const running = rig.run(['hang']);
      await expect.poll(() => rig.log).toContain('wait 1000');
      rig.controller.abort();
      expect(await running).toEqual({ type: 'aborted' });
      expect(rig.places).toEqual(['a']);
      // Where there is nobody to ask the budget is not touched.
      if (overrides > 0) expect(rig.overrides).toBe(overrides);
    }
  });

  it('is waited for where the hedge fails, and the search goes on where both have', async () => {
    const rig = new FailoverRig(abc, hedged);
    const running = rig.run(['hang', 'next-backend', 'committed']);
    await expect.poll(() => rig.places).toEqual(['a', 'b']);
    rig.attempts[0]?.fail();
    expect(await running).toMatchObject({ type: 'committed', visit: { backend: { name: 'c' } } });
    expect(rig.attempts.map(({ told }) => told)).toEqual([['judged'], ['judged'], ['succeeded']]);
  });
});

describe('a fault of our own', () => {
  it('while one joins a slow one leaves nothing under way', async () => {
    const rig = new FailoverRig(abc, { hedgeSeconds: 1 });
    rig.moment = (what) => {
      if (what === 'send b') throw new Error('it cannot be put together');
    };
    await expect(rig.run(['hang'])).rejects.toThrow('it cannot be put together');
    expect(rig.log.at(-1)).toBe('abort a');
    await expect.poll(() => rig.attempts[0]?.told).toEqual(['released']);
  });
});

describe('a further run', () => {
  it('goes on where the last one ended, within the same count of attempts', async () => {
    const rig = new FailoverRig(abc, { maxAttempts: 3 });
    const search = rig.search(['committed', 'next-backend', 'committed']);
    expect(await search.run()).toMatchObject({ type: 'committed', visit: { backend: { name: 'a' } } });
    expect(await search.run()).toMatchObject({ type: 'committed', visit: { backend: { name: 'c' } } });
    expect(await search.run()).toMatchObject({ type: 'exhausted' });
    expect(rig.places).toEqual(abc);
  });

  it('visits only those that the caller accepts', async () => {
    const rig = new FailoverRig(abc);
    const search = rig.search(['committed', 'committed']);
    await search.run();
    expect(await search.run(({ name }) => name === 'c')).toMatchObject({ visit: { backend: { name: 'c' } } });
  });
});

describe('what was refused of our own', () => {
  it('is asked for once more without it, and is neither an attempt nor a failure', async () => {
    const rig = new FailoverRig(abc, { maxAttempts: 1 });
    expect(await rig.run(['again', 'stop'])).toMatchObject({ type: 'exhausted', failures: [{ cause: 'a' }] });
    expect(rig.places).toEqual(['a', 'a']);
  });
});
