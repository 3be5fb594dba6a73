// The commands `cluster:…` and `image:build` of package.json.

import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { startControlPlane } from './control-plane.ts';
import { crdManifests } from './crds.ts';
import { type BuiltImage, provideSluiceImage, weighSluiceImage } from './image/sluice.ts';
import { defaultKubernetes } from './modules.ts';
import { findCluster, usualName } from './node/cluster.ts';
import { takeDown } from './node/down.ts';
import type { ClusterFacts } from './node/state.ts';
import { bringUp } from './node/up.ts';
import { prepareNodePrograms, preparePrograms } from './programs.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    kubernetes: { type: 'string', default: defaultKubernetes },
    name: { type: 'string', default: usualName },
    node: { type: 'boolean', default: false },
    'no-images': { type: 'boolean', default: false },
    import: { type: 'string', multiple: true, default: [] },
    'self-check': { type: 'boolean', default: false },
    'keep-logs': { type: 'string' },
  },
});
const startedMs = performance.now();
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => stop.abort(new Error(`stopped by ${signal}`)));
}

const commands: Readonly<Record<string, () => Promise<void>>> = {
  prepare,
  'control-plane': runControlPlane,
  image: buildImage,
  up,
  import: importArchives,
  down,
};

try {
  const command = commands[positionals[0] ?? ''];
  if (command === undefined) throw new Error(`${Object.keys(commands).join(', ')}?`);
  await command();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

function progress(line: string): void {
  console.error(`${((performance.now() - startedMs) / 1000).toFixed(1).padStart(6)} s  ${line}`);
}

async function prepare(): Promise<void> {
  const prepareThem = values.node ? prepareNodePrograms : preparePrograms;
  const programs = await prepareThem(values.kubernetes, progress);
  for (const [name, path] of Object.entries(programs)) console.log(`${name}  ${path}`);
}

async function runControlPlane(): Promise<void> {
  await preparePrograms(values.kubernetes, progress);
  await using plane = await startControlPlane({
    version: values.kubernetes,
    controllers: ['namespace', 'garbagecollector', 'serviceaccount'],
    manifests: crdManifests(),
  });
  console.log(`export KUBECONFIG=${plane.adminKubeconfig}`);
  console.log(`alias kubectl=${plane.kubectl}`);
  console.error(`These are processes ${plane.pids.join(', ')}; logs are in ${plane.folder}; Ctrl-C stops them.`);
  // A pending promise alone keeps no process alive.
  const alive = setInterval(() => {}, 60_000);
  if (!stop.signal.aborted) await new Promise((resolve) => stop.signal.addEventListener('abort', resolve));
  clearInterval(alive);
}

async function buildImage(): Promise<void> {
  const image = await provideSluiceImage(progress);
  await printWeight(image);
  console.log(`image    ${image.reference}${image.isNew ? '' : ' (nothing has changed)'}`);
  console.log(`archive  ${image.archive}`);
  console.log(`sbom     ${image.sbom}`);
}

async function printWeight(image: BuiltImage): Promise<void> {
  const { bytes, layers, folders } = await weighSluiceImage(image);
  const megabytes = (size: number): string => `${(size / 1e6).toFixed(1).padStart(7)} MB`;
  console.log(`${megabytes(bytes)}  in ${layers.length} layers:${layers.map((size) => megabytes(size)).join(',')}`);
  for (const folder of folders) console.log(`${megabytes(folder.bytes)}  ${folder.path}`);
}

async function up(): Promise<void> {
  const facts = await bringUp({
    name: values.name,
    kubernetes: values.kubernetes,
    withImages: !values['no-images'],
    archives: values.import.map((archive) => resolve(archive)),
    progress,
    signal: stop.signal,
  });
  progress(`${facts.name} is up`);
  if (values['self-check']) await checkCluster(facts);
  console.log(`export KUBECONFIG=${facts.kubeconfig}`);
  console.log(`alias kubectl=${facts.kubectl} helm=${facts.helm}`);
  const which = facts.name === usualName ? '' : ` -- --name ${facts.name}`;
  console.error(`More about it: ${facts.folder}/cluster.json; npm run cluster:down${which} takes it down.`);
}

async function checkCluster(facts: ClusterFacts): Promise<void> {
  const { selfCheck } = await import('./node/self-check.ts');
  await selfCheck(facts, progress);
}

async function importArchives(): Promise<void> {
  const cluster = findCluster(values.name);
  if (cluster === undefined) throw new Error(`${values.name} is not up: npm run cluster:up`);
  for (const archive of positionals.slice(1)) await cluster.importImages(resolve(archive));
}

async function down(): Promise<void> {
  const keepLogs = values['keep-logs'];
  const wasThere = await takeDown(values.name, keepLogs === undefined ? {} : { keepLogs });
  progress(wasThere ? `${values.name} is down` : `there is no ${values.name}`);
}
