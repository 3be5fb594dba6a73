// What a failover adds to a request: `npm run bench:failover [-- --rounds 5]`. The same proxy serves routes whose first
// backend works, refuses connections, or answers 500 to everything, and is never disabled, so that every request pays.

import { parseArgs } from 'node:util';
import { startSluice } from './contenders.ts';
import { lineOf, load, start } from './processes.ts';
import { median, spread, table } from './table.ts';
import { resource, toManifest } from '../support/manifest.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '5' } } });
const rounds = Number(values.rounds);
const sluiceCore = 0;
const otherCore = 1;
const perSecond = 200;
const seconds = 4;
/** Reserved, and nobody listens there (tcpmux). */
const closedPort = '1';
const firsts = ['works', 'refuses', 'fails'] as const;

type First = (typeof firsts)[number];

const names: Record<First, string> = {
  works: 'works',
  refuses: 'refuses connections',
  fails: 'answers 500',
};

async function main(): Promise<void> {
  const upstream = start(otherCore, process.execPath, [new URL('upstream.ts', import.meta.url).pathname]);
  const [, port = ''] = await lineOf(upstream, /^listening (\d+)/);
  const sluice = await startSluice(sluiceCore, port, resources(port));
  const { origin } = new URL(sluice.url);
  const measure = (first: First) =>
    load(otherCore, { mode: 'open', url: `${origin}/${first}/chat/completions`, perSecond, seconds });
  const all = new Map(firsts.map((first) => [first, [] as Awaited<ReturnType<typeof measure>>[]]));
  try {
    for (const first of firsts) await measure(first);
    for (let round = 1; round <= rounds; round += 1) {
      for (const first of firsts) all.get(first)?.push(await measure(first));
      process.stderr.write(`round ${round} of ${rounds}\n`);
    }
  } finally {
    await sluice.running.stop();
    await upstream.stop();
  }
  const rows = firsts.map((first) => {
    const added = (part: 'p50' | 'p99'): string => {
      const direct = all.get('works') ?? [];
      const more = (all.get(first) ?? []).map((it, round) => it[part] - (direct[round]?.[part] ?? 0));
      return `${median(more).toFixed(2)} ±${spread(more).toFixed(2)}`;
    };
    const failed = (all.get(first) ?? []).reduce((sum, it) => sum + it.failed, 0);
    return [names[first], added('p50'), added('p99'), String(failed)];
  });
  console.log(
    `\n${perSecond} requests a second; medians of ${rounds} interleaved rounds, ± half the quartiles' distance.\n`,
  );
  console.log(table([['the first backend', 'added p50, ms', 'added p99, ms', 'failed'], ...rows]));
}

function resources(port: string): string {
  const bases: Record<First, string> = {
    works: `http://127.0.0.1:${port}/v1`,
    refuses: `http://127.0.0.1:${closedPort}/v1`,
    fails: `http://127.0.0.1:${port}/broken/v1`,
  };
  const objects = firsts.flatMap((first) => [
    resource('LLMProvider', first, {
      type: 'OpenAICompatible',
      endpoint: { url: bases[first], insecureHTTP: 'Allow' },
      credentials: { type: 'None' },
    }),
    resource('LLMRoute', first, {
      path: `/${first}`,
      access: { mode: 'Anonymous' },
      rules: [
        {
          name: 'default',
          backends: [
            { name: 'first', providerRef: { name: first }, priority: 0 },
            { name: 'second', providerRef: { name: 'works' }, priority: 1 },
          ],
          failover: { disable: { failures: 1000, windowSeconds: 1 }, retryBudgetPercent: 100 },
        },
      ],
    }),
  ]);
  return toManifest(objects);
}

await main();
