// The sixteen faults of a public benchmark for gateways, sat by a route with one retry, one fallback and Resume: every client
// gets the whole answer, or (S13) the provider's own reason, and the provider is treated with restraint.

import { afterAll, expect, it } from 'vitest';
import { candidates } from './failover-exam/candidates.ts';
import { type Question, questions } from './failover-exam/questions.ts';
import { type Mark, openExam, sit } from './failover-exam/sitting.ts';
import { printTable } from './crowd.ts';
import { timeoutMs } from './scale.ts';

const isLongest = ({ id }: Question): boolean => id === 'S15';
const marks = new Map<string, Map<string, Mark>>();

// They wait most of the time, each on a stage of its own.
it.concurrent.each(candidates)('$name passes in all sixteen', { timeout: timeoutMs(600) }, async (candidate) => {
  await using stage = await openExam(candidate);
  const mine = new Map<string, Mark>();
  marks.set(candidate.name, mine);
  // One takes as long as all others together, and has a fallback for itself.
  const [longest, others] = [questions.filter(isLongest), questions.filter((question) => !isLongest(question))];
  const atTheSameTime = longest.map(async (question) => mine.set(question.id, await sit(stage, candidate, question)));
  for (const question of others) mine.set(question.id, await sit(stage, candidate, question));
  await Promise.all(atTheSameTime);
  const failed = [...mine].filter(([, { verdict }]) => verdict !== 'pass');
  expect(Object.fromEntries(failed)).toEqual({});
  expect(mine.size).toBe(16);
});

it('is an exam that can be failed: without Resume what breaks after content is safe, and no more', async () => {
  const [candidate] = candidates;
  await using stage = await openExam(candidate!, 'Error');
  const broken = questions.filter(({ id }) => ['S08', 'S09', 'S14'].includes(id));
  for (const question of broken) expect(await sit(stage, candidate!, question)).toMatchObject({ verdict: 'safe' });
});

afterAll(() => {
  for (const [name, mine] of marks) {
    const passed = [...mine.values()].filter(({ verdict }) => verdict === 'pass').length;
    const rows = questions.map(({ id, title }) => {
      const { verdict = '-', note = '' } = mine.get(id) ?? {};
      return [`${id} ${title}`, `${verdict.padEnd(7)} ${note}`] as const;
    });
    printTable(`Failover Bench, ${name}: ${passed} of ${questions.length}`, Object.fromEntries(rows));
  }
});
