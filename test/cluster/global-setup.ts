// What vitest does once for all tests that need a control plane: it prepares the programs, and then waits with starting
// the one that tests share until the first of them asks, so that it takes nothing from the tests that run before.

import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import type { ControlPlaneFacts } from './client.ts';
import { type ControlPlane, startControlPlane } from './control-plane.ts';
import { crdManifests } from './crds.ts';
import { makeFolder, removeFolder } from './folders.ts';
import { defaultKubernetes } from './modules.ts';
import { preparePrograms } from './programs.ts';

/** What test files are told: whom to ask, or why there is nobody. */
export type SharedControlPlane = { readonly socket: string } | { readonly whyNot: string };

/** What they get when they ask. */
export type SharedAnswer = { readonly facts: ControlPlaneFacts } | { readonly error: string };

declare module 'vitest' {
  interface ProvidedContext {
    controlPlane: SharedControlPlane;
  }
}

let server: Server | undefined;
let shared: Promise<ControlPlane> | undefined;

/** Called by vitest before the first test of any project, if tests of this one are among those to run. */
export async function setup(project: TestProject): Promise<void> {
  project.provide('controlPlane', await offer());
}

/** Called by vitest at the end. */
export async function teardown(): Promise<void> {
  server?.close();
  const started = await shared?.catch(() => undefined);
  await started?.stop();
}

async function offer(): Promise<SharedControlPlane> {
  try {
    await preparePrograms(defaultKubernetes, say);
  } catch (error) {
    say(String(error));
    return { whyNot: String(error) };
  }
  const folder = makeFolder();
  const socket = join(folder, 'ask');
  server = createServer((asker) => {
    asker.on('error', () => {});
    void answer().then((text) => asker.end(JSON.stringify(text)));
  });
  server.listen(socket).unref();
  server.on('close', () => removeFolder(folder));
  await once(server, 'listening');
  return { socket };
}

function say(line: string): void {
  process.stderr.write(`control plane: ${line}\n`);
}

async function answer(): Promise<SharedAnswer> {
  shared ??= startControlPlane({
    controllers: ['namespace', 'garbagecollector', 'serviceaccount'],
    manifests: crdManifests(),
  });
  try {
    const { url, port, caFile, adminKubeconfig, adminToken, kubectl, folder } = await shared;
    return { facts: { url, port, caFile, adminKubeconfig, adminToken, kubectl, folder } };
  } catch (error) {
    return { error: String(error) };
  }
}
