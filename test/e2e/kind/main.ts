// `npm run test:kind`: a cluster of kind, the suite on it, and the cluster away again. Arguments are passed on to vitest.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  buildCommands,
  type Command,
  createCommand,
  deleteCommand,
  images,
  loadCommand,
} from '../../../deploy/kind/commands.ts';
import { runCommands } from '../../../deploy/kind/runner.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
/** Beside the one that somebody tries Sluice on: the suite replaces definitions and serves the usual class. */
const cluster = { name: 'sluice-e2e', published: false };
const clientImage = 'sluice-client:dev';

const buildClient: Command = {
  says: 'the image of an application',
  program: 'docker',
  args: [
    'build',
    `--file=${root}test/e2e/image/Dockerfile`,
    '--build-arg=BASE=node:26-trixie-slim',
    `--tag=${clientImage}`,
    `${root}node_modules/openai`,
  ],
};

// Ctrl-C reaches what runs; the cluster is to go all the same.
process.on('SIGINT', () => {});
const folder = mkdtempSync(join(tmpdir(), 'sluice-kind-'));
try {
  await runCommands([...buildCommands(), buildClient, createCommand(cluster)], console.error);
  try {
    await runCommands([loadCommand(cluster, [...Object.values(images), clientImage])], console.error);
    process.exitCode = await runSuite();
  } finally {
    await runCommands([deleteCommand(cluster)], console.error);
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function runSuite(): Promise<number> {
  const kubeconfig = join(folder, 'kubeconfig');
  writeFileSync(kubeconfig, execFileSync('kind', ['get', 'kubeconfig', `--name=${cluster.name}`]), { mode: 0o600 });
  const inRegistry = (reference: string): string => `docker.io/library/${reference}`;
  const env = {
    ...process.env,
    KUBECONFIG: kubeconfig,
    SLUICE_IMAGE: inRegistry(images.sluice),
    REDIS_IMAGE: inRegistry(images.redis),
    CLIENT_IMAGE: inRegistry(clientImage),
  };
  const args = ['test/report/main.ts', '--project', 'e2e', ...process.argv.slice(2)];
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: 'inherit' });
  const [code] = await once(child, 'exit');
  return typeof code === 'number' ? code : 1;
}
