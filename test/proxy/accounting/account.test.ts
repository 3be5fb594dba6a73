import { describe, expect, it } from 'vitest';
import { combineObservers, openTrail } from '../../../proxy/accounting/account.ts';
import type { AttemptRecord, Observer, Trail } from '../../../proxy/accounting/trail.ts';

const facts = { id: 'r1', method: 'POST', path: '/v1/chat/completions', receivedAtMs: 5, headers: {} };
const attempt: AttemptRecord = {
  number: 1,
  backend: 'default/chat/a',
  backendName: 'a',
  provider: 'default/a',
  providerType: 'OpenAI',
  key: undefined,
  model: undefined,
  startedAtMs: 6,
};

/** Notes what it is told. */
function listener(name: string, told: string[], headers?: Readonly<Record<string, string>>): Required<Observer> {
  const note = (event: string) => (trail: Trail) => void told.push(`${name} ${event} ${trail.id}`);
  return {
    requestStarted: note('requestStarted'),
    attemptStarted(trail) {
      note('attemptStarted')(trail);
      return headers;
    },
    attemptAnswered: note('attemptAnswered'),
    attemptEnded: note('attemptEnded'),
    requestEnded: note('requestEnded'),
  };
}

function tellAll(observer: Required<Observer>): Readonly<Record<string, string>> | undefined {
  const trail = openTrail(facts);
  observer.requestStarted(trail);
  const headers = observer.attemptStarted(trail, attempt);
  observer.attemptAnswered(trail, attempt);
  observer.attemptEnded(trail, attempt);
  observer.requestEnded(trail);
  return headers;
}

const events = ['requestStarted', 'attemptStarted', 'attemptAnswered', 'attemptEnded', 'requestEnded'];

describe('several observers', () => {
  it('are told everything, each in its turn', () => {
    const told: string[] = [];
    tellAll(combineObservers([listener('one', told), {}, listener('two', told)], () => undefined));
    expect(told).toEqual(events.flatMap((event) => [`one ${event} r1`, `two ${event} r1`]));
  });

  it('do not suffer from one that throws, whose error is heard of', () => {
    const told: string[] = [];
    const errors: unknown[] = [];
    const fault = new Error('the observer');
    const thrower = (): never => {
      throw fault;
    };
    const bad = {
      requestStarted: thrower,
      attemptStarted: thrower,
      attemptAnswered: thrower,
      attemptEnded: thrower,
      requestEnded: thrower,
    };
    const combined = combineObservers([bad, listener('good', told, { a: '1' }), bad], (error) => errors.push(error));
    expect(tellAll(combined)).toEqual({ a: '1' });
    expect(told).toEqual(events.map((event) => `good ${event} r1`));
    expect(errors).toEqual(Array.from({ length: 10 }, () => fault));
  });

  it('may know themselves by `this`', () => {
    class Counting implements Observer {
      count = 0;
      requestStarted(): void {
        this.count += 1;
      }
      requestEnded(): void {
        this.count += 1;
      }
    }
    const counting = new Counting();
    tellAll(combineObservers([counting], (error) => expect.fail(String(error))));
    expect(counting.count).toBe(2);
  });

  it('give the headers of the last that has any', () => {
    const headers = [{ a: '1' }, undefined, { b: '2' }, undefined];
    const observers = headers.map((own, index) => listener(`${index}`, [], own));
    expect(tellAll(combineObservers(observers, () => undefined))).toEqual({ b: '2' });
    expect(tellAll(combineObservers([], () => undefined))).toBeUndefined();
  });
});

describe('a new trail', () => {
  it('begins with the request, and with no attempts', () => {
    expect(openTrail(facts)).toEqual({
      id: 'r1',
      method: 'POST',
      path: '/v1/chat/completions',
      startedAtMs: 5,
      traceparent: undefined,
      tracestate: undefined,
      attempts: [],
    });
  });

  it('has the trace context of the client where there is one of each', () => {
    const headers = { traceparent: '00-a-b-01', tracestate: ['x=1', 'y=2'] };
    expect(openTrail({ ...facts, headers })).toMatchObject({ traceparent: '00-a-b-01', tracestate: undefined });
  });
});
