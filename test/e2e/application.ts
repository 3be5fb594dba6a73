// What stands around a release: two scripted upstreams, the resources that lead to them, and an application in a pod that
// calls the Service by its name, with the key from its Secret.

import { readFileSync } from 'node:fs';
import type { Release } from './release.ts';

/** What came of one request of the application. */
export interface Outcome {
  readonly text?: string;
  readonly finish?: string;
  readonly status?: number;
  readonly error?: string;
  readonly backend?: string;
}

/** What came of many. */
export interface LoadOutcome {
  readonly requests: number;
  readonly failed: number;
  /** Without an error, but not whole. */
  readonly truncated: number;
  readonly backends: Readonly<Record<string, number>>;
  readonly failures: readonly object[];
}

/** How the application asks. */
export interface Ask {
  readonly key?: string;
  readonly model?: string;
  readonly stream?: boolean;
  /** A text, or JSON that the upstream obeys: `{"pieces": 3, "everyMs": 100}`. */
  readonly content?: string;
  readonly maxRetries?: number;
}

/** How it asks all the time. */
export interface Load extends Ask {
  readonly workers: number;
  readonly pauseMs?: number;
  readonly lastPiece?: string;
}

/** What an upstream says about itself. */
export interface UpstreamReport {
  readonly name: string;
  readonly asked: number;
  readonly refusedKeys: number;
}

/** The pods of a test, and what it does with them. */
export interface Application {
  ask(ask?: Ask): Promise<Outcome>;
  /** Asks all the time while something happens; says what came of it. */
  during(load: Load, what: () => Promise<void>): Promise<LoadOutcome>;
  /** The client key in the Secret that the operator made. */
  key(entry?: string): Promise<string>;
  upstream(name: string, control?: { readonly failWith: number }): Promise<UpstreamReport>;
}

/** The key of all upstreams. */
const upstreamKey = 'sk-of-the-upstreams';
const upstreams = ['one', 'two'] as const;

/** Where the suite's own file is; Node in the pods runs the same. */
function script(folder: string): string {
  return readFileSync(new URL(`${folder}/main.ts`, import.meta.url), 'utf8');
}

const securityContext = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
};

function podTemplate(release: Release, folder: string, name: string, env: readonly object[]): object {
  return {
    metadata: { labels: { app: name } },
    spec: {
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 1,
      securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: 'main',
          image: release.cluster.images.client,
          imagePullPolicy: 'IfNotPresent',
          command: ['node', '/scripts/main.ts'],
          env,
          securityContext,
          volumeMounts: [{ name: 'scripts', mountPath: '/scripts' }],
        },
      ],
      volumes: [{ name: 'scripts', configMap: { name: `script-of-${folder}` } }],
    },
  };
}

function deployment(release: Release, folder: string, name: string, env: readonly object[]): readonly object[] {
  return [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name },
      spec: {
        replicas: 1,
        selector: { matchLabels: { app: name } },
        template: podTemplate(release, folder, name, env),
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name },
      spec: { selector: { app: name }, ports: [{ port: 80, targetPort: 8080 }] },
    },
  ];
}

/** A resource of the release's class. */
export function resource(release: Release, kind: string, name: string, spec: object, annotations = {}): object {
  return {
    apiVersion: 'sluice.dev/v1alpha1',
    kind,
    metadata: { name, namespace: release.namespace, annotations },
    spec: { className: release.className, ...spec },
  };
}

/** The route to both upstreams: the first has the second behind it. */
export function chatRoute(release: Release, seconds = 600): object {
  return resource(release, 'LLMRoute', 'chat', {
    models: [{ name: 'chat' }],
    rules: [
      {
        name: 'default',
        backends: upstreams.map((name, priority) => ({ name, providerRef: { name }, model: `of-${name}`, priority })),
        failover: { disable: { failures: 1, seconds } },
      },
    ],
  });
}

/** The client key that the operator makes. */
export function clientKey(release: Release, annotations = {}): object {
  const client = {
    models: ['chat'],
    generate: { secretName: 'application-key' },
    rotation: { overlapSeconds: 3600 },
  };
  return resource(release, 'LLMKey', 'application', { type: 'Client', client }, annotations);
}

