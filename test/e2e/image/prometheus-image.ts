// Puts a real Prometheus on the node of this machine: built with Go, once.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { provideProgramImage } from '../../cluster/image/program.ts';
import type { Cluster } from '../../cluster/node/cluster.ts';
import { cacheFolder } from '../../cluster/programs.ts';

const moduleFolder = fileURLToPath(new URL('../modules/prometheus-3/', import.meta.url));
const prometheus = 'github.com/prometheus/prometheus';

/** Builds it, unless it is there, and brings it to the node; gives its reference. Rejects where there is no Go. */
export async function providePrometheusImage(cluster: Cluster): Promise<string> {
  const module = readFileSync(join(moduleFolder, 'go.mod'), 'utf8');
  const [, version = 'unknown'] = new RegExp(`${prometheus} v(\\S+)`).exec(module) ?? [];
  const key = `prometheus-server-${version}-${process.platform}-${process.arch}`;
  const path = join(cacheFolder(), key, 'prometheus');
  if (!existsSync(path)) await build(path);
  const reference = `localhost/prometheus:${version}`;
  await cluster.importImages(await provideProgramImage(path, reference));
  return reference;
}

// All other ways of finding targets are left out: they are most of what would have to be compiled.
const script = `
  trap 'rm -f "$1.$$"' EXIT
  go build -trimpath -tags remove_all_sd,enable_kubernetes_sd -ldflags '-s -w' -o "$1.$$" ${prometheus}/cmd/prometheus &&
    mv "$1.$$" "$1"
`;

async function build(path: string): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  const flags = { CGO_ENABLED: '0', GOTOOLCHAIN: 'local', GOWORK: 'off', GOFLAGS: '-mod=readonly -buildvcs=false' };
  const child = spawn('sh', ['-c', script, 'build', path], {
    cwd: moduleFolder,
    env: { ...process.env, ...flags },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error('could not build Prometheus');
}
