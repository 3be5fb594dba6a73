// `sluice run` from start to drain: requests, edits, and everything that can go wrong with either.

import { createServer } from 'node:net';
import { createServer as createHTTPServer } from 'node:http';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { type StandIn, startStandIn } from '../../../deploy/standalone/stand-ins/server.ts';
import { type Folder, makeFolder } from '../../deploy/folder.ts';
import { provider, route } from '../../deploy/manifests.ts';
import { soon } from '../../support/soon.ts';
import { freePorts, type Program, type ProgramOptions, runProgram, startProgram } from './program.ts';

const free = ['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0'];

interface Gateway extends AsyncDisposable {
  readonly program: Program;
  readonly url: string;
  readonly admin: string;
}

async function startGateway(args: readonly string[], options?: ProgramOptions): Promise<Gateway> {
  const program = startProgram(['run', ...args, ...free], options);
  const [, url = '', admin = ''] = await program.says(/requests +(\S+)\n +admin +(\S+)[^]*try it:\n.*\n/);
  return { program, url, admin, [Symbol.asyncDispose]: () => program[Symbol.asyncDispose]() };
}

async function upstream(name: string, { broken = false, pieceMs = 0 } = {}): Promise<StandIn & AsyncDisposable> {
  const standIn = await startStandIn({ name, port: 0, broken, pieceMs, now: Date.now });
  return Object.assign(standIn, { [Symbol.asyncDispose]: () => standIn.close() });
}

/** What answers, or the error's code. */
async function ask(url: string, body: object = {}): Promise<string> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ messages: [{ role: 'user', content: 'Hello' }], ...body }),
  });
  const answer = (await response.json()) as {
    readonly choices?: readonly { readonly message: { readonly content: string } }[];
    readonly error?: { readonly code: string };
  };
  const text = answer.choices?.[0]?.message.content ?? '';
  return /^Hello from (\w+)/.exec(text)?.[1] ?? `${response.status} ${answer.error?.code}`;
}

test('the quickstart: three stand-ins, a curl that works, a broken backend that nobody notices', async () => {
  const port = await freePorts(3);
  const text = readFileSync(new URL('../../../deploy/examples/quickstart.yaml', import.meta.url), 'utf8');
  using folder = makeFolder({
    'a.yaml': text.replaceAll(/1808([123])/g, (_found, n: string) => String(port + Number(n) - 1)),
  });
  await using gateway = await startGateway([folder.path, '--stand-ins', String(port)]);
  const [, curl = ''] = await gateway.program.says(/try it:\n {2}(curl .*)\n/);
  const [, url = '', body = ''] = /^curl (\S+) -H 'content-type: application\/json' -d '(.*)'$/.exec(curl) ?? [];
  const answers = new Set<string>();
  for (let n = 0; n < 30; n += 1) answers.add(await ask(url, JSON.parse(body) as object));
  expect([...answers].toSorted()).toEqual(['gpt35turbo', 'gpt4']);
  expect(await ask(`${gateway.url}/azure/gpt4/`)).toBe('gpt4');
  expect(gateway.program.out()).toContain(`stand-ins gpt35turbo http://127.0.0.1:${port}/v1`);
});

test('an edit is soon in force, a bad one changes nothing, and a good one heals', async () => {
  await using one = await upstream('one');
  await using two = await upstream('two');
  using folder = makeFolder({ 'a.yaml': provider('p', { url: one.url }), 'b.yaml': route('r', 'p') });
  await using gateway = await startGateway([folder.path]);
  const url = `${gateway.url}/r`;
  expect(await ask(url)).toBe('one');

  folder.write('a.yaml', provider('p', { url: two.url }));
  await soon(() => ask(url)).toBe('two');

  folder.write('a.yaml', provider('p', { url: one.url }) + route('s', 'missing'));
  await gateway.program.says(
    /a\.yaml: LLMRoute default\/s .*"missing"[^]*the edit is not applied; revision \d+ goes on/,
  );
  expect(await ask(url)).toBe('two');
  expect((await fetch(`${gateway.admin}/readyz`)).status).toBe(200);

  folder.write('a.yaml', provider('p', { url: one.url }) + route('s', 'p'));
  await soon(() => ask(url)).toBe('one');
  expect(await ask(`${gateway.url}/s`)).toBe('one');
  expect(gateway.program.err().match(/the edit is in force/g)).toHaveLength(2);
});

