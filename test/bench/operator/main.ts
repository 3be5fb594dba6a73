// The benchmark of the operator: `npm run bench:operator [-- --changes 1000 --only scale --profile DIR --quick]`. A real
// control plane, the operator and three proxies as processes: how long a change takes to get everywhere, and what thousands
// of objects cost. Figures on standard output, progress on standard error.

import { mkdir } from 'node:fs/promises';
import { availableParallelism, loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { defaultKubernetes } from '../../cluster/modules.ts';
import { preparePrograms } from '../../cluster/programs.ts';
import { fullSize, quickSize } from './large-world.ts';
import { findHotSpots } from './profile.ts';
import { measurePropagation } from './propagation.ts';
import { reportGoals, reportHotSpots, reportPropagation, reportScale } from './report.ts';
import { startRig } from './rig.ts';
import { measureScale, type ScaleResult } from './scale.ts';

const { values } = parseArgs({
  options: {
    changes: { type: 'string' },
    only: { type: 'string' },
    profile: { type: 'string' },
    quick: { type: 'boolean', default: false },
  },
});
const { quick, only } = values;
const profiles = values.profile === undefined ? undefined : resolve(values.profile);
const startedMs = performance.now();

function progress(line: string): void {
  process.stderr.write(`${((performance.now() - startedMs) / 1000).toFixed(0)} s  ${line}\n`);
}

/** Whatever else the machine does is in the figures. */
function describeMachine(): string {
  const [minute = 0, minutes = 0] = loadavg();
  return `${availableParallelism()} cores, load average ${minute.toFixed(1)} (1 min), ${minutes.toFixed(1)} (5 min)`;
}

async function propagate(): Promise<void> {
  await using rig = await startRig(undefined);
  progress('a control plane, two upstreams and three proxies run');
  const changes = Number(values.changes ?? (quick ? 100 : 1000));
  const result = await measurePropagation(rig, { changes, quietSeconds: quick ? 3 : 20, progress });
  console.log(`${reportPropagation(result)}\n\n${reportGoals(result)}\n`);
}

async function scale(): Promise<void> {
  const result = await measure();
  console.log(`${reportScale(result)}\n`);
  // The programs have written their profiles when they ended.
  if (profiles !== undefined) await explain(profiles, result);
}

async function measure(): Promise<ScaleResult> {
  await using rig = await startRig(profiles);
  progress('a control plane, two upstreams and three proxies run');
  // Awaited: the rig must outlive it.
  return await measureScale(rig, {
    size: quick ? quickSize : fullSize,
    changes: quick ? 5 : 30,
    burst: quick ? 20 : 100,
    idleSeconds: quick ? 5 : 70,
    progress,
  });
}

async function explain(folder: string, { spans }: ScaleResult): Promise<void> {
  for (const span of spans) {
    for (const name of span.name === 'restart' ? ['operator-restarted'] : ['operator', 'proxy-1']) {
      const spots = await findHotSpots(join(folder, `${name}.cpuprofile`), span);
      console.log(`${reportHotSpots(`${span.name}: ${name}`, spots)}\n`);
    }
  }
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  // What runs is ended by hooks of the exit, and by the kernel.
  process.once(signal, () => {
    progress(`ended by ${signal}`);
    process.exit(1);
  });
}
if (only !== undefined && only !== 'propagation' && only !== 'scale') throw new Error('--only propagation or scale');
await preparePrograms(defaultKubernetes, progress);
console.log(`Kubernetes ${defaultKubernetes}, Node ${process.version}, ${describeMachine()}\n`);
if (profiles !== undefined) await mkdir(profiles, { recursive: true });
if (only !== 'scale') await propagate();
if (only !== 'propagation') await scale();
console.log(`At the end: ${describeMachine()}`);
