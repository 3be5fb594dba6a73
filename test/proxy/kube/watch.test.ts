import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ApiFailure, toApiFailure } from '../../../proxy/kube/api-failure.ts';
import { keepWatching } from '../../../proxy/kube/watch.ts';
import { settled, TestClock } from '../../support/clock.ts';
import { event, ScriptedServer } from './scripted-server.ts';

const ref = { kind: 'ConfigMap', namespace: 'gateways', name: 'sluice-default' } as const;
const refused = new ApiFailure('connect ECONNREFUSED', { kind: 'ECONNREFUSED' });

let clock: TestClock;
let server: ScriptedServer;
let seen: unknown[];
let logged: string[];
let stop: AbortController;
let ended: Promise<void>;

beforeEach(() => {
  clock = new TestClock();
  server = new ScriptedServer();
  seen = [];
  logged = [];
  stop = new AbortController();
  const note =
    (level: string) =>
    ({ object, reason }: Readonly<Record<string, unknown>>, message: string): void =>
      void logged.push(
        [level, message, object, reason]
          .filter((word) => typeof word === 'string' || typeof word === 'number')
          .join(' | '),
      );
  ended = keepWatching({
    server,
    ref,
    onObject: (object) => void seen.push(object),
    clock,
    random: () => 1,
    log: { info: note('info'), warn: note('warn') },
    signal: stop.signal,
  });
});

afterEach(async () => {
  stop.abort();
  await ended;
  expect(clock.pending).toBe(0);
});

/** Time passes, and whatever waits for it goes on. */
async function pass(ms: number): Promise<void> {
  await settled();
  clock.turn(ms);
  await settled();
  await settled();
}

/** The next connection is there after this time, and not before. */
async function nextAfter(ms: number): Promise<void> {
  await settled();
  const before = server.connections.length;
  if (ms > 0) await pass(ms - 1);
  expect(server.connections.length).toBe(before);
  await pass(1);
  expect(server.connections.length).toBe(before + 1);
}

const established = 'info | watching | ConfigMap gateways/sluice-default';
const lost = (reason: string): string =>
  `warn | cannot watch; the last good configuration goes on | ConfigMap gateways/sluice-default | ${reason}`;

describe('a watch', () => {
  it('asks for one object by its name, with bookmarks, from the present on, and for five to ten minutes', async () => {
    await settled();
    expect(server.last.path).toBe(
      '/api/v1/namespaces/gateways/configmaps?watch=true&fieldSelector=metadata.name%3Dsluice-default' +
        '&allowWatchBookmarks=true&timeoutSeconds=600',
    );
  });

  it('gives the object as it is and each change of it', async () => {
    const forms = [{ data: { a: '1' } }, { data: { a: '2' } }];
    server.last.send(event('ADDED', forms[0]), event('BOOKMARK', {}), event('MODIFIED', forms[1]));
    await settled();
    expect(seen).toEqual(forms);
  });

  it('goes on with what there was when the object is deleted, and says so once', async () => {
    server.last.send(event('ADDED', { data: {} }), event('DELETED', { data: {} }));
    await settled();
    expect(seen).toHaveLength(1);
    expect(logged).toEqual(['warn | deleted; the last good configuration goes on | ConfigMap gateways/sluice-default']);
    server.last.send(event('ADDED', { data: { a: 'new' } }));
    await settled();
    expect(seen).toHaveLength(2);
  });

  it('ends with its signal, also while it waits, and gives nothing after that', async () => {
    const first = server.last;
    first.send(event('ADDED', {}));
    await settled();
    stop.abort();
    await ended;
    await first.over;
    expect([seen.length, server.connections.length, clock.pending]).toEqual([1, 1, 0]);
  });
});

