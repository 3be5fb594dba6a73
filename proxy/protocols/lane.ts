// How an operation that clients ask for is served by one backend. Decided when a configuration is compiled.

import type { EmbeddingClientCodec, EmbeddingUpstreamCodec } from './embedding-codec.ts';
import type {
  BodyEdit,
  ClientCodec,
  PassThroughProtocol,
  ProtocolId,
  UpstreamCodec,
  UpstreamOperation,
} from './protocol.ts';

/** One way from a client's operation to an upstream's. */
export type Lane = PassThroughLane | RelayLane | ChatLane | EmbeddingsLane | EstimateLane;

/** The upstream speaks the client's protocol: bytes stay bytes. */
export interface PassThroughLane {
  readonly type: 'pass-through';
  readonly operation: UpstreamOperation;
  readonly protocol: PassThroughProtocol;
  /** What this kind of server needs changed; undefined where it takes everything. */
  readonly edit?: BodyEdit | undefined;
  /** The same by way of the canonical model, for a request that is not the client's own any more. */
  readonly chat?: ChatLane | undefined;
}

/** An operation that we do not know: nothing is looked at. */
export interface RelayLane {
  readonly type: 'relay';
}

/** A chat that is put into another protocol, and its answer back into the client's. */
export interface ChatLane {
  readonly type: 'chat';
  readonly operation: UpstreamOperation;
  readonly client: ClientCodec;
  readonly upstream: UpstreamCodec;
}

/** The same for vectors. */
export interface EmbeddingsLane {
  readonly type: 'embeddings';
  readonly operation: UpstreamOperation;
  readonly client: EmbeddingClientCodec;
  readonly upstream: EmbeddingUpstreamCodec;
}

/** No upstream of this kind has the operation: what it would say is estimated here. */
export interface EstimateLane {
  readonly type: 'estimate';
  readonly estimate: (body: Buffer, model: string) => Promise<Buffer>;
}

/** The lanes of one backend. */
export interface Lanes {
  /** Undefined: the backend cannot serve this. `model` is the one that the upstream would be named. */
  of(protocol: ProtocolId, model: string | undefined): Lane | undefined;
}
