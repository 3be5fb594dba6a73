import { writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { loadServiceAccount } from '../../../proxy/kube/service-account.ts';
import { makeFolder } from '../../deploy/folder.ts';

const address = { host: '10.96.0.1', port: '443' };

it('the mount of a ServiceAccount names the API server and who the proxy is, as of now', async () => {
  using folder = makeFolder({ token: 'first\n', 'ca.crt': 'CA' });
  const cluster = await loadServiceAccount(address, folder.path);
  expect(cluster).toMatchObject({ server: 'https://10.96.0.1:443', serverName: undefined, insecure: false });
  expect(await cluster.identify()).toEqual({ token: 'first', ca: 'CA' });
  writeFileSync(folder.at('token'), 'second');
  writeFileSync(folder.at('ca.crt'), 'CA2');
  expect(await cluster.identify()).toEqual({ token: 'second', ca: 'CA2' });
  expect((await loadServiceAccount({ host: 'fd00::1', port: '6443' }, folder.path)).server).toBe(
    'https://[fd00::1]:6443',
  );
});

it('what is missing is said', async () => {
  using folder = makeFolder({ token: '\n', 'ca.crt': 'CA' });
  await expect(loadServiceAccount({ host: undefined, port: undefined }, folder.path)).rejects.toThrow(
    '--watch needs --kubeconfig FILE outside a cluster (KUBERNETES_SERVICE_HOST is not set)',
  );
  await expect(loadServiceAccount(address, folder.path)).rejects.toThrow(/^--watch cannot use .*token is empty/);
  await expect(loadServiceAccount(address, folder.at('none'))).rejects.toThrow(/ENOENT.*automountServiceAccountToken/);
});
