// Request headers that reach an upstream: an allow-list. Everything else of the client's stays with us, its credential
// above all (failure.md, rule 17; security.md, row 11).

import type { IncomingHeaderMap } from '../config/headers.ts';
import type { Provider, UpstreamKey } from '../config/snapshot.ts';

/** Whatever the client's protocol. */
const passed = ['traceparent', 'tracestate'] as const;

/** What says something about the bytes of the client's body or answer, so that it goes where they go. */
const passedWithBody = [
  'content-type',
  'accept',
  'openai-beta',
  'anthropic-version',
  'anthropic-beta',
  'idempotency-key',
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
  /** Set where the body is one of ours: what it needs beside the usual. */
  readonly ofBody?: Readonly<Record<string, string>> | undefined;
}

/** The headers of an upstream request, before trace context of our own. */
export function upstreamHeaders(facts: HeaderFacts): Record<string, string> {
  const { incoming, provider, key, clientCredential, ofBody } = facts;
  const headers: Record<string, string> = { 'accept-encoding': 'identity' };
  for (const name of passed) copy(incoming, name, headers);
  if (ofBody === undefined) for (const name of passedWithBody) copy(incoming, name, headers);
  else Object.assign(headers, { 'content-type': 'application/json' }, ofBody);
  const { kind } = provider;
  for (const name in kind.headers) headers[name] ??= kind.headers[name]!;
  const userAgent = incoming['user-agent'];
  headers['user-agent'] = typeof userAgent === 'string' ? `${userAgent} ${agent}` : agent;
  const credential = key?.secret ?? clientCredential;
  if (credential !== undefined) authenticate(headers, provider, credential);
  if (key?.config.organization !== undefined) headers['openai-organization'] = key.config.organization;
  if (key?.config.project !== undefined) headers['openai-project'] = key.config.project;
  return headers;
}

function copy(incoming: IncomingHeaderMap, name: string, headers: Record<string, string>): void {
  const value = incoming[name];
  if (typeof value === 'string') headers[name] = value;
}

/** What Anthropic gives to people instead of keys, and wants to see as bearer tokens. */
const anthropicToken = 'sk-ant-oat';

function authenticate(headers: Record<string, string>, { kind }: Provider, credential: string): void {
  const { authentication } = kind;
  switch (authentication) {
    case 'signature':
      return;
    case 'bearer':
      headers['authorization'] = `Bearer ${credential}`;
      return;
    case 'x-api-key':
      if (credential.startsWith(anthropicToken)) headers['authorization'] = `Bearer ${credential}`;
      else headers['x-api-key'] = credential;
      return;
    case 'api-key':
    case 'x-goog-api-key':
      headers[authentication] = credential;
  }
}
