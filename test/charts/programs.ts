// Finds the programs that the tests of the charts run, or builds them, once per machine: helm, as test/cluster pins it, and
// Prometheus' promtool, which knows alerts and queries.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildProgram, hasGo, type Progress } from '../cluster/go-build.ts';
import { defaultKubernetes, moduleOf } from '../cluster/modules.ts';
import { findOnPath, isExecutable } from '../cluster/path.ts';
import { cacheFolder } from '../cluster/programs.ts';

/** The path of each program. */
export interface ChartPrograms {
  readonly helm: string;
  readonly promtool: string;
}

const promtoolModule = fileURLToPath(new URL('modules/promtool-3/', import.meta.url));
const prometheus = 'github.com/prometheus/prometheus';
const outputBytesMax = 16 * 1024;

/** Finds both, and builds what is missing; rejects, saying why, where that cannot be done. */
export async function prepareChartPrograms(progress: Progress): Promise<ChartPrograms> {
  const helmModule = moduleOf('helm', defaultKubernetes);
  const programs = {
    helm: cachePath(helmModule.key, 'helm'),
    promtool: cachePath(`prometheus-${promtoolVersion()}`, 'promtool'),
  };
  const missing = Object.entries(programs).filter(([, path]) => !isExecutable(path));
  if (missing.length > 0 && !hasGo()) {
    const names = missing.map(([name]) => name).join(', ');
    throw new Error(`${names} must be built, and there is no Go on the PATH (1.26 or newer: go.dev/dl)`);
  }
  for (const [name, path] of missing) {
    progress(`building ${name}, which takes minutes, once`);
    if (name === 'helm') await buildProgram('helm', helmModule, path, progress);
    else await buildPromtool(path);
  }
  return programs;
}

function cachePath(key: string, name: string): string {
  return join(cacheFolder(), `${key}-${process.platform}-${process.arch}`, name);
}

function promtoolVersion(): string {
  const module = readFileSync(join(promtoolModule, 'go.mod'), 'utf8');
  const [, version] = new RegExp(`^\\s+${prometheus} v(\\S+)`, 'm').exec(module) ?? [];
  if (version === undefined) throw new Error(`${promtoolModule}go.mod does not require ${prometheus}`);
  return version;
}

// One builder at a time; whoever waited finds the program there. Discovery of scrape targets is left out: it is nine tenths
// of what would have to be compiled, and no rule needs it.
const script = `
  test -x "$1" && exit 0
  trap 'rm -f "$1.$$"' EXIT
  go build -trimpath -tags remove_all_sd -ldflags '-s -w' -o "$1.$$" ${prometheus}/cmd/promtool && mv "$1.$$" "$1"
`;

async function buildPromtool(path: string): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  const shell = ['sh', '-c', script, 'build', path];
  const flock = findOnPath('flock');
  const [command = '', ...args] = flock === undefined ? shell : [flock, `${dirname(path)}.lock`, ...shell];
  const flags = { CGO_ENABLED: '0', GOTOOLCHAIN: 'local', GOWORK: 'off', GOFLAGS: '-mod=readonly -buildvcs=false' };
  const child = spawn(command, args, {
    cwd: promtoolModule,
    env: { ...process.env, ...flags },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output = (output + text).slice(-outputBytesMax);
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`could not build promtool. Go said:\n${output}`);
}
