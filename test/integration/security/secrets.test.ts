// Rows 1, 3, 7, 16, 27 and 30: `sluice run` with a Redis, in every trouble, leaves no credential and no prompt anywhere, and
// lets nobody write a line of its log. What the proxy alone tells its clients is tested beside it.

import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { check } from '../../../deploy/standalone/check.ts';
import { type Folder, makeFolder } from '../../deploy/folder.ts';
import { chat, chatRequest } from '../../support/chat.ts';
import { ask } from '../../support/client.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { requires } from '../../support/requires.ts';
import { answer } from '../../support/scripts.ts';
import { soon } from '../../support/soon.ts';
import { type ScriptedUpstream, startUpstream } from '../../support/upstream.ts';
import { sendRaw } from '../ingress/rig.ts';
import { type Program, startProgram } from '../standalone/program.ts';

const redisServer = await requires('redis-server');

const canary = (kind: string): string => `CANARY-${kind}-${randomUUID()}`;
const secrets = {
  UPSTREAM_ONE: canary('upstream-one'),
  UPSTREAM_TWO: canary('upstream-two'),
  CLIENT_KEY: canary('client'),
  ADMIN: canary('admin'),
  REDIS: canary('redis'),
};
/** What only clients know: prompts, and credentials that were never ours. */
const foreign = {
  prompt: canary('prompt'),
  unknownKey: canary('unknown'),
  cookie: canary('cookie'),
  query: canary('query'),
};
const all = [...Object.values(secrets), ...Object.values(foreign)];

const manifest = (baseURL: string): string => `
apiVersion: sluice.dev/v1alpha1
kind: LLMProvider
metadata: {name: pool}
spec: {type: OpenAICompatible, endpoint: {url: "${baseURL}", insecureHTTP: Allow}}
---
apiVersion: sluice.dev/v1alpha1
kind: LLMRoute
metadata: {name: chat}
spec:
  path: /chat
  models: [{name: small}]
  access: {mode: AllKeys}
  rules: [{name: default, backends: [{name: a, providerRef: {name: pool}}, {name: b, providerRef: {name: pool}}]}]
---
${['one', 'two']
  .map(
    (name) => `apiVersion: sluice.dev/v1alpha1
kind: LLMKey
metadata: {name: ${name}}
spec: {type: Upstream, secretRef: {name: secrets, key: ${name}}, upstream: {providerRef: {name: pool}}}`,
  )
  .join('\n---\n')}
---
apiVersion: sluice.dev/v1alpha1
kind: LLMKey
metadata: {name: team}
spec: {type: Client, secretRef: {name: secrets, key: team}, client: {models: ["*"]}}
---
apiVersion: v1
kind: Secret
metadata: {name: secrets, labels: {sluice.dev/credential: "true"}}
stringData: {one: "\${UPSTREAM_ONE}", two: "\${UPSTREAM_TWO}", team: "\${CLIENT_KEY}"}
`;

function findings(where: string): string[] {
  return all
    .filter((secret) => where.includes(secret))
    .map((secret) => `…${where.slice(Math.max(0, where.indexOf(secret) - 100)).slice(0, 200)}`);
}

