import { describe, expect, it } from 'vitest';
import { LatencyEstimate } from '../../../proxy/balancing/latency-estimate.ts';
import { LoadBook } from '../../../proxy/balancing/load-book.ts';
import { Attempts } from './rig.ts';

describe('the load of a backend', () => {
  it('counts what is under way, and what of it waits for content; also by key', () => {
    const loads = new LoadBook();
    const attempts = new Attempts(loads, 'a');
    const [one, other] = [attempts.begin(0, 'default/k'), attempts.begin(0)];
    expect(loads.of('a')).toMatchObject({ inFlight: 2, waiting: 2 });
    expect(loads.of('default/k').inFlight).toBe(1);
    attempts.answer(one, 50);
    expect(loads.of('a')).toMatchObject({ inFlight: 2, waiting: 1 });
    attempts.end(one, 60);
    attempts.end(other, 60);
    expect(loads.of('a')).toMatchObject({ inFlight: 0, waiting: 0 });
    expect(loads.of('default/k').inFlight).toBe(0);
  });

  it('learns nothing of a backend whose client left, and nothing twice from an answer that breaks', () => {
    const loads = new LoadBook();
    const attempts = new Attempts(loads, 'a');
    attempts.end(attempts.begin(0), 5);
    expect(loads.of('a')).toMatchObject({ inFlight: 0, failing: 0 });
    expect(loads.of('a').latency(true).known).toBe(false);
    attempts.end(attempts.answer(attempts.begin(0), 300), 400, 'Truncated');
    expect(loads.of('a').failing).toBeCloseTo(0.1);
    expect(loads.of('a').latency(true).meanMs).toBe(300);
  });

  it('forgets what no configuration names, once nothing is under way there', () => {
    const loads = new LoadBook();
    const attempts = new Attempts(loads, 'old');
    const record = attempts.begin(0);
    new Attempts(loads, 'kept').measured(100, 0);
    loads.retain((id) => id === 'kept');
    expect(loads.of('old').inFlight).toBe(1);
    attempts.end(record, 5, 'ServerError');
    loads.retain((id) => id === 'kept');
    expect(loads.of('old')).toMatchObject({ inFlight: 0, failing: 0 });
    expect(loads.of('kept').latency(true).known).toBe(true);
  });
});

describe('an estimate of latency', () => {
  it('jumps up at once and comes down over half a minute', () => {
    const estimate = new LatencyEstimate();
    estimate.measure(100, 0);
    estimate.measure(4_000, 10);
    expect(estimate.peakMs(10)).toBe(4_000);
    for (let now = 1_000; now <= 30_000; now += 1_000) estimate.measure(100, now);
    expect(estimate.peakMs(30_000)).toBeGreaterThan(1_000);
    for (let now = 31_000; now <= 200_000; now += 1_000) estimate.measure(100, now);
    expect(estimate.peakMs(200_000)).toBeLessThan(125);
    expect(estimate.meanMs).toBeCloseTo(100, 0);
  });

  it('fades while nothing is measured, the mean itself excepted, and not into the past', () => {
    const estimate = new LatencyEstimate();
    estimate.measure(1_000, 0);
    expect(estimate.peakMs(30_000)).toBeCloseTo(1_000 / Math.E);
    expect(estimate.usualMs(60_000)).toBeCloseTo(1_000 / Math.E ** 2);
    expect(estimate.meanMs).toBe(1_000);
    expect(estimate.peakMs(-5_000)).toBe(1_000);
  });

  it('follows the last measurements where they are far apart', () => {
    const estimate = new LatencyEstimate();
    estimate.measure(8_000, 0);
    estimate.measure(500, 300_000);
    expect(estimate.meanMs).toBeCloseTo(500, 0);
    expect(estimate.peakMs(300_000)).toBeCloseTo(500, 0);
  });
});
