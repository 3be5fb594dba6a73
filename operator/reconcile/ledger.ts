// What the last compilation came to, object by object: what is wrong with each, and since which revision its present form
// is published. From this, and from what proxies answer, status is decided.

import { hash } from 'node:crypto';
import { type Kind, kinds } from '../../crds/group.ts';
import type { Credentials, GatewayConfig } from '../../proxy/config/schema.ts';
import type { Compiled } from '../compile/compile.ts';
import type { Diagnostic } from '../compile/diagnostic.ts';
import type { Publication } from '../status/facts.ts';
import type { Resource } from '../watch/resource.ts';

/** `Kind namespace/name`. */
export type ObjectKey = `${Kind} ${string}`;

/** Names one object among all kinds. */
export function keyOf({ kind, namespace, name }: Pick<Resource, 'kind' | 'namespace' | 'name'>): ObjectKey {
  return `${kind} ${namespace}/${name}`;
}

/** The kind and the id of a key. */
export function splitKey(key: string): { readonly kind: Kind; readonly id: string } | undefined {
  const space = key.indexOf(' ');
  const kind = kinds.find((candidate) => candidate === key.slice(0, space));
  return kind === undefined ? undefined : { kind, id: key.slice(space + 1) };
}

/** What became of a configuration: the revision under which it is published, or why it is not. */
export type Published =
  | { readonly type: 'published'; readonly config: GatewayConfig }
  | { readonly type: 'too-large'; readonly message: string }
  /** The API server did not take it; it is tried again. */
  | { readonly type: 'failed' };

/** The last compilation. */
export class Ledger {
  #diagnostics: ReadonlyMap<ObjectKey, readonly Diagnostic[]> = new Map();
  #generations: ReadonlyMap<ObjectKey, number> = new Map();
  #forms: ReadonlyMap<ObjectKey, string> = new Map();
  #since: ReadonlyMap<ObjectKey, number> = new Map();
  #config: GatewayConfig | undefined;
  #credentials: Credentials | undefined;
  #adopted: number | undefined;
  /** The configuration that could not be published: the forms that it would have, and how those stand that are new. */
  #held: { readonly publication: Publication; readonly forms: ReadonlyMap<ObjectKey, string> } | undefined;

  /** The configuration that is published, as far as it is known. */
  get config(): GatewayConfig | undefined {
    return this.#config;
  }

  get credentials(): Credentials | undefined {
    return this.#credentials;
  }

  /** Takes over what an earlier process has published: proxies may be serving it. */
  adopt(config: GatewayConfig, credentials: Credentials): void {
    this.#publish(config, credentials);
    this.#adopted = config.revision;
  }

  /** The revision that was taken over: objects that are published since then may have been there long before. */
  get adopted(): number | undefined {
    return this.#adopted;
  }

  /** Takes the result of a compilation of these resources. */
  record(resources: readonly Resource[], compiled: Compiled, published: Published): void {
    const { config, credentials, diagnostics } = compiled;
    this.#generations = new Map(resources.map((resource) => [keyOf(resource), resource.generation]));
    this.#diagnostics = groupByObject(diagnostics);
    if (published.type === 'published') {
      this.#held = undefined;
      this.#publish(published.config, credentials);
    } else {
      const publication = published.type === 'failed' ? ({ type: 'absent' } as const) : published;
      this.#held = { publication, forms: formsOf(config, credentials) };
    }
  }

  /** The generation that was compiled; undefined for an object that has come since. */
  generationOf(key: ObjectKey): number | undefined {
    return this.#generations.get(key);
  }

  diagnosticsOf(key: ObjectKey): readonly Diagnostic[] {
    return this.#diagnostics.get(key) ?? [];
  }

  publicationOf(key: ObjectKey): Publication {
    const since = this.#since.get(key);
    // What the published configuration holds already is in force, whatever became of the rest.
    const wanted = this.#held?.forms.get(key);
    if (this.#held !== undefined && wanted !== this.#forms.get(key)) {
      return wanted === undefined ? { type: 'absent' } : this.#held.publication;
    }
    return since === undefined ? { type: 'absent' } : { type: 'published', since };
  }

  /** What has not changed keeps the revision since which it is published. */
  #publish(config: GatewayConfig, credentials: Credentials): void {
    if (config.revision === this.#config?.revision) return;
    const forms = formsOf(config, credentials);
    const since = new Map<ObjectKey, number>();
    for (const [key, form] of forms) {
      const known = this.#forms.get(key) === form ? this.#since.get(key) : undefined;
      since.set(key, known ?? config.revision);
    }
    this.#forms = forms;
    this.#since = since;
    this.#config = config;
    this.#credentials = credentials;
  }
}

/** A fingerprint of everything that proxies have of each object, its credentials included. */
function formsOf(config: GatewayConfig, credentials: Credentials): ReadonlyMap<ObjectKey, string> {
  const secrets = new Map<string, unknown[]>();
  for (const entry of [...credentials.upstream, ...credentials.clients]) {
    const held = secrets.get(entry.id);
    if (held === undefined) secrets.set(entry.id, [entry]);
    else held.push(entry);
  }
  const forms = new Map<ObjectKey, string>();
  const add = (kind: Kind, entries: readonly { readonly id: string }[]): void => {
    for (const entry of entries) {
      const form = JSON.stringify(kind === 'LLMKey' ? [entry, secrets.get(entry.id)] : entry);
      forms.set(`${kind} ${entry.id}`, hash('sha256', form, 'base64'));
    }
  };
  add('LLMProvider', config.providers);
  add('LLMRoute', config.routes);
  add('LLMKey', [...config.upstreamKeys, ...config.clientKeys]);
  return forms;
}

function groupByObject(diagnostics: readonly Diagnostic[]): ReadonlyMap<ObjectKey, readonly Diagnostic[]> {
  const groups = new Map<ObjectKey, Diagnostic[]>();
  for (const diagnostic of diagnostics) {
    const key = keyOf(diagnostic);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [diagnostic]);
    else group.push(diagnostic);
  }
  return groups;
}
