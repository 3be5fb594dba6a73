import { Command } from 'commander';
import { expect, test } from 'vitest';
import { toOption } from '../../../proxy/command-line/command.ts';
import { StartFailure, UsageError } from '../../../proxy/command-line/failures.ts';
import { gatewayOptions } from '../../../proxy/command-line/gateway-options.ts';
import type { Flags } from '../../../proxy/command-line/options.ts';
import { proxyOptions, readProxyOptions } from '../../../proxy/command-line/proxy-command.ts';

const config = { SLUICE_CONFIG: 'dir' };

test('a proxy has the defaults of every gateway, and connects to public addresses only', () => {
  expect(readProxyOptions({ config: 'there' }, {}, '1.2.3')).toEqual({
    configDirectory: 'there',
    version: '1.2.3',
    listen: { host: '127.0.0.1', port: 8080 },
    admin: { host: '127.0.0.1', port: 9090, token: undefined },
    redisURL: undefined,
    className: 'default',
    replicas: 1,
    drainMs: 600_000,
    overload: { requestsMax: 10_000, loopDelayMeanMsMax: 200, memoryShareMax: 0.85 },
    addresses: { allowPrivate: false, allowCidrs: [] },
    sources: { allowCidrs: [] },
    identity: {},
    logLevel: 'info',
    accessLog: false,
    otlpEndpoint: undefined,
    serviceName: undefined,
  });
});

test('every option of a proxy can be given by its variable, and the flag wins', () => {
  const environment = {
    SLUICE_CONFIG: 'dir',
    SLUICE_WATCH: 'sluice-system/sluice-default',
    KUBECONFIG: 'file',
    SLUICE_CLASS: 'one',
    SLUICE_LISTEN: ':80',
    SLUICE_ADMIN: ':81',
    SLUICE_ADMIN_TOKEN: 'token',
    REDIS_URL: 'redis://one',
    SLUICE_REPLICAS: '3',
    SLUICE_DRAIN_SECONDS: '30',
    SLUICE_MAX_REQUESTS: '500',
    SLUICE_SHED_LOOP_DELAY_MS: '0',
    SLUICE_SHED_MEMORY_PERCENT: '90',
    SLUICE_ALLOW_ENDPOINT_CIDR: '10.0.0.0/8 fd00::/8',
    SLUICE_ALLOW_SOURCE_CIDR: '10.1.0.0/16',
    SLUICE_PLUGINS: 'modules',
    LOG_LEVEL: 'debug',
    SLUICE_ACCESS_LOG: 'true',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://all:4318',
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://traces:4318',
  };
  const variables = Object.values(proxyOptions).map(({ variable }) => variable);
  expect(Object.keys(environment)).toEqual(expect.arrayContaining(variables));
  expect(readProxyOptions({}, environment, '1')).toMatchObject({
    configDirectory: 'dir',
    watch: { namespace: 'sluice-system', name: 'sluice-default', kubeconfig: 'file' },
    className: 'one',
    listen: { host: '::', port: 80 },
    admin: { host: '::', port: 81, token: 'token' },
    redisURL: 'redis://one',
    replicas: 3,
    drainMs: 30_000,
    sources: { allowCidrs: ['10.1.0.0/16'] },
    overload: { requestsMax: 500, loopDelayMeanMsMax: 0, memoryShareMax: 0.9 },
    addresses: { allowPrivate: false, allowCidrs: ['10.0.0.0/8', 'fd00::/8'] },
    pluginFolder: 'modules',
    logLevel: 'debug',
    accessLog: true,
    otlpEndpoint: 'http://traces:4318',
  });
  expect(readProxyOptions({ config: 'other', class: 'two' }, environment, '1')).toMatchObject({
    configDirectory: 'other',
    className: 'two',
  });
});

test.each([
  [{}, '--config <directory> or --watch <namespace/name> must be given'],
  [{ watch: 'sluice-default' }, '--watch must be NAMESPACE/NAME of a ConfigMap'],
  [{ config: '' }, '--config must be a directory'],
  [{ config: 'dir', listen: 'nowhere' }, '--listen must be HOST:PORT'],
])('flags of %o are wrong usage', (flags, message) => {
  const read = (): unknown => readProxyOptions(flags, {}, '1');
  expect(read).toThrow(UsageError);
  expect(read).toThrow(message);
});

test.each(['10.0.0.0', '10.0.0.0/33', '10.0.0/8', 'fd00::/129', '::1/', 'abc/8', '10.0.0.0/8,1'])(
  'a network %s is none',
  (text) => {
    const read = (): unknown => readProxyOptions({}, { ...config, SLUICE_ALLOW_ENDPOINT_CIDR: text }, '1');
    expect(read).toThrow(StartFailure);
    expect(read).toThrow('the environment variable SLUICE_ALLOW_ENDPOINT_CIDR must be networks');
  },
);

test('networks may be given with commas, by repeating the flag, or both', async () => {
  const program = new Command().exitOverride();
  program.addOption(toOption(gatewayOptions.allowEndpointCidr));
  const given = ['10.0.0.0/8,11.0.0.0/8', '12.0.0.0/8'].flatMap((text) => ['--allow-endpoint-cidr', text]);
  await program.parseAsync(given, { from: 'user' });
  expect(readProxyOptions(program.opts<Flags>(), config, '1').addresses.allowCidrs).toEqual([
    '10.0.0.0/8',
    '11.0.0.0/8',
    '12.0.0.0/8',
  ]);
});
