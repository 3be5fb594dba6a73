// Row 5 through a whole gateway: however a provider's URL spells an address that is not public, nothing connects to it, and
// no credential leaves. What the policy says of every range is tested beside it.

import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { makeFolder } from '../../deploy/folder.ts';
import { chatRequest } from '../../support/chat.ts';
import { ask, errorOf } from '../../support/client.ts';
import { provider, route, ruleInOrder, upstreamKey } from '../../support/config.ts';
import { startTestGateway } from '../../support/gateway.ts';
import { runProgram } from '../standalone/program.ts';
import { resource, toManifest } from '../../support/manifest.ts';

/** Spellings of this machine. */
const here = [
  '127.0.0.1',
  '127.1',
  '127.0.1',
  '2130706433',
  '0x7f000001',
  '0x7f.0x0.0x0.0x1',
  '0177.0.0.1',
  '017700000001',
  '127.0.0.1.',
  '127.255.255.254',
  '[::1]',
  '[0:0:0:0:0:0:0:1]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[::127.0.0.1]',
  '[64:ff9b::127.0.0.1]',
  '[2002:7f00:1::]',
  '0.0.0.0',
  '0',
  '[::]',
  'localhost',
  'LOCALHOST',
  'localhost.',
  '①②⑦.⓪.⓪.①',
  '１２７。０。０。１',
  'user:password@127.0.0.1',
  'api.openai.com@127.0.0.1',
  'api.openai.com:443@127.0.0.1',
];

/** Spellings of places that give credentials away, or of nobody in particular. */
const elsewhere = [
  '169.254.169.254',
  '2852039166',
  '0xa9fea9fe',
  '0251.0376.0251.0376',
  '169.254.43518',
  '[::ffff:169.254.169.254]',
  '[::a9fe:a9fe]',
  '[fd00:ec2::254]',
  '[fe80::1]',
  '100.100.100.200',
  '168.63.129.16',
  '255.255.255.255',
  '224.0.0.1',
  '198.18.0.1',
];

let sink: Server;
let connections = 0;
let port = 0;
beforeAll(async () => {
  sink = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  // Every address of this machine, IPv4 and IPv6.
  sink.listen(0, '::');
  await once(sink, 'listening');
  ({ port } = sink.address() as AddressInfo);
});
beforeEach(() => {
  connections = 0;
});
afterAll(() => sink.close());

async function statusOf(host: string, allowPrivate: boolean): Promise<{ readonly code: string; readonly ms: number }> {
  const credentials = { type: 'KeyPool', keyPool: { strategy: 'RoundRobin', stickiness: 'None' } } as const;
  const draft = {
    providers: [provider('a', `http://${host}:${port}/v1`, { credentials })],
    upstreamKeys: [upstreamKey('k', 'a', 'CANARY-upstream')],
    routes: [route('chat', [ruleInOrder(['a'])])],
  };
  await using gateway = await startTestGateway(draft, { addresses: { allowPrivate, allowCidrs: [] } });
  const begun = performance.now();
  const got = await ask(`${gateway.url}/chat/`, { body: chatRequest('one') });
  expect(JSON.stringify(got)).not.toContain('CANARY');
  return { code: errorOf(got).code, ms: performance.now() - begun };
}

describe('where only public addresses are allowed', () => {
  test.each([...here, ...elsewhere])('nothing connects to %s', async (host) => {
    const { code } = await statusOf(host, false);
    expect(code).toBe('upstream_unavailable');
    expect(connections).toBe(0);
  });
});

describe('where private addresses are allowed', () => {
  test('this machine is connected to', async () => {
    await statusOf('127.0.0.1', true);
    expect(connections).toBeGreaterThan(0);
  });

  test.each(elsewhere)('nothing connects to %s all the same', async (host) => {
    const { code, ms } = await statusOf(host, true);
    expect(code).toBe('upstream_unavailable');
    // Refused, not tried: the deadline of a connection is five seconds.
    expect(ms).toBeLessThan(2000);
  });
});

test('a manifest with credentials, a query or another scheme in its URL is refused, and repeats none of them', async () => {
  const urls = [
    'https://user:CANARY@example.com/v1',
    'https://CANARY@example.com/v1',
    'https://example.com/v1?key=CANARY',
    'https://example.com/v1#CANARY',
    'file:///etc/CANARY',
    'gopher://127.0.0.1:6379/_CANARY',
    'https://example.com\\@127.0.0.1/CANARY',
    'https://example.com/\r\nCANARY',
  ];
  const objects = urls.map((url, index) => {
    const endpoint = { url, insecureHTTP: 'Allow' };
    return resource('LLMProvider', `p${index}`, { type: 'OpenAICompatible', endpoint, credentials: { type: 'None' } });
  });
  using folder = makeFolder({ 'a.yaml': toManifest(objects) });
  const { code, out, err } = await runProgram(['check', folder.path]);
  expect(code).toBe(1);
  for (const index of urls.keys()) expect(out).toMatch(new RegExp(`LLMProvider default/p${index} spec.endpoint.url: `));
  expect(out + err).not.toContain('CANARY');
});
