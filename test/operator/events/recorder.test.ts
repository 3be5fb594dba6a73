import { afterEach, describe, expect, test } from 'vitest';
import type { Happening } from '../../../operator/events/event.ts';
import { createEventRecorder, type EventRecorder } from '../../../operator/events/recorder.ts';
import { createKeptLog } from '../queue/kept-log.ts';
import { TurnedClock } from '../queue/turned-clock.ts';
import { EventServer, failure, type KeptEvent } from './event-server.ts';

const minuteMs = 60_000;
const recorders: EventRecorder[] = [];

function setUp() {
  const clock = new TurnedClock();
  const log = createKeptLog();
  const server = new EventServer();
  const drops: string[] = [];
  const recorder = createEventRecorder({
    client: server,
    clock,
    random: () => 0.5,
    log,
    reportingController: 'sluice.dev/operator',
    reportingInstance: 'operator-7f',
    onDropped: (cause) => drops.push(cause),
  });
  recorders.push(recorder);
  const events = (): KeptEvent[] => [...server.events.values()];
  return { clock, log, server, drops, recorder, events };
}

afterEach(() => {
  for (const recorder of recorders.splice(0)) recorder.stop();
});

function happening(change: Partial<Happening> = {}): Happening {
  return {
    regarding: {
      apiVersion: 'sluice.dev/v1alpha1',
      kind: 'LLMRoute',
      namespace: 'team-a',
      name: 'chat',
      uid: 'uid-chat',
      resourceVersion: '7',
    },
    type: 'Warning',
    reason: 'ProviderNotFound',
    action: 'Compile',
    note: 'spec.rules[0]: there is no LLMProvider "openai"',
    ...change,
  };
}

describe('the first time', () => {
  test('makes an Event beside its object', async () => {
    const { clock, server, recorder, events } = setUp();
    recorder.record(happening());
    await recorder.flush();
    const suffix = (BigInt(clock.now()) * 1_000_000n + 500_001n).toString(16);
    expect(events()).toEqual([
      {
        apiVersion: 'events.k8s.io/v1',
        kind: 'Event',
        metadata: { name: `chat.${suffix}`, namespace: 'team-a' },
        eventTime: '2023-11-14T22:13:20.000000Z',
        reportingController: 'sluice.dev/operator',
        reportingInstance: 'operator-7f',
        ...happening(),
      },
    ]);
    expect(server.requests).toEqual(['POST']);
  });

  test('of different things is an Event each', async () => {
    const { recorder, events } = setUp();
    const { regarding } = happening();
    recorder.record(happening());
    recorder.record(happening({ reason: 'Invalid' }));
    recorder.record(happening({ action: 'Publish' }));
    recorder.record(happening({ type: 'Normal' }));
    recorder.record(happening({ regarding: { ...regarding, uid: 'another' } }));
    await recorder.flush();
    expect(events()).toHaveLength(5);
    expect(new Set(events().map(({ metadata }) => metadata.name)).size).toBe(5);
  });

  test('about an object without a namespace is kept in the default one', async () => {
    const { recorder, events } = setUp();
    recorder.record(happening({ regarding: { apiVersion: 'v1', kind: 'Namespace', name: 'team-a', uid: 'u' } }));
    await recorder.flush();
    expect(events().map(({ metadata }) => metadata.namespace)).toEqual(['default']);
  });

  test.each([
    ['a'.repeat(1025), 1024],
    ['é'.repeat(600), 1024],
    [`a${'é'.repeat(600)}`, 1023],
    ['漢'.repeat(600), 1023],
    ['😀'.repeat(600), 1024],
    ['a'.repeat(1024), 1024],
  ])('cuts a note that is too long, between two characters (%#)', async (note, bytes) => {
    const { recorder, events } = setUp();
    recorder.record(happening({ note }));
    await recorder.flush();
    const [event] = events();
    expect(Buffer.byteLength(event?.note ?? '')).toBe(bytes);
    expect(note.startsWith(event?.note ?? 'x')).toBe(true);
  });

  test.each(['a'.repeat(253), `${'a'.repeat(235)}.b-c`, `${'a'.repeat(235)}-${'b'.repeat(17)}`])(
    'gives the Event of an object with a long name one that is allowed (%#)',
    async (name) => {
      const { recorder, events } = setUp();
      recorder.record(happening({ regarding: { ...happening().regarding, name } }));
      await recorder.flush();
      expect(events()).toHaveLength(1);
    },
  );
});

