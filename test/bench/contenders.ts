// Who is measured: the bare floor, nginx where it is installed, and Sluice with all that a request passes through.

import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findTool } from '../support/tools.ts';
import { lineOf, type Running, start } from './processes.ts';

/** A program under measurement, and where its requests go. */
export interface Contender {
  readonly name: string;
  readonly url: string;
  readonly running: Running;
  /** All its processes. */
  readonly pids: readonly number[];
}

const here = (file: string): string => new URL(file, import.meta.url).pathname;

/** Starts the bare floor. */
export async function startFloor(core: number, upstreamPort: string): Promise<Contender> {
  const running = start(core, process.execPath, [here('floor.ts'), upstreamPort]);
  const [, port] = await lineOf(running, /^listening (\d+)/);
  return { name: 'bare floor', url: `http://127.0.0.1:${port}/v1/chat/completions`, running, pids: [running.pid] };
}

/** Starts nginx with one worker and kept-alive connections on both sides; undefined if it is not installed. */
export async function startNginx(core: number, upstreamPort: string): Promise<Contender | undefined> {
  const nginx = await findTool('nginx');
  if (nginx === undefined) return undefined;
  const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-nginx-'));
  const config = join(folder, 'nginx.conf');
  const port = 28_081;
  await writeFile(config, nginxConfig(folder, port, upstreamPort));
  const running = start(core, nginx, ['-c', config, '-p', folder]);
  await new Promise((resolve) => setTimeout(resolve, 300));
  const url = `http://127.0.0.1:${port}/v1/chat/completions`;
  return { name: 'nginx', url, running, pids: [running.pid] };
}

function nginxConfig(folder: string, port: number, upstreamPort: string): string {
  // One process, so that its time is all of its time.
  return `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
events { worker_connections 8192; }
http {
  access_log off; client_body_temp_path ${folder}; proxy_temp_path ${folder}; fastcgi_temp_path ${folder};
  uwsgi_temp_path ${folder}; scgi_temp_path ${folder}; keepalive_requests 100000000; client_body_buffer_size 1m;
  upstream bench { server 127.0.0.1:${upstreamPort}; keepalive 512; keepalive_requests 100000000; }
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://bench; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; }
  }
}
`;
}

/** Starts Sluice as a user would, from YAML; with other resources than the usual ones if they are given. */
export async function startSluice(
  core: number,
  upstreamPort: string,
  yaml: string = usualResources(upstreamPort),
): Promise<Contender> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
  await writeFile(join(folder, 'bench.yaml'), yaml);
  const main = new URL('../../deploy/standalone/main.ts', import.meta.url).pathname;
  const args = [main, 'run', folder, '--listen', '127.0.0.1:28082', '--admin', '127.0.0.1:28083'];
  const running = start(core, process.execPath, args);
  await ready('http://127.0.0.1:28083/readyz');
  return { name: 'Sluice', url: 'http://127.0.0.1:28082/v1/chat/completions', running, pids: [running.pid] };
}

async function ready(url: string): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    try {
      if ((await fetch(url)).ok) return;
    } catch {
      // Not listening yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${url} did not become ready within ten seconds`);
}

/** A key, two rules, two backends, one of a pool: what a request passes through in a real installation. */
function usualResources(upstreamPort: string): string {
  const endpoint = `endpoint: {url: "http://127.0.0.1:${upstreamPort}/v1", insecureHTTP: Allow}`;
  return `apiVersion: sluice.dev/v1alpha1
kind: LLMProvider
metadata: {name: pool}
spec: {type: OpenAICompatible, ${endpoint}}
---
apiVersion: sluice.dev/v1alpha1
kind: LLMProvider
metadata: {name: own}
spec: {type: OpenAICompatible, ${endpoint}, credentials: {type: None}}
---
apiVersion: sluice.dev/v1alpha1
kind: LLMKey
metadata: {name: upstream}
spec: {type: Upstream, secretRef: {name: keys, key: upstream}, upstream: {providerRef: {name: pool}}}
---
apiVersion: sluice.dev/v1alpha1
kind: LLMKey
metadata: {name: client}
spec: {type: Client, secretRef: {name: keys, key: client}, client: {models: [bench]}}
---
apiVersion: v1
kind: Secret
metadata: {name: keys, labels: {sluice.dev/credential: "true"}}
stringData: {upstream: bench-upstream-key, client: bench-client-key}
---
apiVersion: sluice.dev/v1alpha1
kind: LLMRoute
metadata: {name: bench}
spec:
  models: [{name: bench}]
  rules:
  - name: header
    matches: [{headers: [{name: x-region, type: Exact, value: eu}]}]
    backends: [{name: other, providerRef: {name: own}}]
  - name: default
    strategy: RoundRobin
    backends:
    - {name: a, providerRef: {name: pool}, model: bench-upstream}
    - {name: b, providerRef: {name: own}, model: bench-upstream}
`;
}
