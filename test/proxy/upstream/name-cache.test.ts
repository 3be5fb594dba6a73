import type { LookupAddress } from 'node:dns';
import { describe, expect, it } from 'vitest';
import { createLookup, createNameCache } from '../../../proxy/upstream/name-cache.ts';
import { settled, TestClock } from '../../support/clock.ts';

const fresh = 30_000;
const stale = 300_000;

/** A resolver that answers when told to, and counts what it is asked. */
function openResolver() {
  const clock = new TestClock();
  const asked: string[] = [];
  const waiting: PromiseWithResolvers<LookupAddress[]>[] = [];
  const names = createNameCache((hostname) => {
    asked.push(hostname);
    const pending = Promise.withResolvers<LookupAddress[]>();
    waiting.push(pending);
    return pending.promise;
  }, clock);
  return {
    clock,
    asked,
    names,
    answer(address: string): void {
      for (const { resolve } of waiting.splice(0)) resolve([{ address, family: 4 }]);
    },
    fail(): void {
      for (const { reject } of waiting.splice(0)) reject(Object.assign(new Error('no answer'), { code: 'EAI_AGAIN' }));
    },
    /** Asks, and gives an answer. */
    async ask(address: string): Promise<string | undefined> {
      const found = names('a.example');
      this.answer(address);
      return (await found)[0]?.address;
    },
  };
}

describe('the name cache', () => {
  it('asks once in 30 s', async () => {
    const resolver = openResolver();
    expect(await resolver.ask('192.0.2.1')).toBe('192.0.2.1');
    resolver.clock.turn(fresh);
    expect(await resolver.ask('192.0.2.2')).toBe('192.0.2.1');
    resolver.clock.turn(1);
    expect(await resolver.ask('192.0.2.3')).toBe('192.0.2.3');
    expect(resolver.asked).toHaveLength(2);
  });

  it('asks once for connections that come at the same time, also for the very first ones', async () => {
    const resolver = openResolver();
    for (const address of ['192.0.2.1', '192.0.2.2']) {
      const found = Promise.all(Array.from({ length: 50 }, () => resolver.names('a.example')));
      resolver.answer(address);
      expect(new Set((await found).map((addresses) => addresses[0]?.address))).toEqual(new Set([address]));
      resolver.clock.turn(fresh + 1);
    }
    expect(resolver.asked).toHaveLength(2);
  });

  it('keeps names apart', async () => {
    const resolver = openResolver();
    const found = [resolver.names('a.example'), resolver.names('b.example')];
    resolver.answer('192.0.2.1');
    await Promise.all(found);
    expect(resolver.asked).toEqual(['a.example', 'b.example']);
  });

  it('gives what it knows for five minutes more while the resolver fails, and asks each time', async () => {
    const resolver = openResolver();
    await resolver.ask('192.0.2.1');
    for (const laterMs of [fresh + 1, stale - 1]) {
      resolver.clock.turn(laterMs);
      const found = resolver.names('a.example');
      resolver.fail();
      expect((await found)[0]?.address).toBe('192.0.2.1');
    }
    resolver.clock.turn(1);
    const lost = resolver.names('a.example');
    resolver.fail();
    await expect(lost).rejects.toMatchObject({ code: 'EAI_AGAIN' });
    expect(await resolver.ask('192.0.2.9')).toBe('192.0.2.9');
  });

  it('tells everyone who waits that the resolver failed, and asks again next time', async () => {
    const resolver = openResolver();
    const lost = Promise.allSettled([resolver.names('a.example'), resolver.names('a.example')]);
    resolver.fail();
    expect((await lost).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await resolver.ask('192.0.2.1')).toBe('192.0.2.1');
    expect(resolver.asked).toHaveLength(2);
  });

  it('remembers a bounded number of names', async () => {
    const resolver = openResolver();
    await resolver.ask('192.0.2.1');
    const others = Array.from({ length: 5_000 }, (_, index) => resolver.names(`${index}.example`));
    resolver.answer('192.0.2.2');
    await Promise.all(others);
    expect(await resolver.ask('192.0.2.3')).toBe('192.0.2.3');
  });
});

describe('a lookup for connections', () => {
  const addresses: LookupAddress[] = [
    { address: '10.0.0.1', family: 4 },
    { address: '192.0.2.1', family: 4 },
    { address: '192.0.2.2', family: 4 },
    { address: '2001:db8::1', family: 6 },
  ];
  const lookup = createLookup(
    (hostname) => (hostname === 'gone' ? Promise.reject(new Error('gone')) : Promise.resolve(addresses)),
    (address) => address !== '10.0.0.1',
  );

  async function ask(hostname: string, options: object): Promise<unknown[]> {
    const answers: unknown[][] = [];
    lookup(hostname, options, (...answer) => void answers.push(answer));
    await settled();
    expect(answers).toHaveLength(1);
    return answers[0] ?? [];
  }

  it('gives all allowed addresses, or the first', async () => {
    expect(await ask('a', { all: true })).toEqual([null, addresses.slice(1)]);
    expect(await ask('a', {})).toEqual([null, '192.0.2.1', 4]);
  });

  it.each([
    [4, '192.0.2.1'],
    ['IPv4', '192.0.2.1'],
    [6, '2001:db8::1'],
    ['IPv6', '2001:db8::1'],
    [0, '192.0.2.1'],
  ])('gives addresses of family %s', async (family, address) => {
    expect(await ask('a', { family })).toEqual([null, address, address.includes(':') ? 6 : 4]);
  });

  it('refuses names that have no allowed address, whatever they resolved to before', async () => {
    const none = createLookup(
      () => Promise.resolve(addresses),
      () => false,
    );
    const { promise, resolve } = Promise.withResolvers<unknown>();
    none('a', { all: true }, (error) => resolve(error));
    expect(await promise).toMatchObject({ code: 'ERR_SLUICE_ADDRESS_REFUSED' });
  });

  it('passes the failure of the resolver on', async () => {
    expect(await ask('gone', { all: true })).toEqual([expect.objectContaining({ message: 'gone' }), '']);
  });
});
