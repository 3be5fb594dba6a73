// LeastLatency: the least expected wait for first content: the peak of late, times everyone who waits there already.

import { least } from './least.ts';
import type { LoadBook } from './load-book.ts';
import type { Picker, Weighed } from './picker.ts';

/** Makes the picker. A backend that was never measured is asked first, by one request at a time until it has answered. */
export function createLeastLatency(random: () => number, loads: LoadBook): Picker {
  return {
    pick(eligible, { stream, nowMs }) {
      return least(eligible, random, ({ id }: Weighed) => {
        const load = loads.of(id);
        const latency = load.latency(stream);
        if (!latency.known) return load.waiting === 0 ? 0 : Infinity;
        return latency.peakMs(nowMs) * (1 + load.waiting);
      });
    },
  };
}
