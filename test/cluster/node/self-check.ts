// Two pods that talk by the name of a Service, and what people do with pods: everything that the chart and its tests
// take for granted.

import { execFile } from 'node:child_process';
import { request } from 'undici';
import { eventually } from '../../support/eventually.ts';
import type { Progress } from '../go-build.ts';
import { type Cluster, connectCluster } from './cluster.ts';
import type { ClusterFacts } from './state.ts';

const answer = 'the gate is open';
const port = 8080;
const withinMs = 60_000;
const looks = { everyMs: 100 };

const server = `
const http = require('node:http');
http.createServer((request, response) => {
  console.log('asked for ' + request.url);
  response.end('${answer}');
}).listen(${port});
process.on('SIGTERM', () => process.exit(0));
`;

/** Checks a cluster that is up; throws at the first thing that does not work. */
export async function selfCheck(facts: ClusterFacts, progress: Progress): Promise<void> {
  const image = facts.images?.sluice;
  if (image === undefined) throw new Error('the check runs pods from the Sluice image: bring the cluster up with it');
  const cluster = connectCluster(facts);
  const namespace = await cluster.newNamespace();
  try {
    // The strictest profile there is, so that the image is seen to pass it.
    await cluster.apply({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: namespace, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
    });
    await checkPods(cluster, namespace, image, progress);
  } finally {
    await cluster.request('DELETE', `/api/v1/namespaces/${namespace}`);
  }
}

async function checkPods(cluster: Cluster, namespace: string, image: string, progress: Progress): Promise<void> {
  const kubectl = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await cluster.runKubectl(['--namespace', namespace, ...args]);
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
    return stdout;
  };
  await cluster.apply(deployment(namespace, image));
  await cluster.apply(service(namespace));
  await kubectl('rollout', 'status', 'deployment/server', `--timeout=${withinMs / 1000}s`);
  progress('ok: a Deployment of two, under the restricted profile, with a read-only root');

  const ask = `fetch('http://server.${namespace}/by-name').then((r) => r.text()).then(console.log)`;
  await cluster.apply(pod('client', namespace, image, ['node', '-e', ask]));
  await kubectl('wait', 'pod/client', '--for=jsonpath={.status.phase}=Succeeded', `--timeout=${withinMs / 1000}s`);
  expectIn('the client’s log', await kubectl('logs', 'client'), answer);
  await eventually(
    async () => (await kubectl('logs', '--selector=app=server')).includes('asked for /by-name'),
    withinMs,
    looks,
  );
  progress('ok: a pod calls a Service by its DNS name; kubectl logs');

  const said = await kubectl('exec', 'deployment/server', '--', 'node', '-e', 'console.log(process.getuid())');
  expectIn('kubectl exec', said, '65532');
  progress('ok: kubectl exec');

  const { clusterIP } = JSON.parse(await kubectl('get', 'service', 'server', '-o', 'jsonpath={.spec}')) as {
    readonly clusterIP: string;
  };
  await expectAnswer(`http://${clusterIP}/from-the-machine`);
  const podAddress = await kubectl('get', 'pod', '--selector=app=server', '-o', 'jsonpath={.items[0].status.podIP}');
  await expectAnswer(`http://${podAddress}:${port}/from-the-machine`);
  progress('ok: this machine reaches Services and pods');

  await checkPortForward(cluster, namespace);
  progress('ok: kubectl port-forward');

  expectIn('sluice --version', await runOnce(cluster, namespace, image, kubectl), '.');
  progress('ok: the image runs sluice');
}

type Kubectl = (...args: readonly string[]) => Promise<string>;

async function runOnce(cluster: Cluster, namespace: string, image: string, kubectl: Kubectl): Promise<string> {
  await cluster.apply(pod('version', namespace, image, undefined, ['--version']));
  await kubectl('wait', 'pod/version', '--for=jsonpath={.status.phase}=Succeeded', `--timeout=${withinMs / 1000}s`);
  return kubectl('logs', 'version');
}

async function checkPortForward({ kubectl, kubeconfig }: Cluster, namespace: string): Promise<void> {
  const args = [
    `--kubeconfig=${kubeconfig}`,
    '--namespace',
    namespace,
    'port-forward',
    'deployment/server',
    `:${port}`,
  ];
  const child = execFile(kubectl, args);
  try {
    let output = '';
    child.stdout?.on('data', (text) => (output += text));
    await eventually(() => output.includes('Forwarding from'), withinMs, looks);
    const [, local = ''] = /127\.0\.0\.1:(\d+)/.exec(output) ?? [];
    await expectAnswer(`http://127.0.0.1:${local}/`);
  } finally {
    child.kill();
  }
}

async function expectAnswer(url: string): Promise<void> {
  const { body } = await request(url, { headersTimeout: withinMs });
  expectIn(url, await body.text(), answer);
}

function expectIn(what: string, text: string, expected: string): void {
  if (!text.includes(expected)) throw new Error(`${what}: expected "${expected}", got "${text.trim()}"`);
}

const securityContext = {
  runAsNonRoot: true,
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
};

function podSpec(image: string, command: readonly string[] | undefined, args: readonly string[] = []): object {
  const container = { name: 'main', image, args, imagePullPolicy: 'Never', securityContext };
  return {
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 5,
    containers: [command === undefined ? container : { ...container, command }],
  };
}

function pod(
  name: string,
  namespace: string,
  image: string,
  command: readonly string[] | undefined,
  args: readonly string[] = [],
): object {
  const spec = { ...podSpec(image, command, args), restartPolicy: 'Never' };
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace }, spec };
}

function deployment(namespace: string, image: string): object {
  const labels = { app: 'server' };
  const template = { metadata: { labels }, spec: podSpec(image, ['node', '-e', server]) };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'server', namespace },
    spec: { replicas: 2, selector: { matchLabels: labels }, template },
  };
}

function service(namespace: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'server', namespace },
    spec: { selector: { app: 'server' }, ports: [{ port: 80, targetPort: port }] },
  };
}
