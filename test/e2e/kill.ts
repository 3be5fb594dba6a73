// Kills the process of a container as the kernel does when memory is short: no signal that it could answer. From within
// the container nobody can, so a pod that sees the processes of the node does it.

import type { Release } from './release.ts';

// Argument: the UID of the pod. cgroups are named after it, with other dashes under systemd.
const script = `
const { readdirSync, readFileSync } = require('node:fs');
const uid = process.argv[1].replaceAll('-', '.');
const read = (path) => { try { return readFileSync(path, 'utf8'); } catch { return ''; } };
const killed = readdirSync('/proc').filter((pid) => /^\\d+$/.test(pid)).filter((pid) =>
  new RegExp(uid).test(read('/proc/' + pid + '/cgroup')) && read('/proc/' + pid + '/cmdline').includes('node'));
for (const pid of killed) process.kill(Number(pid), 'SIGKILL');
console.log(killed.length);
`;

/** Kills the program of a pod, which then is started anew in its container's place. */
export async function killProgram(release: Release, pod: string): Promise<void> {
  const { cluster, namespace } = release;
  const uid = await release.kubectl(['get', 'pod', pod, '-o', 'jsonpath={.metadata.uid}']);
  // The release's own namespace admits no such pod.
  const home = '--namespace=kube-system';
  const name = `killer-of-${namespace}`;
  const container = {
    name: 'main',
    image: cluster.images.client,
    imagePullPolicy: 'IfNotPresent',
    command: ['node', '-e', script, uid],
    securityContext: { runAsUser: 0 },
  };
  const spec = { hostPID: true, restartPolicy: 'Never', containers: [container] };
  const object = { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec };
  try {
    await cluster.kubectl([home, 'apply', '-f', '-'], JSON.stringify(object));
    await cluster.kubectl([home, 'wait', `pod/${name}`, '--for=jsonpath={.status.phase}=Succeeded', '--timeout=60s']);
    const killed = Number(await cluster.kubectl([home, 'logs', name]));
    if (killed !== 1) throw new Error(`${killed} processes of ${pod} were killed`);
  } finally {
    await cluster.kubectl([home, 'delete', 'pod', name, '--grace-period=0', '--force', '--ignore-not-found']);
  }
}
