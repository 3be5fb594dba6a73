// The thread in which plugins run. Loads modules of one folder and nothing else, and asks their function `order`.

import { realpathSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import type { FromPlugin, PluginCandidate, PluginRequest, ToPlugin } from './plugin-protocol.ts';

/** How long a module is used before its file is looked at again: mounted ones change under the same name. */
const lookAgainMs = 5_000;

type Order = (request: PluginRequest, candidates: readonly PluginCandidate[]) => unknown;

interface Loaded {
  readonly order: Promise<Order>;
  readonly lookedAtMs: number;
  readonly url: string;
}

const { folder } = workerData as { readonly folder: string };
const modules = new Map<string, Loaded>();

parentPort?.on('message', (message: ToPlugin) => {
  switch (message.type) {
    case 'ping':
      tell({ type: 'pong' });
      break;
    case 'load':
      void prepare(message.module);
      break;
    case 'order':
      void answer(message);
  }
});

/** What is wrong with a module, whoever asks it is told. */
async function prepare(module: string): Promise<void> {
  try {
    await load(module);
  } catch {
    // Said with the first question.
  }
}

async function answer({ id, module, request, candidates }: Extract<ToPlugin, { type: 'order' }>): Promise<void> {
  try {
    const names = await (await load(module))(request, candidates);
    if (!Array.isArray(names) || names.some((name) => typeof name !== 'string')) {
      throw new TypeError('order must return a list of names of candidates');
    }
    tell({ type: 'ordered', id, names: names as string[] });
  } catch (error) {
    tell({ type: 'failed', id, message: error instanceof Error ? error.message : String(error) });
  }
}

function load(module: string): Promise<Order> {
  const known = modules.get(module);
  if (known !== undefined && Date.now() - known.lookedAtMs < lookAgainMs) return known.order;
  const url = locate(module);
  const order = known?.url === url ? known.order : importOrder(url);
  modules.set(module, { order, lookedAtMs: Date.now(), url });
  return order;
}

/** The URL of a module; another one when the file has changed. Throws where it is not in the folder. */
function locate(module: string): string {
  const root = realpathSync(folder);
  // Links are followed first: a mounted ConfigMap consists of them, and one that leads elsewhere is no plugin.
  const path = realpathSync(join(root, module));
  if (!path.startsWith(root + sep)) throw new Error(`${module} is not in the folder of plugins`);
  return `${pathToFileURL(path).href}?changed=${statSync(path).mtimeMs}`;
}

async function importOrder(url: string): Promise<Order> {
  const { order } = (await import(url)) as { readonly order?: unknown };
  if (typeof order !== 'function') throw new TypeError('the module exports no function order');
  return order as Order;
}

function tell(message: FromPlugin): void {
  parentPort?.postMessage(message);
}
