import { existsSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { requiresControlPlanePrograms } from '../support/control-plane.ts';
import { eventually } from '../support/eventually.ts';
import { type ControlPlane, startControlPlane } from './control-plane.ts';
import { clearAbandoned, isAlive } from './folders.ts';

const configMaps = '/api/v1/namespaces/default/configmaps';

requiresControlPlanePrograms().describe('a control plane', () => {
  test('lives on after its API server was killed, and cannot say what happened in between', async () => {
    await using plane = await startControlPlane();
    const before = await makeConfigMap(plane, 'before');
    await makeConfigMap(plane, 'after');
    await plane.killApiServer();
    await expect(plane.request('GET', configMaps)).rejects.toThrow('ECONNREFUSED');
    await plane.restartApiServer();
    expect(await plane.request('GET', `${configMaps}/before`)).toMatchObject({ metadata: { name: 'before' } });
    // Until its watch cache is filled it answers 429.
    await eventually(async () => (await watched(plane, before)).includes('"code":410'), 10_000);
  });

  test('is silent while its API server is frozen', async () => {
    await using plane = await startControlPlane();
    plane.pauseApiServer();
    const answer = plane.request('GET', configMaps).then(() => 'an answer');
    expect(await Promise.race([answer, delay(300, 'silence')])).toBe('silence');
    plane.resumeApiServer();
    expect(await answer).toBe('an answer');
  });

  test('without a watch cache forgets what etcd forgets', async () => {
    await using plane = await startControlPlane({ watchCache: false });
    const before = await makeConfigMap(plane, 'before');
    await makeConfigMap(plane, 'after');
    expect(await watched(plane, before)).toContain('"name":"after"');
    // What comes right after the present revision is never forgotten.
    await makeConfigMap(plane, 'later');
    await plane.compactEtcd();
    expect(await watched(plane, before)).toContain('"code":410');
  });

  test('says why when it does not start, and leaves nothing', async () => {
    await expect(startControlPlane({ extraApiServerFlags: ['--no-such-flag'] })).rejects.toThrow(
      /kube-apiserver ended[^]*unknown flag: --no-such-flag/,
    );
  });

  // Elsewhere nothing ends a process with its parent.
  test.runIf(process.platform === 'linux')('ends with the process that started it, however that ends', async () => {
    const program = fileURLToPath(new URL('main.ts', import.meta.url));
    const owner = spawn(process.execPath, [program, 'control-plane'], { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    owner.stderr.on('data', (text) => (output += text));
    await eventually(() => output.includes('Ctrl-C'), 30_000);
    const [, pids = '', folder = ''] = /processes ([\d, ]+); logs are in (\S+?);/.exec(output) ?? [];
    const servers = pids.split(', ').map(Number);
    expect(servers.map(isAlive)).toEqual([true, true, true]);
    owner.kill('SIGKILL');
    await once(owner, 'exit');
    await eventually(() => !servers.some(isAlive), 20_000);
    // Its folder is left to the next that comes.
    expect(existsSync(folder)).toBe(true);
    clearAbandoned();
    expect(existsSync(folder)).toBe(false);
  });
});

/** The revision at which it was made. */
async function makeConfigMap(plane: ControlPlane, name: string): Promise<string> {
  const made = await plane.request<{ readonly metadata: { readonly resourceVersion: string } }>('POST', configMaps, {
    metadata: { name },
  });
  return made.metadata.resourceVersion;
}

/** What a watch that resumes from a revision is told within a second, or why it is refused. */
async function watched(plane: ControlPlane, resourceVersion: string): Promise<string> {
  const query = `watch=true&timeoutSeconds=1&resourceVersion=${resourceVersion}`;
  const told = await plane.request('GET', `${configMaps}?${query}`).catch(String);
  return typeof told === 'string' ? told : JSON.stringify(told);
}
