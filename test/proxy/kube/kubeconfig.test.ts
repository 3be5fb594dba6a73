import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import type { Cluster } from '../../../proxy/kube/cluster.ts';
import { loadKubeconfig } from '../../../proxy/kube/kubeconfig.ts';
import { type Folder, makeFolder } from '../../deploy/folder.ts';

type Members = Readonly<Record<string, unknown>>;

let folder: Folder;
beforeEach(() => {
  folder = makeFolder();
});
afterEach(() => folder[Symbol.dispose]());

function kubeconfig(cluster: Members, user: Members = {}, rest: Members = {}): object {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'other', cluster: {} },
      { name: 'c', cluster: { server: 'https://api.example:6443', ...cluster } },
    ],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
    ...rest,
  };
}

function load(content: object | string): Promise<Cluster> {
  const path = folder.at('config');
  writeFileSync(path, typeof content === 'string' ? content : stringify(content));
  return loadKubeconfig(path);
}

/** What loading it fails with, without the path. */
async function problemOf(content: object | string): Promise<string> {
  const error = await load(content).then(
    () => new Error('none'),
    (thrown: unknown) => thrown as Error,
  );
  return error.message
    .replace(`the kubeconfig ${folder.at('config')} cannot be used: `, '')
    .replaceAll(folder.path, '.');
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('a kubeconfig', () => {
  it('names the API server of its current context', async () => {
    const cluster = await load(kubeconfig({ server: 'https://api.example:6443/clusters/a/' }, { token: 't' }));
    expect(cluster).toMatchObject({
      server: 'https://api.example:6443/clusters/a',
      serverName: undefined,
      insecure: false,
    });
    expect(await cluster.identify()).toEqual({ token: 't', ca: undefined, cert: undefined, key: undefined });
  });

  it('holds certificates itself, or names files beside it', async () => {
    const inside = await load(
      kubeconfig(
        { 'certificate-authority-data': base64('CA'), 'certificate-authority': 'nowhere' },
        { 'client-certificate-data': base64('CERT'), 'client-key-data': base64('KEY') },
      ),
    );
    expect(await inside.identify()).toMatchObject({ token: undefined, ca: 'CA', cert: 'CERT', key: 'KEY' });

    for (const name of ['ca', 'cert', 'key']) writeFileSync(folder.at(name), name.toUpperCase());
    const beside = await load(
      kubeconfig({ 'certificate-authority': 'ca' }, { 'client-certificate': './cert', 'client-key': folder.at('key') }),
    );
    expect(await beside.identify()).toMatchObject({ ca: 'CA', cert: 'CERT', key: 'KEY' });
  });

  it('has its files read anew each time: tokens are rotated', async () => {
    writeFileSync(folder.at('token'), 'first\n');
    const cluster = await load(kubeconfig({}, { tokenFile: 'token', token: 'of old' }));
    expect((await cluster.identify()).token).toBe('first');
    writeFileSync(folder.at('token'), 'second\n');
    expect((await cluster.identify()).token).toBe('second');
  });

  it('may name the host that the certificate is for, or ask for none to be checked', async () => {
    const cluster = await load(kubeconfig({ 'tls-server-name': 'kubernetes', 'insecure-skip-tls-verify': true }));
    expect(cluster).toMatchObject({ serverName: 'kubernetes', insecure: true });
  });

  it('may name no user, where the server asks for none', async () => {
    const contexts = [{ name: 'x', context: { cluster: 'c' } }];
    const cluster = await load(kubeconfig({ server: 'http://127.0.0.1:8001' }, {}, { contexts }));
    expect(await cluster.identify()).toMatchObject({ token: undefined });
  });
});

describe('a kubeconfig that cannot be used says why', () => {
  const instead = '; use a token, a tokenFile or a client certificate';

  it.each([
    [{ exec: { command: 'aws' } }, `user "u" has exec, which a proxy does not support${instead}`],
    [{ 'auth-provider': { name: 'gcp' } }, `user "u" has auth-provider, which a proxy does not support${instead}`],
    [{ token: 'CANARY', as: 'admin' }, `user "u" has as, which a proxy does not support${instead}`],
    [{ username: 'CANARY', password: 'CANARY' }, `user "u" has username, which a proxy does not support${instead}`],
  ])('for its user %j', async (user, says) => {
    expect(await problemOf(kubeconfig({}, user))).toBe(says);
  });

  it.each<readonly [string, object | string, string]>([
    ['no YAML', 'token: CANARY\n - : [', 'it is not YAML of that kind'],
    ['no mapping', '- CANARY', 'it is not YAML of that kind'],
    ['empty', '', 'it is not YAML of that kind'],
    ['without a context', kubeconfig({}, {}, { 'current-context': '' }), 'it names no current-context'],
    ['with a context that it lacks', kubeconfig({}, {}, { 'current-context': 'y' }), 'there is no context "y" in it'],
    ['with a user that it lacks', kubeconfig({}, {}, { users: null }), 'there is no user "u" in it'],
    ['with a cluster that it lacks', kubeconfig({}, {}, { clusters: [] }), 'there is no cluster "c" in it'],
    ['without a server', kubeconfig({ server: undefined }), 'its cluster has no server of the form https://…'],
    ['with another scheme', kubeconfig({ server: 'ssh://CANARY' }), 'its cluster has no server of the form https://…'],
    [
      'that would show a token to everybody',
      kubeconfig({ server: 'http://api.example' }, { token: 'CANARY' }),
      'its server is http://, which would show the credentials of its user to everybody on the way',
    ],
    [
      'behind a proxy',
      kubeconfig({ 'proxy-url': 'http://x' }),
      'cluster "c" has proxy-url, which a proxy does not support',
    ],
    [
      'with a file that is not there',
      kubeconfig({}, { tokenFile: 'gone' }),
      "ENOENT: no such file or directory, open './gone'",
    ],
  ])('%s', async (_what, content, says) => {
    expect(await problemOf(content)).toBe(says);
  });

  it('where there is none', async () => {
    await expect(loadKubeconfig(folder.at('none'))).rejects.toThrow(/^the kubeconfig .*none cannot be used: ENOENT/);
  });
});
