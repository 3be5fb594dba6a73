import { describe, expect, it } from 'vitest';
import { LoadBook } from '../../../proxy/balancing/load-book.ts';
import { Attempts, choices, picker, plain } from './rig.ts';
import { seededRandom } from './seeded-random.ts';

/** Requests, one after another, every so often; each takes as long as its backend does at that moment. */
function run(loads: LoadBook, tookMs: (id: string, nowMs: number) => number, settings: RunSettings) {
  const { names, everyMs, requests, fromMs = 0 } = settings;
  const from = picker('LeastLatency', { loads, random: seededRandom(settings.seed ?? 1) });
  const eligible = choices(Object.fromEntries(names.map((name) => [name, 1])));
  const counts = new Map(names.map((name) => [name, 0]));
  for (let request = 0; request < requests; request += 1) {
    const nowMs = fromMs + request * everyMs;
    const { id } = from.pick(eligible, { ...plain, nowMs });
    counts.set(id, (counts.get(id) ?? 0) + 1);
    const took = tookMs(id, nowMs);
    new Attempts(loads, id).measured(took, nowMs + took);
  }
  return counts;
}

interface RunSettings {
  readonly names: readonly string[];
  readonly everyMs: number;
  readonly requests: number;
  readonly fromMs?: number;
  readonly seed?: number;
}

const three = ['fast', 'middle', 'slow'];
const usual: Readonly<Record<string, number>> = { fast: 200, middle: 600, slow: 2_000 };

describe('LeastLatency', () => {
  it('sends 100 000 requests to the fastest, and to the others just often enough to know them', () => {
    const random = seededRandom(3);
    const counts = run(new LoadBook(), (id) => (usual[id] ?? 0) * (0.8 + 0.4 * random()), {
      names: three,
      everyMs: 100,
      requests: 100_000,
    });
    expect(counts.get('fast')).toBeGreaterThan(98_000);
    // 10 000 s: each is asked again when its estimate has faded below the fastest: e-folding in 30 s.
    expect(counts.get('middle')).toBeGreaterThan(10_000 / 60);
    expect(counts.get('middle')).toBeLessThan(10_000 / 15);
    expect(counts.get('slow')).toBeGreaterThan(10_000 / 120);
    expect(counts.get('slow')).toBeLessThan(10_000 / 40);
  });

  it('goes back to a backend that has recovered', () => {
    const loads = new LoadBook();
    run(loads, (id) => (id === 'a' ? 100 : 5_000), { names: ['a', 'b'], everyMs: 100, requests: 1_000 });
    const swapped = (id: string): number => (id === 'a' ? 1_000 : 50);
    const after = run(loads, swapped, { names: ['a', 'b'], everyMs: 100, requests: 3_000, fromMs: 100_000 });
    expect(after.get('b')).toBeGreaterThan(1_500);
  });

  it('asks those that it does not know, one request at a time', () => {
    const loads = new LoadBook();
    const eligible = choices({ known: 1, one: 1, other: 1 });
    new Attempts(loads, 'known').measured(100, 0);
    const from = picker('LeastLatency', { loads });
    const first = from.pick(eligible).id;
    new Attempts(loads, first).begin(0);
    const second = from.pick(eligible).id;
    new Attempts(loads, second).begin(0);
    expect([first, second].sort()).toEqual(['one', 'other']);
    expect(from.pick(eligible).id).toBe('known');
  });

  it('counts those who wait already: a burst does not all go to one', () => {
    const loads = new LoadBook();
    for (const [id, took] of Object.entries({ a: 100, b: 150, c: 300 })) new Attempts(loads, id).measured(took, 0);
    const from = picker('LeastLatency', { loads });
    const counts = new Map<string, number>();
    for (let request = 0; request < 60; request += 1) {
      const { id } = from.pick(choices({ a: 1, b: 1, c: 1 }));
      counts.set(id, (counts.get(id) ?? 0) + 1);
      new Attempts(loads, id).begin(0);
    }
    expect(counts).toEqual(
      new Map([
        ['a', 30],
        ['b', 20],
        ['c', 10],
      ]),
    );
  });

  it('does not take quick failures for quick answers', () => {
    const loads = new LoadBook();
    new Attempts(loads, 'good').measured(900, 0);
    new Attempts(loads, 'broken').failed('ServerError', 5, 0);
    const from = picker('LeastLatency', { loads });
    for (let request = 0; request < 20; request += 1)
      expect(from.pick(choices({ good: 1, broken: 1 })).id).toBe('good');
  });

  it('keeps streams and other answers apart: a whole answer is as slow as it is long', () => {
    const loads = new LoadBook();
    new Attempts(loads, 'a', true).measured(100, 0);
    new Attempts(loads, 'b', true).measured(500, 0);
    new Attempts(loads, 'a', false).measured(20_000, 0);
    new Attempts(loads, 'b', false).measured(8_000, 0);
    const from = picker('LeastLatency', { loads });
    const pair = choices({ a: 1, b: 1 });
    expect(from.pick(pair, { ...plain, stream: true }).id).toBe('a');
    expect(from.pick(pair, { ...plain, stream: false }).id).toBe('b');
  });

  it('takes another route for the best of the backends behind it', () => {
    const loads = new LoadBook();
    for (const [id, took] of Object.entries({ a: 300, 'in/x': 900, 'in/y': 100 }))
      new Attempts(loads, id).measured(took, 0);
    const behind = ['in/x', 'in/y'];
    const reference = { id: 'in', weight: 1, behind: () => behind.map((id) => ({ id })) };
    const from = picker('LeastLatency', { loads });
    expect(from.pick([...choices({ a: 1 }), reference]).id).toBe('in');
    behind.pop();
    expect(from.pick([...choices({ a: 1 }), reference]).id).toBe('a');
  });
});
