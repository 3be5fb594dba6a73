import { describe, expect, it } from 'vitest';
import { createRenewed, type Expiring } from '../../../proxy/providers/renewed.ts';

const minute = 60_000;

/** A source whose tokens come when the test says so. */
class Rig {
  now = 1_000_000;
  readonly asked: {
    readonly credential: string;
    readonly give: (token: Expiring<string>) => void;
    readonly fail: () => void;
  }[] = [];
  readonly source = createRenewed<string>({
    clock: { now: () => this.now },
    get: (credential) =>
      new Promise((resolve, reject) => {
        this.asked.push({ credential, give: resolve, fail: () => reject(new Error('no')) });
      }),
  });

  give(value: string, lifeMs = 60 * minute): void {
    this.asked.at(-1)?.give({ value, expiresAtMs: this.now + lifeMs });
  }

  /** Has a token that was got just now. */
  async begin(lifeMs?: number): Promise<void> {
    const first = this.source.of('a');
    this.give('one', lifeMs);
    expect(await first).toBe('one');
  }
}

describe('a value that ends', () => {
  it('is got once for all who ask meanwhile, and kept', async () => {
    const rig = new Rig();
    const waiting = [1, 2, 3].map(() => rig.source.of('a'));
    expect(rig.asked).toHaveLength(1);
    rig.give('one');
    expect(await Promise.all(waiting)).toEqual(['one', 'one', 'one']);
    rig.now += 54 * minute;
    expect(await rig.source.of('a')).toBe('one');
    expect(rig.asked).toHaveLength(1);
  });

  it('is got anew before its end, by one at a time, while the old one is used', async () => {
    const rig = new Rig();
    await rig.begin();
    rig.now += 56 * minute;
    expect(await Promise.all([rig.source.of('a'), rig.source.of('a')])).toEqual(['one', 'one']);
    expect(rig.asked).toHaveLength(2);
    rig.give('two');
    await Promise.resolve();
    expect(await rig.source.of('a')).toBe('two');
    expect(rig.asked).toHaveLength(2);
  });

  it('is used to its end where none can be got, and not asked for with every request', async () => {
    const rig = new Rig();
    await rig.begin();
    rig.now += 56 * minute;
    expect(await rig.source.of('a')).toBe('one');
    rig.asked.at(-1)?.fail();
    await new Promise(setImmediate);
    expect(await rig.source.of('a')).toBe('one');
    expect(rig.asked).toHaveLength(2);
    rig.now += 2_000;
    expect(await rig.source.of('a')).toBe('one');
    expect(rig.asked).toHaveLength(3);
    rig.asked.at(-1)?.fail();
    await new Promise(setImmediate);
    rig.now += 3 * minute + 50_000;
    // Half a minute before its end no request begins with it.
    const late = rig.source.of('a');
    expect(rig.asked).toHaveLength(4);
    rig.asked.at(-1)?.fail();
    await expect(late).rejects.toThrow('no');
    await expect(rig.source.of('a')).rejects.toThrow('no');
    expect(rig.asked).toHaveLength(4);
  });

  it('is one credential’s and no other’s', async () => {
    const rig = new Rig();
    await rig.begin();
    const other = rig.source.of('b');
    expect(rig.asked.map(({ credential }) => credential)).toEqual(['a', 'b']);
    rig.give('other');
    expect(await other).toBe('other');
    expect(await rig.source.of('a')).toBe('one');
  });

  it('is forgotten with its credential', async () => {
    const rig = new Rig();
    await rig.begin();
    rig.source.retain(new Set(['a']));
    expect(await rig.source.of('a')).toBe('one');
    rig.source.retain(new Set());
    const again = rig.source.of('a');
    rig.give('new');
    expect(await again).toBe('new');
  });

  it('that lives shorter than others is got anew in the middle of its life', async () => {
    for (const lifeMs of [minute + 2, 5 * minute, 8 * minute]) {
      const rig = new Rig();
      await rig.begin(lifeMs);
      rig.now += lifeMs / 2 - 1;
      expect(await rig.source.of('a')).toBe('one');
      expect(rig.asked).toHaveLength(1);
      rig.now += 1;
      expect(await rig.source.of('a')).toBe('one');
      expect(rig.asked).toHaveLength(2);
    }
  });

  it('that is at its end when it comes is given to those who waited, and to nobody else', async () => {
    const rig = new Rig();
    await rig.begin(20_000);
    const next = rig.source.of('a');
    expect(rig.asked).toHaveLength(2);
    rig.give('two', 50_000);
    expect(await next).toBe('two');
    expect(await rig.source.of('a')).toBe('two');
    expect(rig.asked).toHaveLength(2);
    rig.now += 20_000;
    const late = rig.source.of('a');
    expect(rig.asked).toHaveLength(3);
    rig.give('three');
    expect(await late).toBe('three');
  });
});
