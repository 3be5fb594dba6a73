// A team with a key of its own and one of its clients, a route, and proxies as processes that serve it: from a volume, as
// the kubelet would keep it, and by a watch.

import { makeMount, type Mount } from '../proxy/mount.ts';
import { loopback, type ProxyProcess, startProxyProcess } from '../proxy/proxy-process.ts';
import type { ControlPlaneClient } from '../../cluster/client.ts';
import { eventually } from '../../support/eventually.ts';
import { install, type Installation } from '../../support/installation.ts';
import type { ScriptedUpstream } from '../../support/upstream.ts';
import { Publication } from './published.ts';
import { Team } from './team.ts';

/** The team, and what is published for it. */
export class ServedTeam implements Disposable {
  /** What its client shows. */
  readonly clientKey = 'client-key-0123456789';
  readonly installation: Installation;
  readonly publication: Publication;
  readonly team: Team;
  readonly mount: Mount = makeMount();

  private constructor(installation: Installation, publication: Publication, team: Team) {
    this.installation = installation;
    this.publication = publication;
    this.team = team;
  }

  static async open(plane: ControlPlaneClient, upstream: ScriptedUpstream): Promise<ServedTeam> {
    const installation = await install(plane);
    const team = new Team(plane, installation, await plane.newNamespace());
    const served = new ServedTeam(installation, new Publication(plane, installation), team);
    await team.create(
      team.secret('upstream', 'sk-upstream'),
      team.secret('client', served.clientKey),
      served.#provider(upstream),
      team.upstreamKey('upstream', 'own'),
      team.clientKey('client'),
      team.route('chat', ['own'], { path: `/${team.namespace}`, access: {} }),
    );
    return served;
  }

  /** Where chat completions are asked for. */
  get path(): string {
    return `/${this.team.namespace}/chat/completions`;
  }

  /** Sends requests elsewhere from now on. */
  async turnTo(upstream: ScriptedUpstream): Promise<void> {
    await this.team.apply(this.#provider(upstream));
  }

  #provider(upstream: ScriptedUpstream): ReturnType<Team['provider']> {
    return this.team.provider('own', upstream.baseURL, { credentials: { type: 'KeyPool' } });
  }

  /** Waits until it is published, and brings the volume up to date: the kubelet takes up to a minute and a half. */
  async mountPublished(): Promise<void> {
    const { publication, mount } = this;
    const isThere = async (): Promise<boolean> => (await publication.config()).routes.length > 0;
    await eventually(() => isThere().catch(() => false), 15_000);
    const [maps, secret] = [await publication.configMaps(), await publication.read(publication.secretPath)];
    const texts = [...maps.values()].flatMap(({ data = {} }) => Object.entries(data));
    const encoded = [...maps.values()].flatMap(({ binaryData = {} }) => Object.entries(binaryData));
    const bytes = [...encoded, ...Object.entries(secret.data ?? {})].map(
      ([name, text]) => [name, Buffer.from(text, 'base64')] as const,
    );
    mount.hold(new Map<string, string | Buffer>([...texts, ...bytes]));
  }

  startProxy(kubeconfig = this.installation.proxyKubeconfig): Promise<ProxyProcess> {
    const watch = [
      '--watch',
      `${this.installation.namespace}/${this.publication.indexName}`,
      '--kubeconfig',
      kubeconfig,
    ];
    return startProxyProcess(this.mount, { args: [...watch, ...loopback] });
  }

  [Symbol.dispose](): void {
    this.mount[Symbol.dispose]();
  }
}
