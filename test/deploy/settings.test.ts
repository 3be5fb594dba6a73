import { expect, test } from 'vitest';
import { readDisabledTime } from '../../deploy/standalone/disabled-time.ts';
import { StartFailure, UsageError } from '../../proxy/command-line/failures.ts';
import { readCheckSettings, readRunSettings } from '../../deploy/standalone/settings.ts';

test('without flags and variables everything has its default', () => {
  expect(readRunSettings(['a.yaml'], {}, {}, '1.2.3')).toEqual({
    paths: ['a.yaml'],
    disableSecondsDefault: 600,
    strict: false,
    standInPort: undefined,
    gateway: {
      version: '1.2.3',
      listen: { host: '127.0.0.1', port: 8080 },
      admin: { host: '127.0.0.1', port: 9090, token: undefined },
      redisURL: undefined,
      className: 'default',
      replicas: 1,
      drainMs: 600_000,
      overload: { requestsMax: 10_000, loopDelayMeanMsMax: 200, memoryShareMax: 0.85 },
      addresses: { allowPrivate: true, allowCidrs: [] },
      sources: { allowCidrs: [] },
      identity: {},
      logLevel: 'info',
      accessLog: false,
      otlpEndpoint: undefined,
      serviceName: undefined,
    },
  });
});

const environment = {
  SLUICE_LISTEN: '0.0.0.0:80',
  SLUICE_ADMIN: '[::1]:81',
  SLUICE_ADMIN_TOKEN: 'token',
  REDIS_URL: 'redis://one',
  SLUICE_REPLICAS: '3',
  SLUICE_DRAIN_SECONDS: '30',
  SLUICE_MAX_REQUESTS: '500',
  SLUICE_SHED_LOOP_DELAY_MS: '0',
  SLUICE_SHED_MEMORY_PERCENT: '90',
  SLUICE_CLASS: 'one',
  SLUICE_STRICT: 'true',
  SLUICE_ALLOW_ENDPOINT_CIDR: '169.254.0.0/16, fe80::/10',
  SLUICE_ALLOW_SOURCE_CIDR: '10.1.0.0/16',
  LOG_LEVEL: 'debug',
  SLUICE_ACCESS_LOG: '1',
  SLUICE_STAND_INS: 'true',
  DISABLED_TIME: '0.5',
  OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318',
  OTEL_SERVICE_NAME: 'gateway',
};

test('every option can be given by its variable', () => {
  expect(readRunSettings([], {}, environment, '1')).toMatchObject({
    disableSecondsDefault: 30,
    strict: true,
    standInPort: 18_081,
    gateway: {
      listen: { host: '0.0.0.0', port: 80 },
      admin: { host: '::1', port: 81, token: 'token' },
      redisURL: 'redis://one',
      className: 'one',
      replicas: 3,
      drainMs: 30_000,
      overload: { requestsMax: 500, loopDelayMeanMsMax: 0, memoryShareMax: 0.9 },
      addresses: { allowPrivate: true, allowCidrs: ['169.254.0.0/16', 'fe80::/10'] },
      sources: { allowCidrs: ['10.1.0.0/16'] },
      logLevel: 'debug',
      accessLog: true,
      otlpEndpoint: 'http://collector:4318',
      serviceName: 'gateway',
    },
  });
});

test('the flag wins over the variable', () => {
  const flags = {
    listen: '8000',
    redis: 'redis://two',
    class: 'two',
    drainSeconds: '1',
    standIns: '28081',
    logLevel: 'warn',
  };
  expect(readRunSettings([], flags, environment, '1')).toMatchObject({
    standInPort: 28_081,
    gateway: {
      listen: { host: '127.0.0.1', port: 8000 },
      redisURL: 'redis://two',
      className: 'two',
      drainMs: 1000,
      logLevel: 'warn',
    },
  });
});

test('an empty variable counts as unset', () => {
  const empty = Object.fromEntries(Object.keys(environment).map((name) => [name, '']));
  expect(readRunSettings([], {}, empty, '1')).toEqual(readRunSettings([], {}, {}, '1'));
});

test.each([
  [{ listen: 'nowhere' }, '--listen must be HOST:PORT'],
  [{ listen: '127.0.0.1:70000' }, '--listen must be HOST:PORT'],
  [{ drainSeconds: '-1' }, '--drain-seconds must be a whole number from 0 to 86400'],
  [{ maxRequests: '-1' }, '--max-requests must be a whole number from 0 to 1000000'],
  [{ shedLoopDelayMs: '1.5' }, '--shed-loop-delay-ms must be a whole number from 0 to 60000'],
  [{ shedMemoryPercent: '101' }, '--shed-memory-percent must be a whole number from 0 to 100'],
  [{ replicas: '0' }, '--replicas must be a whole number from 1 to 10000'],
  [{ logLevel: 'loud' }, '--log-level must be one of trace, debug'],
  [{ standIns: '80' }, '--stand-ins must be a whole number from 1024'],
  [{ allowEndpointCidr: '10.0.0.0' }, '--allow-endpoint-cidr must be networks'],
  [{ allowSourceCidr: 'everything' }, '--allow-source-cidr must be networks'],
])('a flag of %o is wrong usage', (flags, message) => {
  const read = (): unknown => readRunSettings([], flags, {}, '1');
  expect(read).toThrow(UsageError);
  expect(read).toThrow(message);
});

test.each([
  [{ SLUICE_LISTEN: 'x' }, 'the environment variable SLUICE_LISTEN must be HOST:PORT'],
  [{ SLUICE_STRICT: 'perhaps' }, 'the environment variable SLUICE_STRICT must be true or false'],
  [{ DISABLED_TIME: 'soon' }, 'the environment variable DISABLED_TIME must be a number of minutes'],
])('a variable of %o is a failure to start', (bad, message) => {
  const read = (): unknown => readRunSettings([], {}, bad, '1');
  expect(read).toThrow(StartFailure);
  expect(read).toThrow(message);
});

test.each([
  [undefined, 600],
  ['10', 600],
  ['0', 0],
  ['0.0', 0],
  ['0.5', 30],
  ['0.55', 33],
  ['43200', 2_592_000],
])('DISABLED_TIME of %s minutes are %d seconds', (text, seconds) => {
  expect(readDisabledTime(text)).toBe(seconds);
});

test.each(['-1', '1e3', 'NaN', 'Infinity', '10m', '1,5', '.', '0x10', '43201', '99999999999'])(
  'DISABLED_TIME of %s is refused',
  (text) => {
    expect(() => readDisabledTime(text)).toThrow('must be a number of minutes from 0 to 43200');
  },
);

test('DISABLED_TIME and the class count for check too', () => {
  const settings = readCheckSettings(['a'], { explain: ['GET /v1/models'] }, { DISABLED_TIME: '1', SLUICE_CLASS: 'x' });
  expect(settings).toMatchObject({ paths: ['a'], className: 'x', disableSecondsDefault: 60 });
  expect(settings.requests).toMatchObject([{ method: 'GET', path: '/v1/models' }]);
});