describe('a watch that ends', () => {
  it('as the server said it would is begun again at once, and is no news', async () => {
    server.last.send(event('ADDED', {}));
    await pass(5_000);
    server.last.end();
    await settled();
    await settled();
    expect(server.connections).toHaveLength(2);
    server.last.send(event('ADDED', {}));
    await pass(5_000);
    expect(logged).toEqual([established]);
  });

  it('because it is cut is begun again within 0.2 s, and is no news', async () => {
    server.last.send(event('ADDED', {}));
    await pass(5_000);
    server.last.fail(new ApiFailure('other side closed', { kind: 'UND_ERR_SOCKET' }));
    await nextAfter(200);
    expect(logged).toEqual([established]);
  });

  it('as soon as it has begun is never begun again in a tight loop', async () => {
    for (const waitMs of [200, 400, 800, 1600]) {
      server.last.send(event('ADDED', {}));
      server.last.end();
      await nextAfter(waitMs);
    }
    expect(logged).toEqual([lost('the watch ended as soon as it had begun')]);
  });

  it('with an error of the server is begun again as after any failure', async () => {
    server.last.send(event('ERROR', { kind: 'Status', code: 410, message: 'too old resource version' }));
    await nextAfter(200);
    server.last.send(event('ERROR', { kind: 'Status', code: 429, details: { retryAfterSeconds: 7 } }));
    await nextAfter(7_400);
    expect(logged).toEqual([lost('410: too old resource version'), lost('429')]);
  });

  it.each([
    ['no JSON', 'CANARY\n', 'an answer that is no JSON'],
    ['no event', '{"kind":"CANARY"}\n', 'an event of no known kind'],
    ['more than 8 MiB in a line', 'x'.repeat(8 * 1024 * 1024 + 1), 'a line has more than 8388608 bytes'],
  ])('because it says %s is begun again, and nothing of that is quoted', async (_what, text, reason) => {
    server.last.accept();
    server.last.bytes.write(text);
    await pass(0);
    await nextAfter(200);
    expect(logged).toEqual([lost(reason)]);
  });
});

describe('a watch that says nothing', () => {
  it('for 150 s is taken for dead, and begun again', async () => {
    server.last.send(event('ADDED', {}));
    await pass(149_000);
    server.last.send(event('BOOKMARK'));
    await pass(149_000);
    expect(server.connections).toHaveLength(1);
    await pass(1_000);
    expect(server.connections[0]?.signal.aborted).toBe(true);
    await nextAfter(200);
    expect(logged).toEqual([established]);
  });
});

describe('an API server that is away', () => {
  it('is tried again after longer and longer waits, and is in the log once', async () => {
    for (const waitMs of [200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000]) {
      server.last.fail(refused);
      await nextAfter(waitMs);
    }
    expect(logged).toEqual([lost('connect ECONNREFUSED')]);
    server.last.send(event('ADDED', { data: {} }));
    await settled();
    expect(seen).toHaveLength(1);
    await pass(5_000);
    expect(logged).toEqual([lost('connect ECONNREFUSED'), established]);
    // What has held is forgotten trouble.
    server.last.fail(refused);
    await nextAfter(200);
  });

  it.each([401, 403, 404, 500])(
    'and answers %i is asked again with backoff; another reason is another line',
    async (status) => {
      server.last.fail(refused);
      await nextAfter(200);
      for (const waitMs of [400, 800, 1600]) {
        server.last.fail(toApiFailure(status, JSON.stringify({ kind: 'Status', message: 'not you' })));
        await nextAfter(waitMs);
      }
      expect(logged).toEqual([lost('connect ECONNREFUSED'), lost(`${status}: not you`)]);
    },
  );

  it('in two ways by turns is in the log once for each', async () => {
    for (const waitMs of [200, 400, 800, 1600, 3200, 6400]) {
      server.last.fail(waitMs === 200 || waitMs === 800 || waitMs === 3200 ? refused : toApiFailure(503, ''));
      await nextAfter(waitMs);
    }
    expect(logged).toEqual([lost('connect ECONNREFUSED'), lost('503')]);
  });

  it('and says when to come back is not asked sooner', async () => {
    server.last.fail(toApiFailure(429, '', '5'));
    await nextAfter(5_200);
  });
});
