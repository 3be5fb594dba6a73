// What the compiler is given: every fact about one gateway class, already read, and nothing else. No clock, no IO.

import type { LLMKey } from '../../crds/llm-key.ts';
import type { LLMProvider } from '../../crds/llm-provider.ts';
import type { LLMRoute } from '../../crds/llm-route.ts';
import type { GatewayConfig } from '../../proxy/config/schema.ts';

/** An object that exists but does not parse: it keeps its place (name, age), and what was published of it, if anything. */
export interface InvalidObject {
  readonly kind: 'LLMProvider' | 'LLMRoute' | 'LLMKey';
  readonly namespace: string;
  readonly name: string;
  readonly creationTimestamp: string;
  readonly problems: readonly { readonly field: string; readonly message: string }[];
}

/** A Secret, as far as references need it. `labels` decide whether it may be referenced at all. */
export interface SecretObject {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** `uid` of each of its owner references: for whom it was made. Secrets in files have none. */
  readonly ownerUIDs: readonly string[];
  /** Decoded values by key. */
  readonly data: Readonly<Record<string, string>>;
}

/** A ConfigMap, for CA certificates. */
export interface ConfigMapObject {
  readonly namespace: string;
  readonly name: string;
  readonly data: Readonly<Record<string, string>>;
}

/** A Service that an endpoint may refer to. */
export interface ServiceObject {
  readonly namespace: string;
  readonly name: string;
  readonly type: string;
  readonly ports: readonly number[];
}

/** A Gateway API ReferenceGrant: its namespace lets `from` refer to `to`. */
export interface ReferenceGrantObject {
  readonly namespace: string;
  readonly name: string;
  readonly from: readonly { readonly group: string; readonly kind: string; readonly namespace: string }[];
  readonly to: readonly { readonly group: string; readonly kind: string; readonly name?: string }[];
}

/** A namespace's labels: they decide tenants and `access.namespaces` selectors. */
export interface NamespaceObject {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * All facts about one class. Lists are in no particular order; the compiler sorts. No two objects of a kind have the
 * same namespace and name. Objects of other classes may be there, and are left aside.
 */
export interface World {
  readonly className: string;
  /** Unix milliseconds: decides which keys have expired and how far the revision goes forward. */
  readonly now: number;
  /** The revision that was published last, 0 if none. */
  readonly lastRevision: number;
  /** `failover.disable.seconds` where a route does not say: 600 unless DISABLED_TIME is set. */
  readonly disableSecondsDefault: number;
  /**
   * Where the facts come from. `cluster`: Services must exist, and a generated Secret must have been made for its key.
   * `files`: a `serviceRef` cannot be looked up and resolves to its DNS name, and a generated Secret is any of its name.
   */
  readonly source: 'cluster' | 'files';
  readonly providers: readonly LLMProvider[];
  readonly routes: readonly LLMRoute[];
  readonly keys: readonly LLMKey[];
  readonly invalid: readonly InvalidObject[];
  /**
   * What was published last, read back: an object that no longer parses keeps the form that it has there. Undefined
   * where nothing was, and for files, where an edit that does not parse is not applied at all.
   */
  readonly published: Pick<GatewayConfig, 'providers' | 'routes'> | undefined;
  readonly secrets: readonly SecretObject[];
  readonly configMaps: readonly ConfigMapObject[];
  readonly services: readonly ServiceObject[];
  /** Undefined: the ReferenceGrant kind is not installed or may not be read, which means that nothing is granted. */
  readonly grants: readonly ReferenceGrantObject[] | undefined;
  readonly namespaces: readonly NamespaceObject[];
}
