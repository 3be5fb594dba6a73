// What the proxies of a release say about themselves, asked inside each pod: the admin port is nobody else's.

import type { Release } from './release.ts';

/** The parts of `/state` that tests read. */
export interface ProxyState {
  readonly backends: readonly { readonly name: string; readonly state: string; readonly until?: string | null }[];
  readonly store: { readonly kind: 'memory' | 'redis'; readonly state: 'ok' | 'down' };
}

const call = `fetch('http://127.0.0.1:9090' + process.argv[1], {
  headers: { authorization: 'Bearer ' + process.env.SLUICE_ADMIN_TOKEN },
}).then((response) => response.text()).then(console.log)`;

/** Asks the admin port of one proxy. */
export async function askProxy<T>(release: Release, pod: string, path: string): Promise<T> {
  return JSON.parse(await release.kubectl(['exec', pod, '--', 'node', '-e', call, path])) as T;
}

/** The state of every proxy. */
export async function proxyStates(release: Release): Promise<readonly ProxyState[]> {
  const pods = await release.pods('proxy');
  return Promise.all(pods.map((pod) => askProxy<ProxyState>(release, pod, '/state')));
}

/** The names of the backends that each proxy leaves out. */
export async function disabledBackends(release: Release): Promise<readonly (readonly string[])[]> {
  const states = await proxyStates(release);
  return states.map(({ backends }) => backends.filter(({ state }) => state === 'disabled').map(({ name }) => name));
}