describe('the same again', () => {
  test('becomes a series at once, whatever its note and the version of the object', async () => {
    const { clock, server, recorder, events } = setUp();
    recorder.record(happening());
    await clock.run(1000);
    recorder.record(happening({ note: 'other words', regarding: { ...happening().regarding, resourceVersion: '8' } }));
    await clock.run(0);
    expect(server.requests).toEqual(['POST', 'PATCH']);
    expect(events()).toHaveLength(1);
    expect(events()[0]?.series).toEqual({ count: 2, lastObservedTime: '2023-11-14T22:13:21.000000Z' });
    expect(events()[0]?.note).toBe(happening().note);
  });

  test('many times is written twice, and its count when it is over', async () => {
    const { clock, server, recorder, events } = setUp();
    for (let time = 0; time < 50; time += 1) {
      recorder.record(happening());
      await clock.run(1000);
    }
    expect(server.requests).toEqual(['POST', 'PATCH']);
    await clock.run(8 * minuteMs);
    expect(server.requests).toEqual(['POST', 'PATCH', 'PATCH']);
    expect(events()[0]?.series).toEqual({ count: 50, lastObservedTime: '2023-11-14T22:14:09.000000Z' });
    expect(clock.pending).toBe(0);
  });

  test('after six minutes of silence is a first time', async () => {
    const { clock, recorder, events } = setUp();
    recorder.record(happening());
    await clock.run(6 * minuteMs - 1);
    recorder.record(happening());
    await clock.run(6 * minuteMs);
    recorder.record(happening());
    await clock.run(0);
    expect(events().map(({ series }) => series?.count)).toEqual([2, undefined]);
  });

  test('for hours is written every half hour, even when the API server has forgotten the Event', async () => {
    const { clock, server, recorder, events } = setUp();
    for (let minute = 0; minute < 60; minute += 1) {
      recorder.record(happening());
      await clock.run(minuteMs);
    }
    expect(server.requests).toEqual(['POST', 'PATCH', 'PATCH']);
    server.events.clear();
    for (let minute = 0; minute < 30; minute += 1) {
      recorder.record(happening());
      await clock.run(minuteMs);
    }
    expect(server.requests.slice(3)).toEqual(['PATCH', 'POST']);
    expect(events()[0]?.series?.count).toBeGreaterThan(60);
  });

  test('before the first was written makes one Event with its count', async () => {
    const { server, recorder, events } = setUp();
    let answer: () => void = () => {};
    server.through = async (call) => {
      await new Promise<void>((resolve) => (answer = resolve));
      return server.handle(call);
    };
    recorder.record(happening({ reason: 'Other' }));
    for (let time = 0; time < 3; time += 1) recorder.record(happening());
    server.through = async (call) => server.handle(call);
    answer();
    await recorder.flush();
    expect(server.requests).toEqual(['POST', 'POST']);
    expect(events().map(({ series }) => series?.count)).toEqual([undefined, 3]);
  });
});

describe('when writing fails', () => {
  test.each([0, 500, 503, 429])('with status %d it is tried again, later each time', async (status) => {
    const { clock, server, recorder, events, log } = setUp();
    const times: number[] = [];
    const startMs = clock.monotonic();
    server.through = async (call) => {
      times.push(clock.monotonic() - startMs);
      if (times.length < 5) throw failure(status);
      return server.handle(call);
    };
    recorder.record(happening());
    await clock.run(minuteMs);
    expect(times).toEqual([0, 562.5, 1687.5, 3937.5, 8437.5]);
    expect(events()).toHaveLength(1);
    expect(log.lines).toEqual([]);
  });

  test('it waits as long as the API server asks for', async () => {
    const { clock, server, recorder } = setUp();
    server.through = () => Promise.reject(failure(429, 'TooManyRequests', 30_000));
    recorder.record(happening());
    await clock.run(29_999);
    expect(server.requests).toHaveLength(1);
    await clock.run(1);
    expect(server.requests).toHaveLength(2);
  });

  test('twelve times it is given up, and the next Event has its chance', async () => {
    const { clock, server, recorder, drops, log, events } = setUp();
    server.through = async (call) => {
      if (server.requests.length <= 12) throw failure(0);
      return server.handle(call);
    };
    recorder.record(happening());
    recorder.record(happening({ reason: 'Other' }));
    await clock.run(5 * minuteMs);
    expect(server.requests).toHaveLength(13);
    expect(drops).toEqual(['gave-up']);
    expect(log.lines.map(({ level }) => level)).toEqual(['warn']);
    expect(events().map(({ reason }) => reason)).toEqual(['Other']);
  });

  test('because it is refused it is not tried again, and each reason is logged once', async () => {
    const { clock, server, recorder, drops, log, events } = setUp();
    const refusals = [failure(403, 'Forbidden'), failure(404, 'NotFound'), failure(403, 'Forbidden'), failure(422)];
    server.through = async (call) => {
      const refusal = refusals.shift();
      if (refusal !== undefined) throw refusal;
      return server.handle(call);
    };
    for (const reason of ['A', 'B', 'C', 'D', 'E']) recorder.record(happening({ reason }));
    await clock.run(minuteMs);
    expect(server.requests).toHaveLength(5);
    expect(drops).toEqual(['refused', 'refused', 'refused', 'refused']);
    expect(log.lines.map(({ level, error }) => [level, String(error)])).toEqual([
      ['warn', 'KubeError: answered 403 Forbidden'],
      ['warn', 'KubeError: answered 404 NotFound'],
      ['warn', 'KubeError: answered 422 '],
    ]);
    expect(events().map(({ reason }) => reason)).toEqual(['E']);
  });

  test('after it was refused, the next time is a first one', async () => {
    const { clock, server, recorder, events } = setUp();
    server.through = () => Promise.reject(failure(403, 'Forbidden'));
    recorder.record(happening());
    await clock.run(0);
    server.through = async (call) => server.handle(call);
    recorder.record(happening());
    await clock.run(0);
    expect(server.requests).toEqual(['POST', 'POST']);
    expect(events().map(({ series }) => series)).toEqual([undefined]);
  });

  test('only in that the answer is lost, there is still one Event, with its count', async () => {
    const { clock, server, recorder, events } = setUp();
    server.through = async (call) => {
      const answer = server.handle(call);
      if (server.requests.length === 1) throw failure(0);
      return answer;
    };
    recorder.record(happening());
    await clock.run(100);
    recorder.record(happening());
    await clock.run(minuteMs);
    expect(server.requests).toEqual(['POST', 'POST', 'PATCH']);
    expect(events().map(({ series }) => series?.count)).toEqual([2]);
  });

  test.each([
    [failure(0), ['POST', 'POST'], [2], []],
    [failure(403), ['POST'], [], ['refused']],
  ])('(%s) while the same happens again, nothing is written twice', async (error, requests, counts, causes) => {
    const { clock, server, recorder, events, drops } = setUp();
    let fail: () => void = () => {};
    server.through = () => new Promise((_resolve, reject) => (fail = () => reject(error)));
    recorder.record(happening());
    await clock.run(0);
    recorder.record(happening());
    server.through = async (call) => server.handle(call);
    fail();
    await clock.run(minuteMs);
    expect(server.requests).toEqual(requests);
    expect(events().map(({ series }) => series?.count)).toEqual(counts);
    expect(drops).toEqual(causes);
  });

  test('by a mistake of ours it is refused like anything else', async () => {
    const { server, recorder, drops } = setUp();
    server.through = () => {
      throw new TypeError('not a function');
    };
    recorder.record(happening());
    await recorder.flush();
    expect(drops).toEqual(['refused']);
  });
});

