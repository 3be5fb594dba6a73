// What one pick costs, by strategy: `npm run bench:picks`. Fifty backends, all of them measured, with requests under way;
// the least of many rounds, so that a machine with other things to do tells nearly the same.

import type { AttemptRecord } from '../../proxy/accounting/trail.ts';
import { openTrail } from '../../proxy/accounting/account.ts';
import { LoadBook } from '../../proxy/balancing/load-book.ts';
import { createPicker } from '../../proxy/balancing/create-picker.ts';
import type { Choice, PickContext } from '../../proxy/balancing/picker.ts';
import { strategies } from '../../proxy/config/schema.ts';

const backends = 50;
const rounds = 60;
const picksInRound = 5_000;
/** What the design asks for, in microseconds. */
const goalMicros = 2;

const loads = new LoadBook();
const eligible = Array.from({ length: backends }, (_, index): Choice => {
  const id = `team-a/chat/backend-${index}`;
  const price = { inputPerMillion: 1_000_000 + index, outputPerMillion: 4_000_000 };
  return { id, weight: 1 + (index % 5), backend: { id, modelConfig: { name: 'm', upstreamName: 'm', price } } };
});
for (const [index, { id }] of eligible.entries()) measure(id, index);

let key = 1;
const context: PickContext = {
  nowMs: 60_000,
  stream: true,
  inputTokens: 1_000,
  outputTokensMax: 500,
  keyOf: () => (key = (Math.imul(key, 1_664_525) + 1_013_904_223) >>> 0),
  placesIn: () => places,
};
const places = new Map(eligible.map(({ id }, index) => [id, (index * 7) % backends]));

console.log(`One pick among ${backends} backends, microseconds; the goal is ${goalMicros}`);
for (const strategy of strategies) {
  const picker = createPicker(strategy, { random: Math.random, loads });
  const micros = Array.from({ length: rounds }, () => round(() => picker.pick(eligible, context, { id: 'rule' })));
  micros.sort((a, b) => a - b);
  const median = micros[rounds / 2] ?? Number.NaN;
  console.log(`  ${strategy.padEnd(16)} ${(micros[0] ?? Number.NaN).toFixed(2)} (median ${median.toFixed(2)})`);
}

function round(pick: () => unknown): number {
  const begunAt = performance.now();
  for (let count = 0; count < picksInRound; count += 1) pick();
  return ((performance.now() - begunAt) / picksInRound) * 1_000;
}

/** A few answers, the last of which goes on. */
function measure(backend: string, index: number): void {
  const trail = Object.assign(openTrail({ id: 'r', method: 'POST', path: '/', receivedAtMs: 0, headers: {} }), {
    stream: true,
  });
  for (let request = 0; request < 5; request += 1) {
    const record: AttemptRecord = {
      number: 1,
      backend,
      backendName: backend,
      provider: 'team-a/p',
      providerType: 'OpenAI',
      key: undefined,
      model: undefined,
      startedAtMs: request * 10_000,
    };
    loads.observer.attemptStarted?.(trail, record);
    record.firstContentAtMs = record.startedAtMs + 300 + index * 20;
    loads.observer.attemptAnswered?.(trail, record);
    if (request === 4) return;
    record.endedAtMs = record.firstContentAtMs + 1_000;
    loads.observer.attemptEnded?.(trail, record);
  }
}
