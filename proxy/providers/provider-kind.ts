// What is special about a vendor: what it speaks, where its operations live, and how it is authenticated to. Data, not
// code paths.

import type { ProviderConfig } from '../config/schema.ts';
import type { ProtocolId, Speech, UpstreamOperation } from '../protocols/protocol.ts';
import type { CloudIdentity } from './cloud-identity.ts';

/** How a credential is shown to a vendor: as a bearer token, in a header of that name, or by `sign`. */
export type Authentication = 'bearer' | 'api-key' | 'x-api-key' | 'x-goog-api-key' | 'signature';

/** One vendor. */
export interface ProviderKind {
  readonly authentication: Authentication;
  /** Whether streams report usage only if `stream_options.include_usage` is set. */
  readonly usageOnRequest: boolean;
  /** Headers that every request needs, unless the client's own are passed on. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What it speaks. The same object each time for the same answer; `model` is the one named to the upstream, if any. */
  readonly speaks: (model: string | undefined) => Spoken;
  /** Path and query of an operation. */
  readonly locate: (operation: UpstreamOperation, place: Place) => string;
  /** The headers that prove who asks, made of the finished request, where a credential is not simply shown. */
  readonly sign?: (request: FinishedRequest, facts: SigningFacts) => SignedHeaders | Promise<SignedHeaders>;
}

/** What a vendor speaks. */
export interface Spoken {
  /** Protocols of clients whose bytes it takes as they are, and answers in. */
  readonly native: ReadonlySet<ProtocolId>;
  /** The same where the model is declared to have a capability. */
  readonly declared?: { readonly [protocol in ProtocolId]?: string };
  /** The same as long as this version cannot translate: many servers have it, nobody promises it. */
  readonly tolerated?: ReadonlySet<ProtocolId>;
  /** How it is asked for a chat by clients of any other protocol; undefined if it does not chat. */
  readonly chat: Speech | undefined;
  /** The same for vectors. */
  readonly embeddings: Speech | undefined;
}

/** What the location of an operation may depend on. */
export interface Place {
  readonly config: ProviderConfig;
  /** Path of the provider's base URL, without a trailing slash. */
  readonly basePath: string;
  /** The model named to the upstream, if any. */
  readonly model: string | undefined;
  /** Whether the answer is to be a stream. */
  readonly stream: boolean;
}

/** A request that is about to go out. */
export interface FinishedRequest {
  readonly method: string;
  /** Scheme, host and port. */
  readonly origin: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
}

/** What signing may depend on beside the request. */
export interface SigningFacts {
  readonly config: ProviderConfig;
  /** The key's secret, as it was given, or with Passthrough the client's own; undefined where there is none. */
  readonly credential: string | undefined;
  /** Tokens for credentials that are not shown themselves. */
  readonly tokens: TokenSource;
  /** Who the proxy itself is. */
  readonly identity: CloudIdentity;
  readonly nowMs: number;
}

/** Access tokens by the credentials that they are got for. */
export interface TokenSource {
  /** The token to use now. Rejects with SigningFailure where there is none. */
  tokenFor(credential: string): Promise<string>;
}

/** Headers by lower-case name, added to the request. */
export type SignedHeaders = Readonly<Record<string, string>>;