function resources(release: Release): readonly object[] {
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'upstreams', labels: { 'sluice.dev/credential': 'true' } },
    stringData: { key: upstreamKey },
  };
  const providers = upstreams.flatMap((name) => [
    resource(release, 'LLMProvider', name, {
      type: 'OpenAICompatible',
      endpoint: { serviceRef: { name, port: 80, scheme: 'http', path: '/v1' }, insecureHTTP: 'Allow' },
    }),
    resource(release, 'LLMKey', name, {
      type: 'Upstream',
      secretRef: { name: 'upstreams', key: 'key' },
      upstream: { providerRef: { name } },
    }),
  ]);
  return [secret, ...providers, chatRoute(release), clientKey(release)];
}

/** Applies objects in the namespace of a release. */
export async function apply(release: Release, objects: readonly object[]): Promise<void> {
  const list = { apiVersion: 'v1', kind: 'List', items: objects };
  await release.kubectl(['apply', '-f', '-'], JSON.stringify(list));
}

/** Waits until all resources of a release are ready. */
export async function allReady(release: Release): Promise<void> {
  await release.kubectl(['wait', '--for=condition=Ready', 'llmp,llmr,llmk', '--all', '--timeout=60s']);
}

/** Puts upstreams, resources and the application in place, and waits until all of it is ready. */
export async function startApplication(release: Release): Promise<Application> {
  const baseURL = `http://sluice.${release.namespace}.svc.cluster.local/v1`;
  const keyRef = { secretKeyRef: { name: 'application-key', key: 'key' } };
  await apply(release, [
    ...['upstream', 'client'].map((folder) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: `script-of-${folder}` },
      data: { 'main.ts': script(folder) },
    })),
    ...upstreams.flatMap((name) =>
      deployment(release, 'upstream', name, [
        { name: 'NAME', value: name },
        { name: 'API_KEY', value: upstreamKey },
      ]),
    ),
    // It waits for its Secret by itself.
    ...deployment(release, 'client', 'client', [
      { name: 'BASE_URL', value: baseURL },
      { name: 'API_KEY', valueFrom: keyRef },
    ]),
    ...resources(release),
  ]);
  for (const name of [...upstreams, 'client']) {
    await release.kubectl(['rollout', 'status', `deployment/${name}`, '--timeout=120s']);
  }
  await allReady(release);
  return connectApplication(release);
}

function connectApplication(release: Release): Application {
  const exec = (task: object): string[] => [
    'exec',
    '-i',
    'deployment/client',
    '--',
    'node',
    '/scripts/main.ts',
    JSON.stringify(task),
  ];
  return {
    ask: async (ask = {}) => JSON.parse(await release.kubectl(exec({ mode: 'once', ...ask }))) as Outcome,
    async during(load, what) {
      const running = release.cluster.start([`--namespace=${release.namespace}`, ...exec({ mode: 'load', ...load })]);
      try {
        await Promise.race([running.begun.then(what), running.failed]);
      } finally {
        running.endInput();
      }
      const lines = (await running.output).trim().split('\n');
      return JSON.parse(lines.at(-1) ?? '') as LoadOutcome;
    },
    async key(entry = 'key') {
      const { data } = JSON.parse(await release.kubectl(['get', 'secret', 'application-key', '-o', 'json'])) as {
        readonly data: Readonly<Record<string, string>>;
      };
      return Buffer.from(data[entry] ?? '', 'base64').toString();
    },
    async upstream(name, control) {
      const body = control === undefined ? '' : JSON.stringify(control);
      const call = `fetch('http://127.0.0.1:8080/control', { method: 'POST', body: process.argv[1] ?? '' })
        .then((response) => response.text()).then(console.log)`;
      return JSON.parse(
        await release.kubectl(['exec', `deployment/${name}`, '--', 'node', '-e', call, body]),
      ) as UpstreamReport;
    },
  };
}
