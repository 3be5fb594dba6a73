// `npm run test:cluster`: brings a cluster up, runs the suite on it, takes it down, and says what each took. Arguments are
// passed on to vitest.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findCluster } from '../cluster/node/cluster.ts';

// One of its own: that of a developer may have an older image, or be in use.
const name = process.env['SLUICE_CLUSTER_NAME'] || 'e2e';
const env = { ...process.env, SLUICE_CLUSTER_NAME: name };
const root = fileURLToPath(new URL('../../', import.meta.url));
const times: string[] = [];
// Ctrl-C reaches what runs; the cluster is to go down all the same.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});

const wasUp = findCluster(name) !== undefined;
let code = await step('up', 'test/cluster/main.ts', ['up']);
if (code === 0) {
  code = await step('e2e', 'test/report/main.ts', ['--project', 'e2e', ...process.argv.slice(2)]);
  if (wasUp) console.log(`${name} was up before, with its images, and is left so`);
  else await takeDown(code !== 0);
}
console.log(times.join(', '));
process.exitCode = code;

async function takeDown(keepLogs: boolean): Promise<void> {
  const folder = keepLogs ? mkdtempSync(join(tmpdir(), 'sluice-e2e-logs-')) : undefined;
  await step('down', 'test/cluster/main.ts', ['down', ...(folder === undefined ? [] : ['--keep-logs', folder])]);
  if (folder !== undefined) console.log(`the logs of the cluster are in ${folder}`);
}

async function step(title: string, script: string, args: readonly string[]): Promise<number> {
  const startMs = performance.now();
  const child = spawn(process.execPath, [script, ...args], { cwd: root, env, stdio: 'inherit' });
  const [exitCode] = await once(child, 'exit');
  times.push(`${title} ${((performance.now() - startMs) / 1000).toFixed(0)} s`);
  return typeof exitCode === 'number' ? exitCode : 1;
}