test('a route whose file is deleted is gone; without any route left the last ones stay', async () => {
  await using one = await upstream('one');
  using folder = makeFolder({
    'a.yaml': provider('p', { url: one.url }),
    'b.yaml': route('r', 'p'),
    'c.yaml': route('s', 'p'),
  });
  await using gateway = await startGateway([folder.path]);
  rmSync(folder.at('c.yaml'));
  await soon(() => ask(`${gateway.url}/s`)).toBe('404 route_not_found');
  rmSync(folder.at('b.yaml'));
  await gateway.program.says(/the edit is not applied: no route is left; revision \d+ goes on/);
  expect(await ask(`${gateway.url}/r`)).toBe('one');
});

test('SIGTERM lets a stream end, and then the program ends with 0', async () => {
  await using slow = await upstream('slow', { pieceMs: 40 });
  using folder = makeFolder({ 'a.yaml': provider('p', { url: slow.url }) + route('r', 'p') });
  await using gateway = await startGateway([folder.path]);
  const response = await fetch(`${gateway.url}/r`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ stream: true, messages: [{ role: 'user', content: 'Hello' }] }),
  });
  gateway.program.process.kill('SIGTERM');
  const text = await response.text();
  expect(text).toContain('names ');
  expect(text.trimEnd().endsWith('data: [DONE]')).toBe(true);
  expect(await gateway.program.ended).toBe(0);
});

test('a second signal ends the program at once, and not with 0', async () => {
  await using slow = await upstream('slow', { pieceMs: 1000 });
  using folder = makeFolder({ 'a.yaml': provider('p', { url: slow.url }) + route('r', 'p') });
  await using gateway = await startGateway([folder.path]);
  const response = await fetch(`${gateway.url}/r`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ stream: true, messages: [{ role: 'user', content: 'Hello' }] }),
  });
  const cut = response.text().catch(() => 'cut');
  gateway.program.process.kill('SIGINT');
  await delay(200);
  expect(gateway.program.process.exitCode).toBeNull();
  gateway.program.process.kill('SIGINT');
  expect(await gateway.program.ended).toBe(130);
  expect(await cut).toBe('cut');
});

test('what is accepted is served, the rest is said', async () => {
  await using one = await upstream('one');
  using folder = makeFolder({ 'a.yaml': provider('p', { url: one.url }) + route('r', 'p') + route('s', 'missing') });
  await using gateway = await startGateway([folder.path]);
  expect(gateway.program.err()).toMatch(/a\.yaml: LLMRoute default\/s /);
  expect(gateway.program.err()).toContain('of 3 objects, those without errors are served');
  expect(await ask(`${gateway.url}/r`)).toBe('one');
  expect(await ask(`${gateway.url}/s`)).toBe('503 no_backend');
});

function lastLine(text: string): string | undefined {
  return text.trimEnd().split('\n').at(-1);
}

async function failure(folder: Folder, args: readonly string[] = [], environment = {}): Promise<string | undefined> {
  const { code, err } = await runProgram(['run', folder.path, ...free, ...args], { environment });
  expect(code).toBe(1);
  return lastLine(err)?.replaceAll(folder.path, '.');
}

test('with --strict anything to complain about keeps it from starting', async () => {
  using folder = makeFolder({
    'a.yaml': `${provider('p')}${route('r', 'p')}apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}`,
  });
  expect(await failure(folder, ['--strict'])).toBe('sluice: not started, for the reasons above (--strict)');
  expect(await failure(folder, [], { SLUICE_STRICT: 'true' })).toContain('--strict');
});

test('nothing to serve is a failure to start, in one line', async () => {
  using folder = makeFolder({ 'a.yaml': provider('p') });
  expect(await failure(folder)).toBe('sluice: nothing to serve in .: there is no LLMRoute');
  folder.write('b.yaml', route('r', 'missing'));
  expect(await failure(folder)).toBe('sluice: nothing to serve in .: no route is left, for the reasons above');
  expect(lastLine((await runProgram(['run', '/no/such/path', ...free])).err)).toContain(
    'nothing to serve in /no/such/path',
  );
});

test('a port that is taken is named, with the flag that changes it', async () => {
  using folder = makeFolder({ 'a.yaml': provider('p') + route('r', 'p') });
  const taken = createServer();
  await new Promise<void>((resolve) => void taken.listen(0, '127.0.0.1', resolve));
  const { port } = taken.address() as { readonly port: number };
  try {
    for (const flag of ['--listen', '--admin']) {
      expect(await failure(folder, [flag, `127.0.0.1:${port}`])).toBe(
        `sluice: 127.0.0.1:${port} is in use: stop what listens there, or choose another place with ${flag} HOST:PORT`,
      );
    }
  } finally {
    taken.close();
  }
});

