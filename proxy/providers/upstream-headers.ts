// Request headers that reach an upstream: an allow-list. Everything else of the client's stays with us, its credential
// above all (failure.md, rule 17; security.md, row 11).

import type { IncomingHeaderMap } from '../config/headers.ts';
import type { Provider, UpstreamKey } from '../config/snapshot.ts';

const passed = [
  'content-type',
  'accept',
  'openai-beta',
  'anthropic-version',
  'anthropic-beta',
  'idempotency-key',
  'traceparent',
  'tracestate',
] as const;

/** Tells vendors who calls; their support asks for it. */
const agent = 'sluice';

/** What goes into the head of an upstream request. */
export interface HeaderFacts {
  readonly incoming: IncomingHeaderMap;
  readonly provider: Provider;
  /** The pool's key; undefined where the provider needs none. */
  readonly key: UpstreamKey | undefined;
  /** The client's own credential, only for Passthrough. */
  readonly clientCredential: string | undefined;
}

/** The headers of an upstream request, before trace context of our own. */
export function upstreamHeaders({ incoming, provider, key, clientCredential }: HeaderFacts): Record<string, string> {
  const headers: Record<string, string> = { 'accept-encoding': 'identity' };
  for (const name of passed) {
    const value = incoming[name];
    if (typeof value === 'string') headers[name] = value;
  }
  const userAgent = incoming['user-agent'];
  headers['user-agent'] = typeof userAgent === 'string' ? `${userAgent} ${agent}` : agent;
  const credential = key?.secret ?? clientCredential;
  if (credential !== undefined) authenticate(headers, provider, credential);
  if (key?.config.organization !== undefined) headers['openai-organization'] = key.config.organization;
  if (key?.config.project !== undefined) headers['openai-project'] = key.config.project;
  return headers;
}

function authenticate(headers: Record<string, string>, provider: Provider, credential: string): void {
  if (provider.kind.authentication === 'api-key') headers['api-key'] = credential;
  else headers['authorization'] = `Bearer ${credential}`;
}
