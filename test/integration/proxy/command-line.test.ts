// `sluice proxy` as somebody types it: help, and every way not to start.

import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { makeFolder } from '../../deploy/folder.ts';
import { runProgram } from '../standalone/program.ts';

const entry = 'proxy/main.ts';
const free = ['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0'];

test('help lists every option with its variable, and what has only a variable', async () => {
  const { code, out } = await runProgram(['proxy', '--help']);
  expect(code).toBe(0);
  const flags =
    '--config --watch --kubeconfig --class --listen --admin --redis --replicas --drain-seconds --max-requests --shed-loop-delay-ms --shed-memory-percent --allow-endpoint-cidr --allow-source-cidr --log-level --access-log';
  const variables =
    'SLUICE_CONFIG SLUICE_WATCH KUBECONFIG SLUICE_CLASS SLUICE_LISTEN SLUICE_ADMIN REDIS_URL SLUICE_REPLICAS SLUICE_DRAIN_SECONDS ' +
    'SLUICE_MAX_REQUESTS SLUICE_SHED_LOOP_DELAY_MS SLUICE_SHED_MEMORY_PERCENT ' +
    'SLUICE_ALLOW_ENDPOINT_CIDR SLUICE_ALLOW_SOURCE_CIDR LOG_LEVEL SLUICE_ACCESS_LOG SLUICE_ADMIN_TOKEN OTEL_EXPORTER_OTLP_ENDPOINT';
  for (const name of `${flags} ${variables}`.split(' ')) expect(out).toContain(name);
  expect(out).not.toMatch(/--strict|--stand-ins/);
  expect((await runProgram(['--help'])).out).toMatch(/sluice proxy\n {2}--config/);
});

test.each([
  [
    [],
    /^sluice: --config <directory> or --watch <namespace\/name> must be given, or the environment variable SLUICE_CONFIG or SLUICE_WATCH\n$/,
  ],
  [['--watch', 'sluice-default'], /^sluice: --watch must be NAMESPACE\/NAME of a ConfigMap\n$/],
  [['--watch', 'A/b'], /^sluice: --watch must be NAMESPACE\/NAME of a ConfigMap\n$/],
  [['--watch', 'a/b', '--kubeconfig', 'one:two'], /^sluice: --kubeconfig must be one file\n$/],
  [['--config', '.', '--strict'], /unknown option '--strict'/],
  [['--config', '.', 'more'], /too many arguments/],
  [['--config', '.', '--drain-seconds', 'long'], /^sluice: --drain-seconds must be a whole number from 0 to 86400\n$/],
])('%j is wrong usage: exit code 2', async (args, says) => {
  const { code, err } = await runProgram(args, { entry });
  expect(code).toBe(2);
  expect(err).toMatch(says);
});

test('each failure to start is exit code 1 and one line that says why', async () => {
  using folder = makeFolder({ file: '' });
  const taken = createServer();
  await new Promise<void>((resolve) => void taken.listen(0, '127.0.0.1', resolve));
  const { port } = taken.address() as { readonly port: number };
  const failure = async (args: readonly string[], environment = {}): Promise<string> => {
    const { code, out, err } = await runProgram([...free, ...args], { entry, environment });
    expect([code, out]).toEqual([1, '']);
    return err.replaceAll(folder.path, '.');
  };
  try {
    expect(await failure(['--config', folder.at('none')])).toBe(
      'sluice: --config ./none: there is no such directory\n',
    );
    expect(await failure([], { SLUICE_CONFIG: folder.at('file') })).toBe('sluice: --config ./file: is no directory\n');
    expect(await failure(['--watch', 'a/b'])).toBe(
      'sluice: the gateway cannot start: --watch needs --kubeconfig FILE outside a cluster (KUBERNETES_SERVICE_HOST is not set)\n',
    );
    expect(await failure(['--config', folder.path], { SLUICE_WATCH: 'a/b', KUBECONFIG: folder.at('file') })).toBe(
      'sluice: the gateway cannot start: the kubeconfig ./file cannot be used: it is not YAML of that kind\n',
    );
    expect(await failure(['--config', folder.path, '--redis', 'http://:CANARY@redis'])).toMatch(
      /^sluice: the gateway cannot start: the Redis URL must have the form (?!.*CANARY).*\n$/,
    );
    expect(await failure(['--config', folder.path], { LOG_LEVEL: 'loud' })).toMatch(
      /^sluice: the environment variable LOG_LEVEL must be one of .*\n$/,
    );
    expect(await failure(['--config', folder.path, '--admin', `127.0.0.1:${port}`])).toBe(
      `sluice: 127.0.0.1:${port} is in use: stop what listens there, or choose another place with --admin HOST:PORT\n`,
    );
  } finally {
    taken.close();
  }
});
