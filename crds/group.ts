/** Names of the API group, its version and its kinds, as they appear in YAML and in URLs of the API server. */

/** API group of every Sluice resource. */
export const group = 'sluice.dev';

/** The one version served and stored. */
export const version = 'v1alpha1';

/** What `apiVersion` says in every Sluice resource. */
export const apiVersion = `${group}/${version}` as const;

/** All kinds, in the order in which a person would write them. */
export const kinds = ['LLMProvider', 'LLMRoute', 'LLMKey'] as const;

/** Name of one of the kinds. */
export type Kind = (typeof kinds)[number];

/** Plural names, as in `/apis/sluice.dev/v1alpha1/llmproviders`. */
export const plurals = { LLMProvider: 'llmproviders', LLMRoute: 'llmroutes', LLMKey: 'llmkeys' } as const;

/** A Secret may be used by reference only if it carries this label with the value "true". */
export const credentialLabel = `${group}/credential`;

/** An administrator puts this label on a namespace to let its client keys name that tenant. */
export const tenantLabel = `${group}/tenant`;

/** An administrator puts this label on a namespace, with the value "true", to let its providers use the proxies' identity. */
export const identityLabel = `${group}/workload-identity`;
