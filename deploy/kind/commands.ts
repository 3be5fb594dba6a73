// What brings Sluice onto a cluster of kind, as the commands that a person would type.

import { fileURLToPath } from 'node:url';

/** A command, and what it is for. */
export interface Command {
  readonly says: string;
  readonly program: 'docker' | 'kind' | 'helm' | 'kubectl';
  readonly args: readonly string[];
}

/** What differs between a cluster to try out and one for tests. */
export interface KindCluster {
  readonly name: string;
  /** Whether the port of the Service is brought to this machine; only one cluster can have it. */
  readonly published: boolean;
}

/** Not `latest`: Kubernetes would want to pull it. */
export const images = { sluice: 'sluice:dev', redis: 'redis:8.4' } as const;

const root = fileURLToPath(new URL('../../', import.meta.url)).replace(/\/$/, '');
const here = fileURLToPath(new URL('.', import.meta.url)).replace(/\/$/, '');
/** The first start of a node unpacks images; it takes a minute where the machine is slow. */
const wait = '180s';

/** The cluster that people try Sluice on. */
export const trial: KindCluster = { name: 'sluice', published: true };

/** Builds the images, in the order in which the cluster needs them. */
export function buildCommands(): readonly Command[] {
  return [
    {
      says: 'the image',
      program: 'docker',
      args: ['build', `--file=${root}/deploy/Dockerfile`, `--tag=${images.sluice}`, root],
    },
    { says: 'Redis', program: 'docker', args: ['pull', images.redis] },
  ];
}

/** Makes a cluster. */
export function createCommand({ name, published }: KindCluster): Command {
  const config = published ? [`--config=${here}/cluster.yaml`] : [];
  return {
    says: 'a cluster',
    program: 'kind',
    args: ['create', 'cluster', `--name=${name}`, `--wait=${wait}`, ...config],
  };
}

/** Brings images onto its node. */
export function loadCommand({ name }: KindCluster, references: readonly string[]): Command {
  return {
    says: 'the images onto it',
    program: 'kind',
    args: ['load', 'docker-image', `--name=${name}`, ...references],
  };
}

/** Installs the chart, or brings it up to date, and applies the demo. */
export function installCommands({ name }: KindCluster): readonly Command[] {
  const context = `kind-${name}`;
  const namespace = '--namespace=sluice-system';
  const kubectl = (says: string, ...args: string[]): Command => ({
    says,
    program: 'kubectl',
    args: [`--context=${context}`, ...args],
  });
  return [
    {
      says: 'the chart',
      program: 'helm',
      args: [
        'upgrade',
        '--install',
        'sluice',
        `${root}/charts/sluice`,
        `--kube-context=${context}`,
        namespace,
        '--create-namespace',
        `--values=${here}/values.yaml`,
        '--wait',
        `--timeout=${wait}`,
      ],
    },
    // An image built anew has the tag that it had before, which changes no Deployment.
    kubectl('restart', namespace, 'rollout', 'restart', 'deployment', '--selector=app.kubernetes.io/instance=sluice'),
    kubectl('the demo', 'apply', `--filename=${here}/demo.yaml`),
    kubectl('wait', '--namespace=demo', 'rollout', 'status', 'deployment/stand-ins', `--timeout=${wait}`),
    kubectl(
      'wait',
      '--namespace=demo',
      'wait',
      '--for=condition=Ready',
      'llmp,llmr,llmk',
      '--all',
      `--timeout=${wait}`,
    ),
  ];
}

/** Takes a cluster away, with everything on it. */
export function deleteCommand({ name }: KindCluster): Command {
  return { says: 'the cluster away', program: 'kind', args: ['delete', 'cluster', `--name=${name}`] };
}

/** What to do next, for people. */
export function nextSteps({ name }: KindCluster): string {
  return `Sluice runs on kind-${name}. The first call:

  KEY=$(kubectl --context kind-${name} -n demo get secret my-app-llm-key -o jsonpath='{.data.key}' | base64 -d)
  curl -i http://127.0.0.1:8080/v1/chat/completions -H "authorization: Bearer $KEY" -H 'content-type: application/json' \\
    -d '{"model":"chat","messages":[{"role":"user","content":"Hello"}]}'

Which objects are in force, and why others are not:

  kubectl --context kind-${name} get llmp,llmr,llmk -A -o wide

npm run kind:down takes it all away.`;
}
