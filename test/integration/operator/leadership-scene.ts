// A team's route in a cluster of its own class, the operators that serve it, and the history of everything that they write.

import { type ApiServerFront, openFront } from '../../support/api-server-front.ts';
import type { ControlPlaneClient } from '../../cluster/client.ts';
import { eventually } from '../../support/eventually.ts';
import { install, type Installation } from '../../support/installation.ts';
import { type History, recordHistory, type Version } from './history.ts';
import { type OperatorProcess, startOperatorProcess } from './operator-process.ts';

/** What was published at some time. */
export interface Publication {
  /** The number in the route's path. */
  readonly value: number;
  readonly revision: number;
  readonly at: number;
  readonly heardMs: number;
}

/** An operator with a way to the API server that is its own. */
export interface Replica extends OperatorProcess {
  readonly front: ApiServerFront;
  /** Requests that would change something, with the time of each. */
  writes(): readonly { readonly method: string; readonly url: string; readonly atMs: number }[];
}

/** The scene. */
export class Scene implements AsyncDisposable {
  readonly installation: Installation;
  readonly team: string;
  readonly history: History;
  readonly #plane: ControlPlaneClient;
  readonly #owned: AsyncDisposable[] = [];

  private constructor(plane: ControlPlaneClient, installation: Installation, team: string, history: History) {
    this.#plane = plane;
    this.installation = installation;
    this.team = team;
    this.history = history;
  }

  static async open(plane: ControlPlaneClient): Promise<Scene> {
    const installation = await install(plane);
    const team = await plane.newNamespace();
    const own = `/api/v1/namespaces/${installation.namespace}`;
    const history = await recordHistory(plane, [
      `${own}/configmaps`,
      `${own}/secrets`,
      `/apis/coordination.k8s.io/v1/namespaces/${installation.namespace}/leases`,
      `/apis/sluice.dev/v1alpha1/namespaces/${team}/llmroutes`,
    ]);
    const scene = new Scene(plane, installation, team, history);
    await plane.apply(
      installation.object('LLMProvider', team, 'own', {
        type: 'OpenAICompatible',
        endpoint: { url: 'http://127.0.0.1:9', insecureHTTP: 'Allow' },
        credentials: { type: 'None' },
      }),
    );
    return scene;
  }

  /** Starts a replica behind a front of its own. */
  async start(args: readonly string[] = []): Promise<Replica> {
    const { installation } = this;
    const front = await openFront(this.#plane);
    const kubeconfig = front.kubeconfig(installation.operatorKubeconfig);
    const operator = startOperatorProcess(installation, { kubeconfig, args });
    // The process before the way on which it goes.
    this.#owned.unshift(operator, front);
    const isWrite = ({ method }: { readonly method: string }): boolean => method !== 'GET';
    return { ...operator, front, writes: () => front.passed.filter(isWrite) };
  }

  /** What a person applies; each time with another number. */
  async apply(value: number): Promise<void> {
    await this.#plane.apply(
      this.installation.object('LLMRoute', this.team, 'chat', {
        path: `/${this.team}/${value}`,
        access: { mode: 'Anonymous' },
        rules: [{ name: 'all', backends: [{ name: 'own', providerRef: { name: 'own' }, model: 'any' }] }],
      }),
    );
  }

  /** Everything that was ever published. */
  publications(): readonly Publication[] {
    const { index } = { index: `sluice-${this.installation.className}` };
    const isIndex = ({ type, object }: Version): boolean => type !== 'DELETED' && object.metadata.name === index;
    return this.history.of('ConfigMap').filter(isIndex).map(toPublication);
  }

  /** Waits until a number is published, and says when that was. */
  async published(value: number, withinMs: number): Promise<Publication> {
    await eventually(() => this.publications().some((it) => it.value === value), withinMs);
    return this.publications().find((it) => it.value === value)!;
  }

  /** Generations for which a status was written, in the order of the writes. */
  observed(): readonly { readonly at: number; readonly generation: number }[] {
    return this.history.of('LLMRoute').flatMap(({ object, at }) => {
      const { conditions = [] } = (object['status'] ?? {}) as { conditions?: { observedGeneration: number }[] };
      return conditions.map(({ observedGeneration: generation }) => ({ at, generation }));
    });
  }

  /** Holders of the lease, each with when it took it. */
  holders(): readonly { readonly holder: string; readonly at: number; readonly heardMs: number }[] {
    const holders = this.history.of('Lease').map(({ object, at, heardMs }) => {
      const { holderIdentity = '' } = (object['spec'] ?? {}) as { holderIdentity?: string };
      return { holder: holderIdentity, at, heardMs };
    });
    return holders.filter(({ holder }, index) => holder !== holders[index - 1]?.holder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const it of this.#owned) await it[Symbol.asyncDispose]();
    await this.history[Symbol.asyncDispose]();
  }
}

function toPublication({ object, at, heardMs }: Version): Publication {
  const { data } = object as { readonly data?: Readonly<Record<string, string>> };
  const config = JSON.parse(data?.['config.json'] ?? '{}') as {
    readonly revision: number;
    readonly routes?: readonly unknown[];
  };
  const [, value] = /"path":"\/test-[0-9a-f]+\/(\d+)"/.exec(JSON.stringify(config.routes ?? [])) ?? [];
  return { value: Number(value ?? 0), revision: config.revision, at, heardMs };
}
