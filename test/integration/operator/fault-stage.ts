// What an operator has to do with while things fail around it: an installation, a front before its API server, and a team
// with a provider and a route.

import type { ControlPlane } from '../../cluster/control-plane.ts';
import { type ApiServerFront, openFront } from '../../support/api-server-front.ts';
import { eventually } from '../../support/eventually.ts';
import { install, type Installation, type Manifest, type TestOperator } from '../../support/installation.ts';

/** An installation with a front before its operator, and a team. */
export class FaultStage implements AsyncDisposable {
  readonly plane: ControlPlane;
  readonly installation: Installation;
  readonly manifests: readonly Manifest[];
  readonly front: ApiServerFront;
  readonly team: string;

  private constructor(given: Pick<FaultStage, 'plane' | 'installation' | 'manifests' | 'front' | 'team'>) {
    this.plane = given.plane;
    this.installation = given.installation;
    this.manifests = given.manifests;
    this.front = given.front;
    this.team = given.team;
  }

  static async open(plane: ControlPlane): Promise<FaultStage> {
    const manifests: Manifest[] = [];
    const editManifest = (manifest: Manifest): Manifest => (manifests.push(manifest), manifest);
    const installation = await install(plane, { editManifest });
    const front = await openFront(plane);
    return new FaultStage({ plane, installation, manifests, front, team: await plane.newNamespace() });
  }

  start(kubeconfig = this.installation.operatorKubeconfig): Promise<TestOperator> {
    const credentials = { type: 'kubeconfig', path: this.front.kubeconfig(kubeconfig) } as const;
    return this.installation.startOperator({ credentials });
  }

  async applyProvider(url: string, namespace = this.team): Promise<void> {
    const endpoint = { url, insecureHTTP: 'Allow' };
    const spec = { type: 'OpenAICompatible', endpoint, credentials: { type: 'None' } };
    await this.plane.apply(this.installation.object('LLMProvider', namespace, 'own', spec));
  }

  async applyRoute(model: string, namespace = this.team): Promise<void> {
    const providerRef = { name: 'own', namespace };
    const rules = [{ name: 'all', backends: [{ name: 'own', providerRef, model }] }];
    const spec = { path: `/${this.team}`, access: { mode: 'Anonymous' }, rules };
    await this.plane.apply(this.installation.object('LLMRoute', this.team, 'chat', spec));
  }

  /** The published configuration as text; '' if there is none. */
  async published(): Promise<string> {
    const { namespace, className } = this.installation;
    const path = `/api/v1/namespaces/${namespace}/configmaps/sluice-${className}`;
    const index = await this.plane
      .request<{ data: Record<string, string> }>('GET', path)
      .catch(() => ({ data: {} as Record<string, string> }));
    return index.data['config.json'] ?? '';
  }

  async publishes(words: string | RegExp, withinMs = 5000): Promise<void> {
    await eventually(async () => new RegExp(words).test(await this.published()), withinMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.front[Symbol.asyncDispose]();
  }
}
