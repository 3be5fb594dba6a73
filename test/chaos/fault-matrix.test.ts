// Every way to fail before content, for every kind of client, whole and streamed, at the first, the second, or all backends
// but one: two real gateways with one Redis between them, official clients, and not one answer lost.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeFolder } from '../deploy/folder.ts';
import { quantile } from '../integration/state/redis-fleet.ts';
import { freePort, startRedis, type TestRedis } from '../support/redis.ts';
import { requires } from '../support/requires.ts';
import { stopAtOnce } from '../support/scripts.ts';
import { startUpstream } from '../support/upstream.ts';
import type { Script, ScriptedUpstream, UpstreamRequest } from '../support/upstream.ts';
import { speak } from '../support/vendors/vendor.ts';
import { crowd, Tally, watchStalls } from './crowd.ts';
import { type Cell, cellsOf, matrixManifest, type Place, places } from './matrix-cells.ts';
import { type Member, startMember } from './redis-processes.ts';
import { sized, timeoutMs } from './scale.ts';

const program = await requires('redis-server');
const cells = cellsOf();
const requests = sized({ usual: 2 * cells.length, full: 20_000 });
const atOnce = 16;
/** Between processes news travels by Redis: its backstop is a second. */
const newsMs = 1200;

/** What came of all requests of one fault. */
interface Row {
  readonly outcomes: Tally;
  readonly tookMs: number[];
}

program.describe('the fault matrix', () => {
  let redis: TestRedis;
  let upstreams: Readonly<Record<Place, ScriptedUpstream>>;
  let plain: ScriptedUpstream;
  let folder: ReturnType<typeof makeFolder>;
  const members: Member[] = [];

  beforeAll(async () => {
    redis = await startRedis(program.path);
    const started = await Promise.all(places.map((place) => startUpstream(scriptOf(place))));
    upstreams = Object.fromEntries(places.map((place, index) => [place, started[index]])) as typeof upstreams;
    plain = await startUpstream(stopAtOnce('stall'));
    plain.onHead = async (exchange) => {
      await exchange.send('HTTP/1.1 400 Bad Request\r\n\r\n');
      exchange.end();
    };
    const [a, b, c] = places.map((place) => upstreams[place].port) as [number, number, number];
    const ports = { a, b, c, closed: await freePort(), plain: plain.port };
    folder = makeFolder({ 'matrix.yaml': matrixManifest(cells, ports) });
    const usual = { file: folder.path, redisURL: redis.url };
    members.push(...(await Promise.all(['g1', 'g2'].map((name) => startMember({ ...usual, name })))));
  });
  afterAll(async () => {
    await Promise.all(members.map((member) => member[Symbol.asyncDispose]()));
    await Promise.all([plain, ...Object.values(upstreams)].map((upstream) => upstream.refuse()));
    await redis.stop();
    folder[Symbol.dispose]();
  });

  test(
    `of ${requests} requests in ${cells.length} cells none is lost or mixed`,
    { timeout: timeoutMs(600) },
    async () => {
      const rows = new Map<string, Row>();
      const wrong: string[] = [];
      const stallOf = watchStalls();
      const begunMs = performance.now();
      await crowd(requests, atOnce, async (number) => {
        const cell = cells[number % cells.length] as Cell;
        const row = rowOf(rows, cell);
        const marker = `c${cell.number}-n${number}`;
        const sentMs = performance.now();
        const outcome = await outcomeOf(cell, marker, members[number % members.length] as Member);
        row.tookMs.push(performance.now() - sentMs);
        row.outcomes.add(outcome.slice(0, 5));
        if (outcome !== 'right' && wrong.length < 8) wrong.push(`${nameOf(cell)}: ${outcome}`);
      });
      const tookMs = performance.now() - begunMs;
      const inFlightMs = stallOf() + newsMs;
      const extras = cells.flatMap((cell) => cell.failing.map((place) => extraOf(cell, upstreams[place], inFlightMs)));
      printMatrix(rows, `${requests} requests, ${(requests / (tookMs / 1000)).toFixed(0)} a second`);
      const most = Math.max(...extras);
      process.stdout.write(
        `  extra attempts on one failing backend: at most ${most}, in all ${extras.reduce((a, b) => a + b, 0)} on ${extras.length}\n`,
      );
      expect(wrong).toEqual([]);
      // A matrix without faults would look as good.
      expect(await unharmed(members, upstreams)).toEqual([]);
      expect(most).toBeLessThanOrEqual(1);
    },
  );
});

function scriptOf(place: Place): Script {
  return (exchange) => {
    const cell = cellIn(exchange.request);
    if (cell === undefined) throw new Error(`no cell in ${exchange.request.body.toString().slice(0, 200)}`);
    const { vendor, fault, failing } = cell;
    if (failing.includes(place) && fault.script !== undefined) return fault.script(vendor)(exchange);
    return speak(vendor, { text: `${place}~${markerIn(exchange.request)}` })(exchange);
  };
}