describe('limits', () => {
  test('when a thousand Events wait, more of them are dropped', async () => {
    const { clock, server, recorder, drops, events } = setUp();
    server.through = () => Promise.reject(failure(0));
    for (let index = 0; index < 1010; index += 1) {
      recorder.record(happening({ regarding: { ...happening().regarding, uid: String(index) } }));
    }
    // One is on its way, a thousand wait.
    expect(drops).toEqual(Array(9).fill('queue-full'));
    server.through = async (call) => server.handle(call);
    await clock.run(minuteMs);
    expect(events()).toHaveLength(1001);
  });

  test('an object may have 25 Events at once, then one in five minutes; others do not suffer', async () => {
    const { clock, recorder, drops, events } = setUp();
    for (let index = 0; index < 40; index += 1) recorder.record(happening({ reason: `Reason${index}` }));
    await clock.run(0);
    expect(events()).toHaveLength(25);
    expect(drops).toEqual(Array(15).fill('spam'));
    recorder.record(happening({ regarding: { ...happening().regarding, uid: 'other' } }));
    await clock.run(0);
    expect(events()).toHaveLength(26);

    await clock.run(5 * minuteMs);
    recorder.record(happening({ reason: 'Late1' }));
    recorder.record(happening({ reason: 'Late2' }));
    await clock.run(0);
    expect(events()).toHaveLength(27);
  });

  test('repetitions are no spam: they are counted', async () => {
    const { clock, recorder, drops, events } = setUp();
    for (let index = 0; index < 100; index += 1) recorder.record(happening());
    await clock.run(10 * minuteMs);
    expect(drops).toEqual([]);
    expect(events().map(({ series }) => series?.count)).toEqual([100]);
  });

  test('the series that is quiet for longest makes room for a new one, and its count is written', async () => {
    const { clock, recorder, events } = setUp();
    const record = (index: number): void =>
      recorder.record(happening({ regarding: { ...happening().regarding, uid: String(index) } }));
    for (let time = 0; time < 3; time += 1) record(0);
    for (let index = 1; index <= 4096; index += 1) {
      record(index);
      if (index % 500 === 0) await clock.run(0);
    }
    await clock.run(0);
    record(0);
    await clock.run(0);
    const counts = events().filter(({ regarding }) => 'uid' in regarding && regarding.uid === '0');
    expect(counts.map(({ series }) => series?.count)).toEqual([3, undefined]);
  });
});

describe('in the end', () => {
  test('a flush writes the counts of what goes on', async () => {
    const { clock, recorder, events } = setUp();
    for (let time = 0; time < 7; time += 1) {
      recorder.record(happening());
      await clock.run(10);
    }
    await recorder.flush();
    expect(events()[0]?.series?.count).toBe(7);
  });

  test('a stop drops what waits, ends a flush, and leaves no timer', async () => {
    const { clock, server, recorder, drops } = setUp();
    server.through = () => Promise.reject(failure(0));
    recorder.record(happening());
    recorder.record(happening({ reason: 'Other' }));
    await clock.run(100);
    const flushed = recorder.flush();
    recorder.stop();
    recorder.record(happening({ reason: 'Late' }));
    await flushed;
    expect(drops).toEqual(['stopped', 'stopped']);
    expect(server.requests).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });
});
