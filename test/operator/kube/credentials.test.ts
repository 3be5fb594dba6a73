import { unlinkSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type KubeCredentials, loadCredentials } from '../../../operator/kube/credentials.ts';
import { type Folder, makeFolder } from '../../deploy/folder.ts';

let folder: Folder;
let nowMs: number;

beforeEach(() => {
  folder = makeFolder();
  nowMs = 0;
});
afterEach(() => folder[Symbol.dispose]());

const trusted = { server: 'https://127.0.0.1:6443/', 'certificate-authority-data': btoa('authority') };

function kubeconfig(user: object, cluster: object = trusted): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u', namespace: 'home' } }],
    'current-context': 'x',
  });
}

function load(user: object, cluster?: object): KubeCredentials {
  const path = folder.write('kubeconfig', kubeconfig(user, cluster));
  return loadCredentials({ type: 'kubeconfig', path }, () => nowMs);
}

async function tokenOf(credentials: KubeCredentials): Promise<string | undefined> {
  return (await credentials.identity()).headers['Authorization'];
}

describe('credentials of a kubeconfig', () => {
  test('say where the API server is, and how it is known', async () => {
    const credentials = load({ token: 'secret' }, { ...trusted, 'tls-server-name': 'kubernetes' });
    expect([credentials.server, credentials.namespace]).toEqual(['https://127.0.0.1:6443', 'home']);
    const { headers, tls } = await credentials.identity();
    expect(headers).toEqual({ Authorization: 'Bearer secret' });
    expect(String(tls.ca)).toBe('authority');
    expect(tls.servername).toBe('kubernetes');
    expect(tls.rejectUnauthorized).not.toBe(false);
  });

  test('show a client certificate', async () => {
    const pair = { 'client-certificate-data': btoa('certificate'), 'client-key-data': btoa('key') };
    const { headers, tls } = await load(pair).identity();
    expect([headers, String(tls.cert), String(tls.key)]).toEqual([{}, 'certificate', 'key']);
  });

  test('follow a certificate file', async () => {
    const ca = folder.write('ca.pem', 'one');
    const credentials = load({ token: 'x' }, { server: 'https://127.0.0.1:1', 'certificate-authority': ca });
    expect(String((await credentials.identity()).tls.ca)).toBe('one');
    writeFileSync(ca, 'two');
    expect(String((await credentials.identity()).tls.ca)).toBe('one');
    nowMs += 10_001;
    expect(String((await credentials.identity()).tls.ca)).toBe('two');
  });

  test('follow a token file at once when its token was refused', async () => {
    const tokenFile = folder.write('token', 'one');
    const credentials = load({ tokenFile });
    expect(await tokenOf(credentials)).toBe('Bearer one');
    writeFileSync(tokenFile, 'two');
    expect(await tokenOf(credentials)).toBe('Bearer one');
    credentials.refresh();
    expect(await tokenOf(credentials)).toBe('Bearer two');
  });

  test('follow a token file that lies beside the kubeconfig, without its last newline, rather than a token', async () => {
    folder.write('token', 'fresh\n');
    expect(await tokenOf(load({ tokenFile: 'token', token: 'stale' }))).toBe('Bearer fresh');
  });

  test('go on as they are while the kubeconfig cannot be read', async () => {
    const credentials = load({ token: 'one' });
    folder.write('kubeconfig', '{"half": ');
    credentials.refresh();
    expect(await tokenOf(credentials)).toBe('Bearer one');
    unlinkSync(folder.at('kubeconfig'));
    credentials.refresh();
    expect(await tokenOf(credentials)).toBe('Bearer one');
    folder.write('kubeconfig', kubeconfig({ token: 'two' }));
    credentials.refresh();
    expect(await tokenOf(credentials)).toBe('Bearer two');
  });

  test('are there again when a file is there again that was missing', async () => {
    const ca = folder.at('ca.pem');
    const credentials = load({ token: 'x' }, { server: 'https://127.0.0.1:1', 'certificate-authority': ca });
    await expect(credentials.identity()).rejects.toThrow('ENOENT');
    writeFileSync(ca, 'one');
    expect(String((await credentials.identity()).tls.ca)).toBe('one');
  });

  test.each([
    ['is not there', undefined, /the kubeconfig .* cannot be used: ENOENT/],
    ['is no YAML', '{', /the kubeconfig .* cannot be used/],
    ['names no cluster', '{"current-context": "y"}', /names no cluster for its current context/],
  ])('that %s are refused in words', (_what, text, words) => {
    const path = text === undefined ? folder.at('nowhere') : folder.write('kubeconfig', text);
    expect(() => loadCredentials({ type: 'kubeconfig', path }, () => nowMs)).toThrow(words);
  });
});
