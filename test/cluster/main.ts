// `npm run cluster:prepare [-- --kubernetes 1.37]` and `npm run cluster:control-plane`.

import { parseArgs } from 'node:util';
import { startControlPlane } from './control-plane.ts';
import { crdManifests } from './crds.ts';
import { defaultKubernetes } from './modules.ts';
import { preparePrograms } from './programs.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { kubernetes: { type: 'string', default: defaultKubernetes } },
});
const [command] = positionals;
if (command !== 'prepare' && command !== 'control-plane') throw new Error('prepare or control-plane?');

try {
  const programs = await preparePrograms(values.kubernetes, (line) => console.error(line));
  if (command === 'prepare') for (const [name, path] of Object.entries(programs)) console.log(`${name}  ${path}`);
  else await runUntilStopped(values.kubernetes);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function runUntilStopped(version: string): Promise<void> {
  const stopped = new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, resolve);
  });
  await using plane = await startControlPlane({
    version,
    controllers: ['namespace', 'garbagecollector', 'serviceaccount'],
    manifests: crdManifests(),
  });
  console.log(`export KUBECONFIG=${plane.adminKubeconfig}`);
  console.log(`alias kubectl=${plane.kubectl}`);
  console.error(`These are processes ${plane.pids.join(', ')}; logs are in ${plane.folder}; Ctrl-C stops them.`);
  // A pending promise alone keeps no process alive.
  const alive = setInterval(() => {}, 60_000);
  await stopped;
  clearInterval(alive);
}
