// One request as one backend gets it: body, headers, credential, place.

import { readClientKey } from '../auth/client-key.ts';
import { ClientError } from '../canonical/client-error.ts';
import type { Clock } from '../canonical/clock.ts';
import type { Backend, Provider, UpstreamKey } from '../config/snapshot.ts';
import type { Lane } from '../protocols/lane.ts';
import type { Edits } from '../protocols/protocol.ts';
import type { SigningFacts } from '../providers/provider-kind.ts';
import { upstreamHeaders } from '../providers/upstream-headers.ts';
import type { OutgoingRequest } from '../upstream/send.ts';
import type { ProxyRequest } from './decode.ts';
import type { WrittenRequest } from './written-request.ts';

/** The lane of a request to a backend; undefined if the backend cannot serve it. */
export function laneOf({ operation, model }: ProxyRequest, { lanes, upstreamModel }: Backend): Lane | undefined {
  return lanes.of(operation.protocol, upstreamModel ?? model);
}

/** Where a request goes. */
export interface Destination {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
}

/** Where a request goes if a backend is asked. Throws ClientError if no place has such a model. */
export function destinationOf(request: ProxyRequest, backend: Backend, lane: Lane): Destination {
  const { exchange, operation, model, stream } = request;
  const { config, kind, basePath } = backend.provider;
  const place = { config, basePath, model: backend.upstreamModel ?? model, stream };
  switch (lane.type) {
    case 'pass-through':
    case 'chat':
    case 'embeddings':
      return { method: 'POST', path: kind.locate(lane.operation, place) };
    case 'relay':
      return { method: exchange.method, path: withQuery(kind.locate(relayed(operation.path), place), exchange.query) };
    case 'estimate':
      throw new ClientError('no_backend');
  }
}

function relayed(path: string): { readonly protocol: 'relay'; readonly path: string } {
  return { protocol: 'relay', path };
}

/** Queries belong to operations that we do not know; ours have none that an upstream should see. */
function withQuery(located: string, query: string): string {
  if (query === '') return located;
  return located.includes('?') ? `${located}&${query.slice(1)}` : located + query;
}

/**
 * Puts a request together, but for signatures. `written` is its body where that is one of ours; `edits` is what is changed
 * in it where it is the client's.
 */
export function buildRequest(
  request: ProxyRequest,
  backend: Backend,
  key: UpstreamKey | undefined,
  lane: Lane,
  { written, edits }: { readonly written?: WrittenRequest; readonly edits?: Edits | undefined },
): OutgoingRequest {
  const { exchange } = request;
  const { provider } = backend;
  const headers = upstreamHeaders({
    incoming: exchange.headers,
    provider,
    key,
    clientCredential: passedThrough(request, provider),
    ofBody: written?.headers,
  });
  const { method, path } = destinationOf(request, backend, lane);
  return { method, path, headers, body: written?.body ?? passOn(request, backend, lane, edits) };
}

function passOn(
  { exchange: { body }, peek }: ProxyRequest,
  { provider }: Backend,
  lane: Lane,
  edits: Edits | undefined,
): Buffer | undefined {
  if (body.length === 0) return undefined;
  if (lane.type !== 'pass-through' || peek === undefined || edits === undefined) return body;
  const { usageEdit } = peek;
  if (usageEdit === undefined || !provider.kind.usageOnRequest) return lane.protocol.rewrite(body, peek, edits);
  const set = new Map(edits.set).set(usageEdit.name, usageEdit.json);
  return lane.protocol.rewrite(body, peek, { set, remove: edits.remove });
}

/** What signing needs beside the request. */
export interface SigningSettings {
  readonly clock: Clock;
  readonly tokens: SigningFacts['tokens'];
  readonly identity: SigningFacts['identity'];
}

/** Adds the headers that prove who asks, where a credential is not simply shown. */
export async function signRequest(
  outgoing: OutgoingRequest,
  request: ProxyRequest,
  { provider }: Backend,
  key: UpstreamKey | undefined,
  { clock, tokens, identity }: SigningSettings,
): Promise<OutgoingRequest> {
  const { kind, config, origin } = provider;
  if (kind.sign === undefined) return outgoing;
  const credential = key?.secret ?? passedThrough(request, provider);
  const signed = await kind.sign({ ...outgoing, origin }, { config, credential, tokens, identity, nowMs: clock.now() });
  return { ...outgoing, headers: { ...outgoing.headers, ...signed } };
}

/** The client's own credential, where it is to be shown to the upstream. */
function passedThrough({ exchange }: ProxyRequest, { config }: Provider): string | undefined {
  return config.credentials.type === 'Passthrough' ? readClientKey(exchange.headers) : undefined;
}