redisServer.describe('sluice run with a Redis', () => {
  let redis: TestRedis;
  let upstream: ScriptedUpstream;
  let folder: Folder;
  let program: Program;
  let url = '';
  let adminURL = '';
  let monitor: Redis;
  const commands: string[] = [];

  beforeAll(async () => {
    redis = await startRedis(redisServer.path);
    monitor = (await redis.admin.monitor()) as Redis;
    monitor.on('error', () => undefined);
    monitor.on('monitor', (_time: string, args: readonly string[]) => commands.push(args.join(' ')));
    await redis.admin.config('SET', 'requirepass', secrets.REDIS);
    upstream = await startUpstream(chat('a'));
    folder = makeFolder({ 'a.yaml': manifest(upstream.baseURL) });
    const redisURL = redis.url.replace('redis://', `redis://:${secrets.REDIS}@`);
    const { UPSTREAM_ONE, UPSTREAM_TWO, CLIENT_KEY, ADMIN } = secrets;
    program = startProgram(
      ['run', folder.path, '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', '--access-log', '--log-level', 'trace'],
      { environment: { UPSTREAM_ONE, UPSTREAM_TWO, CLIENT_KEY, SLUICE_ADMIN_TOKEN: ADMIN, REDIS_URL: redisURL } },
    );
    [, url = '', adminURL = ''] = await program.says(/requests +(\S+)\n +admin +(\S+)/);
    await program.says(/Redis works/);
  });
  afterAll(async () => {
    await program[Symbol.asyncDispose]();
    monitor.disconnect();
    await redis.stop();
    await upstream[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });

  const admin = (path: string, method = 'GET') =>
    ask(`${adminURL}${path}`, { method, headers: { authorization: `Bearer ${secrets.ADMIN}` } });

  async function send(key: string, stream = false): Promise<void> {
    const headers = {
      authorization: `Bearer ${key}`,
      cookie: `session=${foreign.cookie}`,
      'user-agent': 'test',
      'x-request-id': 'id-1',
    };
    const body = chatRequest(foreign.prompt, { model: 'small', stream, user: foreign.prompt });
    await ask(`${url}/chat/chat/completions?api_key=${foreign.query}`, { body, headers });
  }

  test('no secret and no prompt is in Redis, in its commands, in the log or on the admin port', async () => {
    for (const status of [200, 400, 401, 402, 403, 404, 408, 413, 418, 422, 429, 500, 502, 503, 529]) {
      upstream.script =
        status === 200
          ? chat('a')
          : (exchange) => {
              const { headers, body } = exchange.request;
              const message = `${headers['authorization']} ${body.toString()}`;
              const retry = status === 429 || status === 503 ? { 'retry-after': '30' } : {};
              return answer({ error: { message, type: message, code: message } }, { status, headers: retry })(exchange);
            };
      await send(secrets.CLIENT_KEY);
      await send(secrets.CLIENT_KEY, true);
      await send(foreign.unknownKey);
      for (const name of ['a', 'b']) await admin(`/backends/default/chat/${name}/enable`, 'POST');
    }
    await admin('/backends/default/chat/a/disable', 'POST');
    await ask(`${adminURL}/state?token=${secrets.ADMIN}`, {
      headers: { authorization: `Bearer ${foreign.unknownKey}` },
    });
    await ask(`${adminURL}/nothing?token=${secrets.ADMIN}`);
    // Redis comes and goes: what is said of it holds no password.
    await redis.admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await redis.admin.config('SET', 'requirepass', `${secrets.REDIS}-other`);
    await program.says(/Redis is down/);
    await redis.admin.config('SET', 'requirepass', secrets.REDIS);

    const contents = await dump(redis);
    expect(contents.join('\n')).toMatch(/Manual/);
    expect(contents.join('\n')).toMatch(/key:default\/(one|two)/);
    expect(findings(contents.join('\n'))).toEqual([]);
    // The test's own commands set the password; the log of commands leaves out how connections show it.
    const told = commands.filter((command) => !/^config set requirepass/i.test(command)).join('\n');
    expect(told).toMatch(/evalsha/i);
    expect(findings(told)).toEqual([]);
    const pages = await Promise.all(['/metrics', '/state', '/config'].map((path) => admin(path)));
    expect(pages.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(findings(JSON.stringify(pages))).toEqual([]);
    expect(program.out().split('\n').length).toBeGreaterThan(40);
    expect(findings(program.out() + program.err())).toEqual([]);
  });

  test('what a client says cannot be a line of the log, nor a word of the terminal', async () => {
    upstream.script = chat('a');
    const before = program.out().length;
    const forged = '{"level":"fatal","msg":"forged"}';
    const odd = [
      `x\n${forged}`,
      `x\r\n${forged}`,
      `x\u2028${forged}`,
      `x\u0085${forged}`,
      `\u001b[2J\u001b]0;owned\u0007${forged}`,
      `"},${forged},{"x":"`,
    ];
    for (const text of odd) {
      const body = chatRequest('x', { model: text });
      await ask(`${url}/chat/chat/completions`, { body, headers: { authorization: `Bearer ${secrets.CLIENT_KEY}` } });
      await ask(`${url}/v1/chat/completions`, { body });
      await ask(`${url}/chat/${encodeURIComponent(text)}/chat/completions`, { body });
      await ask(`${url}/v1/models/${encodeURIComponent(text)}`);
      await ask(`${adminURL}/backends/x/y/${encodeURIComponent(text)}/disable`, { method: 'POST' });
    }
    for (const text of odd.map((it) => Buffer.from(it).toString('latin1'))) {
      const head = `GET /chat/${text} HTTP/1.1\r\nHost: ${text}\r\nUser-Agent: ${text}\r\nX-Request-Id: ${text}\r\n`;
      await sendRaw(
        Number(new URL(url).port),
        Buffer.from(`${head}X-Tenant: ${text}\r\nConnection: close\r\n\r\n`, 'latin1'),
      );
    }
    await soon(() => program.out().slice(before).split('\n').length).toBeGreaterThan(odd.length * 2);
    const lines = program.out().slice(before).trimEnd().split('\n');
    for (const line of lines) {
      const entry = JSON.parse(line) as { readonly level: string; readonly msg: string };
      expect(['forged', 'fatal']).not.toContain(entry.msg);
      expect(entry.level).not.toBe('fatal');
      // oxlint-disable-next-line no-control-regex -- they are what is looked for
      expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
    }
    expect(program.err()).not.toContain('forged');
  });
});

/** Every key of a Redis with all that it holds. */
async function dump({ admin }: TestRedis): Promise<readonly string[]> {
  const contents: string[] = [];
  for (const key of await admin.keys('*')) {
    const type = await admin.type(key);
    const hash = type === 'hash' ? await admin.hgetall(key) : undefined;
    const value = hash ?? (await admin.zrange(key, '0', '-1'));
    contents.push(`${key} ${type} ${JSON.stringify(value)}`);
  }
  return contents;
}

const provider = (spec: string): string => `
apiVersion: sluice.dev/v1alpha1
kind: LLMProvider
metadata: {name: p}
spec: ${spec}
---
`;
const key = (spec: string): string =>
  `apiVersion: sluice.dev/v1alpha1\nkind: LLMKey\nmetadata: {name: k}\nspec: ${spec}\n---\n`;
const secret = (rest: string): string =>
  `apiVersion: v1\nkind: Secret\nmetadata: {name: s, labels: {sluice.dev/credential: "true"}}\n${rest}\n`;
const upstreamKeySpec = '{type: Upstream, secretRef: {name: s, key: k}, upstream: {providerRef: {name: p}}}';
const wholeProvider = provider('{type: OpenAI}');

/** Files that somebody got wrong, with a secret next to the mistake, or in its place. */
const mistakes: readonly (readonly [name: string, text: string])[] = [
  ['a quotation mark that is missing', secret('stringData: {k: "${SECRET}}')],
  ['a tab', secret('stringData:\n\tk: "${SECRET}"')],
  ['a literal secret in broken YAML', secret('stringData: {k: CANARY-literal, k: [CANARY-literal}')],
  ['a secret twice', secret('stringData: {k: CANARY-literal, k: CANARY-literal}')],
  ['a secret that is a number', secret('stringData: {k: 123456789012345678901234567890}')],
  ['a secret that is a list', secret('stringData: {k: ["${SECRET}"]}')],
  ['a secret where base64 is wanted', secret('data: {k: "${SECRET} not base64!"}')],
  ['a secret beside its field', secret('stringdata: {k: "${SECRET}"}')],
  ['a secret as the type', provider('{type: "${SECRET}"}')],
  ['a secret as the address', provider('{type: OpenAICompatible, endpoint: {url: "${SECRET}"}}')],
  ['a secret in the address', provider('{type: OpenAICompatible, endpoint: {url: "https://a/?key=${SECRET}"}}')],
  ['a secret as a field', provider('{type: OpenAI, apiKey: "${SECRET}"}')],
  ['a secret as the credentials', provider('{type: OpenAI, credentials: "${SECRET}"}')],
  [
    'a secret instead of a reference',
    wholeProvider + key('{type: Upstream, secretRef: "${SECRET}", upstream: {providerRef: {name: p}}}'),
  ],
  ['a secret as the name of a secret', wholeProvider + key(upstreamKeySpec.replace('name: s', 'name: "${SECRET}"'))],
  ['a secret of two lines', wholeProvider + key(upstreamKeySpec) + secret('stringData: {k: "${SECRET}\\nmore"}')],
  ['a secret with an umlaut', wholeProvider + key(upstreamKeySpec) + secret('stringData: {k: "${SECRET}ü"}')],
  [
    'the same secret twice',
    wholeProvider +
      key(upstreamKeySpec) +
      key(upstreamKeySpec).replace('name: k', 'name: k2') +
      secret('stringData: {k: "${SECRET}"}'),
  ],
  ['a variable with a default', secret('stringData: {k: "${MISSING:-CANARY-literal}"}')],
];

test.each(mistakes)('a file with %s is complained about without the secret', async (_name, text) => {
  const value = canary('file');
  using folder = makeFolder({ 'a.yaml': text });
  const lines: string[] = [];
  const terminal = { print: (line: string) => void lines.push(line), warn: (line: string) => void lines.push(line) };
  const settings = { paths: [folder.path], className: 'default', disableSecondsDefault: 600, requests: [] };
  await check(settings, { environment: { SECRET: value }, terminal, now: Date.now() });
  expect(lines.at(-1)).toMatch(/ in 1 file: /);
  expect(lines.join('\n')).not.toContain(value);
  expect(lines.join('\n')).not.toContain('CANARY-literal');
});
