import { describe, expect, it } from 'vitest';
import { createDisabledView, mergeDisabled } from '../../../operator/reconcile/disabled-targets.ts';
import type { DisabledTarget, ProxyReport } from '../../../operator/status/proxy-report.ts';

function backend(id: string, differs: Partial<DisabledTarget> = {}): DisabledTarget {
  return { kind: 'backend', id, hard: false, reason: 'Timeout', until: '2026-01-01T00:00:10Z', ...differs };
}

function report(...disabled: readonly DisabledTarget[]): ProxyReport {
  return { proxy: 'one', revision: 1, refusal: undefined, disabled };
}

describe('what proxies have disabled', () => {
  it('is found by what it belongs to', () => {
    const key = { ...backend('a/k'), kind: 'key' as const };
    const merged = mergeDisabled([report(backend('a/r/one'), key), report(backend('a/r/two'), backend('a/rr/one'))]);
    expect([...merged.backendsOf('a/r').keys()]).toEqual(['one', 'two']);
    expect([...merged.backendsOf('a/rr').keys()]).toEqual(['one']);
    expect(merged.backendsOf('a').size).toBe(0);
    expect(merged.key('a/k')).toEqual(key);
    expect(merged.key('a/r')).toBeUndefined();
  });

  it('is of several the hard one, then the one that lasts longest, whichever proxy comes first', () => {
    const short = backend('a/r/one');
    const long = backend('a/r/one', { until: '2026-01-01T00:10:00Z' });
    const hard = backend('a/r/one', { hard: true, reason: 'Authentication', until: '2026-01-01T00:00:01Z' });
    const byHand = backend('a/r/one', { hard: true, reason: 'Manual', until: undefined });
    for (const [one, other, stronger] of [
      [short, long, long],
      [long, hard, hard],
      [hard, byHand, byHand],
    ] as const) {
      for (const order of [
        [one, other],
        [other, one],
      ]) {
        expect(
          mergeDisabled(order.map((target) => report(target)))
            .backendsOf('a/r')
            .get('one'),
        ).toBe(stronger);
      }
    }
  });

  it('is put together once for each list of answers', () => {
    let reports = [report(backend('a/r/one'))];
    const view = createDisabledView(() => reports);
    const first = view();
    expect(view()).toBe(first);
    reports = [report()];
    expect(view().backendsOf('a/r').size).toBe(0);
  });
});