test('a variable that cannot be read is a failure to start, a flag wrong usage', async () => {
  using folder = makeFolder({ 'a.yaml': provider('p') + route('r', 'p') });
  expect(await failure(folder, [], { DISABLED_TIME: '-1' })).toMatch(
    /^sluice: the environment variable DISABLED_TIME must be/,
  );
  const { code, err } = await runProgram(['run', folder.path, '--drain-seconds', 'long']);
  expect([code, err]).toEqual([2, 'sluice: --drain-seconds must be a whole number from 0 to 86400\n']);
});

test('the flag wins over the variable, and credentials of Redis are not printed', async () => {
  using folder = makeFolder({ 'a.yaml': provider('p') + route('r', 'p') });
  const environment = { SLUICE_LISTEN: '127.0.0.1:1', LOG_LEVEL: 'silent', REDIS_URL: 'nonsense://user:CANARY@host' };
  const { code, out, err } = await runProgram(['run', folder.path, ...free], { environment });
  expect(code).toBe(1);
  expect(out + err).not.toContain('CANARY');
});

test('a client key from the environment opens its route, and no other', async () => {
  await using one = await upstream('one');
  const key = [
    'apiVersion: sluice.dev/v1alpha1\nkind: LLMKey\nmetadata: {name: app}',
    'spec: {type: Client, secretRef: {name: s, key: k}, client: {models: ["*"]}}',
    '---\napiVersion: v1\nkind: Secret\nmetadata: {name: s, labels: {sluice.dev/credential: "true"}}',
    'stringData: {k: "${CLIENT_KEY}"}',
  ].join('\n');
  const closed = route('r', 'p').replace('access: {mode: Anonymous}', 'access: {mode: AllKeys}');
  using folder = makeFolder({ 'a.yaml': provider('p', { url: one.url }) + closed + key });
  await using gateway = await startGateway([folder.path], { environment: { CLIENT_KEY: 'CANARY-client-key' } });
  expect(await ask(`${gateway.url}/r`)).toBe('401 invalid_api_key');
  const answer = await fetch(`${gateway.url}/r`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer CANARY-client-key' },
    body: JSON.stringify({ messages: [{ role: 'user', content: 'Hello' }] }),
  });
  expect(answer.status).toBe(200);
  expect(gateway.program.out() + gateway.program.err()).not.toContain('CANARY');
});

test('what is sent is what was explained', async () => {
  const seen: string[] = [];
  const server = createHTTPServer((incoming, outgoing) => {
    let body = '';
    incoming.on('data', (chunk: Buffer) => (body += chunk.toString()));
    incoming.on('end', () => {
      const { model } = JSON.parse(body) as { readonly model: string };
      seen.push(`${incoming.method} http://${incoming.headers.host}${incoming.url}`, `model ${model}`);
      outgoing.writeHead(500).end();
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { readonly port: number };
  const azure = provider('p', { url: `http://127.0.0.1:${port}` }).replace(
    'type: OpenAICompatible,',
    'type: AzureOpenAI, azure: {apiVersion: "2024-10-21"}, models: [{name: some-model, upstreamName: my-deployment}],',
  );
  using folder = makeFolder({ 'a.yaml': azure + route('r', 'p') });
  const { out } = await runProgram(['check', folder.path, '--explain', 'POST /r/v1/chat/completions model=x']);
  const [, place, model] = /only: (\S+ \S+)\n +(model \S+);/.exec(out) ?? [];
  await using gateway = await startGateway([folder.path]);
  expect(await ask(`${gateway.url}/r/v1/chat/completions`, { model: 'x' })).toMatch(/^50/);
  server.close();
  expect(seen.slice(0, 2)).toEqual([place, model]);
  expect(place).toContain('/openai/deployments/my-deployment/chat/completions?api-version=2024-10-21');
});

test('sluice proxy hands over to the proxy, or says that there is none', async () => {
  const there = existsSync(new URL('../../../proxy/main.ts', import.meta.url));
  const { code, out, err } = await runProgram(['proxy', '--help']);
  expect(code).toBe(there ? 0 : 1);
  expect(out + err).toMatch(
    there ? /--config/ : /^sluice: this installation has no proxy of its own; use sluice run\n$/,
  );
});
