import { expect, it } from 'vitest';
import type { Observer } from '../../../proxy/accounting/trail.ts';
import type { Log, LogFields } from '../../../proxy/telemetry/log.ts';
import { combineObservers } from '../../../proxy/telemetry/observers.ts';
import { failOverOnce, newAttempt, newTrail } from './trails.ts';

function listeningLog(heard: LogFields[]): Log {
  const ignore = (): void => undefined;
  const log: Log = {
    debug: ignore,
    info: ignore,
    warn: ignore,
    error: (fields) => void heard.push(fields),
    child: () => log,
  };
  return log;
}

it('all observers hear everything, also when one of them fails, which is said once', () => {
  const heard: string[] = [];
  const failures: LogFields[] = [];
  const broken: Observer = {
    requestStarted() {
      throw new Error('broken');
    },
    requestEnded() {
      throw new Error('broken');
    },
  };
  const whole: Observer = {
    requestStarted: () => void heard.push('request started'),
    attemptEnded: (_trail, { backendName }) => void heard.push(`${backendName} ended`),
    requestEnded: () => void heard.push('request ended'),
  };
  failOverOnce(combineObservers([broken, undefined, whole], listeningLog(failures)));
  expect(heard).toEqual(['request started', 'azure ended', 'openai ended', 'request ended']);
  expect(failures).toHaveLength(1);
});

it('headers for the upstream are those of all observers', () => {
  const one: Observer = { attemptStarted: () => ({ traceparent: 'a' }) };
  const other: Observer = { attemptStarted: () => ({ tracestate: 'b' }) };
  const silent: Observer = { attemptStarted: () => undefined };
  const start = (observers: readonly Observer[]) =>
    combineObservers(observers, listeningLog([])).attemptStarted?.(newTrail(), newAttempt('openai'));
  expect(start([one, silent, other])).toEqual({ traceparent: 'a', tracestate: 'b' });
  expect(start([silent])).toBeUndefined();
});