function markerIn({ body }: UpstreamRequest): string {
  return /c\d+-n\d+/.exec(body.toString())?.[0] ?? '';
}

function cellIn(request: UpstreamRequest): Cell | undefined {
  return cells[Number(/^c(\d+)/.exec(markerIn(request))?.[1])];
}

async function outcomeOf(
  { client, streamed, failing, number }: Cell,
  marker: string,
  { url }: Member,
): Promise<string> {
  try {
    const { text } = await client.ask(`${url}/c${number}`, { user: marker }, streamed);
    const isRight = places.some((place) => !failing.includes(place) && text === `${place}~${marker}`);
    return isRight ? 'right' : `mixed: ${text}`;
  } catch (error) {
    return `lost: ${String(error)}`;
  }
}

/** Failing backends that nobody has asked, or that nobody holds anything against. */
async function unharmed(
  members: readonly Member[],
  upstreams: Readonly<Record<Place, ScriptedUpstream>>,
): Promise<readonly string[]> {
  const states = await Promise.all(
    members.map(async (member) => JSON.parse((await member.get('/state')).text) as State),
  );
  const out = new Set(
    states.flatMap(({ backends }) =>
      backends.filter(({ state, models }) => state !== 'enabled' || models.length > 0).map(({ id }) => id),
    ),
  );
  const asked = new Set(
    places.flatMap((place) => upstreams[place].requests.map((request) => `${cellIn(request)?.number}/${place}`)),
  );
  return cells.flatMap((cell) => {
    const { number, failing, fault } = cell;
    const isAsked = (place: Place): boolean => fault.script === undefined || asked.has(`${number}/${place}`);
    const unasked = failing.filter((place) => !isAsked(place));
    const unharmed = failing.filter((place) => !out.has(`default/c${number}/${place}`));
    // Two 500s of one body are held against one backend only: failure.md, rule 5.
    const isPoison = fault.poisonous === true && unharmed.length < failing.length;
    return [...unasked, ...(isPoison ? [] : unharmed)].map((place) => `${nameOf(cell)}: ${place}`);
  });
}

interface State {
  readonly backends: readonly { readonly id: string; readonly state: string; readonly models: readonly unknown[] }[];
}

/** Requests that reached a failing backend when both gateways must have known; a resend is not another one. */
function extraOf({ number, failing }: Cell, upstream: ScriptedUpstream, inFlightMs: number): number {
  if (failing.length === 0) return 0;
  const own = upstream.requests.filter((request) => markerIn(request).startsWith(`c${number}-`));
  const overMs = Math.min(
    ...own.map(({ answeredAtMs = Infinity, closedAtMs = Infinity }) => Math.min(answeredAtMs, closedAtMs)),
  );
  const late = own.filter(({ receivedAtMs }) => receivedAtMs > overMs + inFlightMs);
  return new Set(late.map(markerIn)).size;
}

function nameOf({ client, vendor, fault, streamed, failing }: Cell): string {
  return `${fault.row} ${fault.name}, ${client.name} with ${vendor.name}${streamed ? ' streamed' : ''}, ${failing.join(' and ')} failing`;
}

function rowOf(rows: Map<string, Row>, { fault, client }: Cell): Row {
  const name = `${fault.row.padStart(2)} ${fault.name}\t${client.name}`;
  let row = rows.get(name);
  if (row === undefined) rows.set(name, (row = { outcomes: new Tally(), tookMs: [] }));
  return row;
}

/** A line per fault, a column per client: answers that were right, of how many, and the slowest hundredth in milliseconds. */
function printMatrix(rows: ReadonlyMap<string, Row>, title: string): void {
  const clients = [...new Set([...rows.keys()].map((name) => name.split('\t')[1] ?? ''))];
  const faults = [...new Set([...rows.keys()].map((name) => name.split('\t')[0] ?? ''))];
  const lines = faults.map((fault) => {
    const columns = clients.map((client) => {
      const { outcomes, tookMs } = rows.get(`${fault}\t${client}`) ?? { outcomes: new Tally(), tookMs: [] };
      return `${outcomes.of('right')}/${tookMs.length} ${quantile(tookMs, 0.99).toFixed(0)} ms`.padStart(18);
    });
    return `  ${fault.padEnd(30)}${columns.join('')}`;
  });
  const head = `  ${'right/asked, p99'.padEnd(30)}${clients.map((client) => client.padStart(18)).join('')}`;
  process.stdout.write(`\nThe fault matrix: ${title}\n${head}\n${lines.join('\n')}\n`);
}
