// The two faces of a wire protocol: towards clients and towards upstreams. One folder per protocol implements both over
// one set of wire types. Nothing here knows HTTP connections, routes or providers.

import type { Source } from '../canonical/block.ts';
import type { ClientError } from '../canonical/client-error.ts';
import type { FailureSignal, SignalHeaders } from '../canonical/failure.ts';
import type { CanonicalRequest } from '../canonical/request.ts';
import type { CanonicalResponse, StreamPart } from '../canonical/response.ts';
import type { Usage } from '../canonical/usage.ts';
import type { TakenOver } from './retelling.ts';

/**
 * A wire format that clients speak: one for each operation with bodies of its own. `relay` is any other operation of a
 * vendor's API: its bytes are not looked at.
 */
export type ProtocolId =
  | 'openai-chat'
  | 'openai-completions'
  | 'openai-responses'
  | 'openai-embeddings'
  | 'anthropic-messages'
  | 'anthropic-count-tokens'
  | 'ollama-chat'
  | 'ollama-generate'
  | 'ollama-embed'
  /** The older of Ollama's two ways to ask for embeddings: one input, one vector. */
  | 'ollama-embeddings'
  | 'relay';

/** A wire format that upstreams speak. */
export type UpstreamProtocolId =
  | Exclude<ProtocolId, 'relay'>
  | 'gemini'
  | 'gemini-embeddings'
  | 'bedrock-converse'
  | 'bedrock-embeddings'
  | 'cohere'
  | 'cohere-embeddings';

/** One operation of a protocol, as a request's method and path name it. */
export interface Operation {
  readonly protocol: ProtocolId;
  /** Appended to an upstream's base URL: `/chat/completions`. */
  readonly path: string;
}

/** One operation of an upstream's protocol. */
export interface UpstreamOperation {
  readonly protocol: UpstreamProtocolId | 'relay';
  /** In the protocol's API, without a version: `/chat/completions`. '' where the path is the vendor's own business. */
  readonly path: string;
}

/** How a vendor is spoken to: a protocol, and its spelling where the protocol has several. */
export interface Speech {
  readonly protocol: UpstreamProtocolId;
  readonly dialect?: string;
}

/** All that routing and the pass-through lane need to know of a request body. */
export interface Peek {
  /** The model that the body names. */
  readonly model: string | undefined;
  readonly stream: boolean;
  /** The client asked for usage inside the stream (`stream_options.include_usage`). */
  readonly wantsUsage: boolean;
  /** What to set in the body so that the stream reports usage; undefined where it does anyway, or is no stream. */
  readonly usageEdit: { readonly name: string; readonly json: string } | undefined;
  /** Where the body's top-level members are, so that `rewrite` need not look again. */
  readonly members: readonly MemberSpan[];
}

/** The place of one top-level member of a JSON object in the body's bytes. */
export interface MemberSpan {
  readonly name: string;
  /** Offset of the opening quote of the name. */
  readonly start: number;
  readonly valueStart: number;
  /** Offset just after the value. */
  readonly valueEnd: number;
}

/** Changes to top-level members of a JSON body; everything else keeps its bytes. */
export interface Edits {
  /** JSON text by member name: replaces the value, or adds the member. */
  readonly set: ReadonlyMap<string, string>;
  readonly remove: ReadonlySet<string>;
}

/** A body of a client that was read, and the changes to it so far. */
export interface EditedBody {
  readonly body: Buffer;
  readonly members: readonly MemberSpan[];
  readonly edits: Edits;
}

/**
 * Adds what has to be changed for one reason; gives back the very same edits where nothing has. What a backend's parameters
 * say comes first, and stays as it is.
 */
export type BodyEdit = (edited: EditedBody) => Edits;

/** An answer that Sluice writes itself. */
export interface EncodedError {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** The face towards clients. */
export interface ClientProtocol {
  readonly id: ProtocolId;
  /** Reads a request body as far as routing needs. Throws ClientError (`invalid_json`, `invalid_request`). */
  peek(body: Buffer): Peek;
  /** An error before anything was sent. `model` is the one that the client asked for, where that is known. */
  encodeError(error: ClientError, requestId: string, model?: string): EncodedError;
  /**
   * An error after content was sent; undefined where the protocol has no way to say it, so that the connection is cut.
   * `nextSequence` is the tap's, for protocols that number their events.
   */
  encodeInBandError(error: ClientError, requestId: string, nextSequence?: number): Buffer | undefined;
  /** Where its clients look for the id of their request, beside `x-request-id`. */
  readonly requestIdHeader?: string;
  /** Content type of streamed answers. */
  readonly streamType: string;
  /** Bytes that keep an idle stream open without meaning anything; undefined where there are none. */
  readonly keepAlive: Buffer | undefined;
}

/** What one frame of a stream is to the relay. */
export type FrameVerdict =
  /** Carries text, reasoning, a tool call, audio: something the client waits for. */
  | 'content'
  /** Role, ids, pings, empty deltas: forwarded, but neither a beginning nor a sign of life. */
  | 'lifecycle'
  /** Must not reach the client: usage that it did not ask for. */
  | 'hidden'
  /** Not what the protocol says: dropped; three in a row are an invalid response. */
  | 'malformed'
  /** An error inside the stream; `tap.error` says which. */
  | 'error';

/** Looks along as frames pass by, without rebuilding anything. One per answer. */
export interface StreamTap {
  /** Judges one complete frame, with or without its blank line: as bytes, since most frames need not become text. */
  frame(frame: Buffer): FrameVerdict;
  /** The last usage that the stream reported. */
  readonly usage: Usage | undefined;
  /** Whether the stream has said that it is complete. What ends before is truncated. */
  readonly finished: boolean;
  /** Whether the marker has come behind which no client looks (`[DONE]`). It may come too early. */
  readonly done: boolean;
  /** Set after the verdict `error`. */
  readonly error: FailureSignal | undefined;
  /** Whether the whole answer so far carried nothing: no content and no output tokens. */
  readonly empty: boolean;
  /** The number that the next event would have, where the protocol numbers its events; 0 elsewhere. */
  readonly nextSequence: number;
  /** What the client is given in the place of the frames; undefined where it is given the frames themselves. */
  readonly rewriting?: Rewriting | undefined;
  /** What the client is given in the place of the frame that was judged last; undefined: the frame itself. */
  readonly replacement?: Buffer | undefined;
}

/** Bytes of the client's protocol that stand for frames of another. */
export interface Rewriting {
  /** What the frames that were judged since the last call come to; empty if nothing. */
  take(): Buffer;
  /** What the end of the stream comes to. After it the tap may have an error that no frame was. */
  end(): Buffer;
}

/** How the streams of a protocol come. Where a protocol says nothing they are server-sent events. */
export interface StreamFormat {
  /** Content types that may be such a stream. An answer that names none counts as one. */
  readonly contentTypes: RegExp;
  /** Cuts one stream. */
  createSplitter(): FrameSplitter;
}

/** What a whole JSON answer says of itself. */
export interface AnswerReading {
  readonly usage: Usage | undefined;
  /** Set if the answer is a failure in the shape of a success: not JSON, an error object, an aborted finish. */
  readonly signal: FailureSignal | undefined;
  /** A whole answer with nothing in it: no text, tool call, reasoning or refusal, and no output tokens. */
  readonly empty: boolean;
  /** What the client is given in the place of the body; undefined where it is given the body itself. */
  readonly body?: Buffer | undefined;
}

/** How answers are read. `headers` are those of the answer, for signals. */
export interface AnswerProtocol {
  readonly streamFormat?: StreamFormat | undefined;
  /** What the client is given is not what the upstream sends: nothing may be passed on before it is read. */
  readonly rewrites?: boolean;
  /** Reads a whole JSON answer. */
  readAnswer(body: Buffer, headers?: SignalHeaders): AnswerReading;
  /** A tap for one streamed answer. */
  tap(options: { readonly hideUsage: boolean; readonly headers?: SignalHeaders }): StreamTap;
}

/** The face towards upstreams that speak the client's own protocol: bytes stay bytes. */
export interface PassThroughProtocol extends AnswerProtocol {
  readonly id: ProtocolId;
  /** Applies edits to the bytes of a peeked body. */
  rewrite(body: Buffer, peek: Peek, edits: Edits): Buffer;
  /** Leaves thinking out of the history, and what depends on it. */
  readonly withoutThinking?: BodyEdit;
  /** Puts bytes in the place of addresses, for hosts that load nothing. */
  readonly withSources?: (edited: EditedBody, sources: ReadonlyMap<string, Source>) => Edits;
  /** How the answer to one request is read, where that depends on what it asks for. */
  answersTo?(body: Buffer, peek: Peek): AnswerProtocol | undefined;
}

/** What writing an answer needs that only the request knows. */
export interface AnswerContext {
  /** For answers whose upstream gives no id. */
  readonly requestId: string;
  /** For answers whose upstream names no model. */
  readonly model: string;
  /** Unix seconds, for answers whose upstream does not say. */
  readonly createdAt: number;
  /** The client asked for usage inside the stream. */
  readonly wantsUsage: boolean;
  /** Unix milliseconds at which the request came, and now: for protocols that tell how long things took. */
  readonly startedAtMs?: number;
  readonly now?: () => number;
  /** What was asked for: some answers repeat it, or leave out what was not wanted. */
  readonly request?: CanonicalRequest;
  /** The tokens of the request, as far as they can be guessed before the upstream counts them. */
  readonly estimateInputTokens?: () => number;
}

/** Client face of the translating lane: canonical ↔ this protocol's wire form. */
export interface ClientCodec {
  /** Throws ClientError `invalid_request` naming the member that cannot be understood. */
  decodeRequest(body: Buffer): CanonicalRequest;
  encodeResponse(response: CanonicalResponse, context: AnswerContext): Buffer;
  streamEncoder(context: AnswerContext): StreamEncoder;
  /** What this protocol calls a parameter of the canonical request: `max_tokens`, `options.num_predict`. */
  nameParameter(canonical: string): string;
}

/** Writes stream parts as the protocol's bytes. A state machine: one per answer. */
export interface StreamEncoder {
  /** Bytes for one part; empty if the part has no form of its own. Errors are `ClientProtocol.encodeInBandError`'s. */
  encode(part: StreamPart): Buffer;
  /** The number that the next event would have, where the protocol numbers its events. */
  readonly nextSequence?: number;
  /**
   * Takes over an answer of which the client has these parts: gives what it has not been told of them. Left out: nothing in
   * the protocol begins or ends but by its words, and writing the parts again is enough.
   */
  takeOver?(parts: readonly StreamPart[], from: TakenOver): Buffer;
}

/** A request in an upstream's form. */
export interface EncodedRequest {
  readonly body: Buffer;
  readonly dropped: readonly DroppedParameter[];
  /** Headers that this request needs beside those of every request to the vendor (`anthropic-beta`). */
  readonly headers?: Readonly<Record<string, string>>;
}

/** What the configuration says of the model that is asked. Its name is the request's. */
export interface UpstreamModel {
  readonly maxOutputTokens?: number | undefined;
  /** Undefined: nobody has said what it can do. */
  readonly capabilities?: readonly string[] | undefined;
}

/** What the client asked for and the upstream cannot be told, without a change of meaning: reported, not refused. */
export interface DroppedParameter {
  /** A member of the canonical request, or of the metadata of the client's protocol. */
  readonly name: string;
  /** It was told, but with the nearest value that the upstream takes. */
  readonly clamped?: boolean;
}

/** Cuts a stream into frames. The frames are the same however the bytes are cut into chunks. */
export interface FrameSplitter {
  /** Takes a chunk and gives the frames that it completes. Throws an Error where the stream cannot be read any further. */
  push(chunk: Buffer): readonly Buffer[];
  /** What is left when the stream has ended, if it may be a frame; with the end that it lacks, so that more may follow. */
  flush(): Buffer | undefined;
  /** Bytes held back until their frame is complete. */
  readonly heldBytes: number;
}

/** Upstream face of the translating lane. */
export interface UpstreamCodec {
  /** How its streams come; server-sent events if it does not say. */
  readonly streamFormat?: StreamFormat | undefined;
  /** Judges by itself how many answers may be asked for at once; all others are asked for one. */
  readonly severalAnswers?: boolean;
  /** Images and documents must be bytes here: addresses are resolved before the request is encoded. */
  readonly needsBytes?: boolean;
  /** What else has to change with a backend's parameters: they may name otherwise what `encodeRequest` has written. */
  readonly completeParameters?: (parameters: Edits) => Edits;
  /**
   * Throws RefusedParameter for a parameter, and ClientError `invalid_request` for anything else that cannot be said in
   * this protocol. `request.model` is the upstream's name of the model.
   */
  encodeRequest(request: CanonicalRequest, model?: UpstreamModel): EncodedRequest;
  /** An answer, or why it is none. `fallbackId` stands in where the upstream gives no id. */
  decodeResponse(body: Buffer, fallbackId: string, headers?: SignalHeaders): DecodedResponse;
  streamDecoder: OpenStreamDecoder;
  /** What comes of `CanonicalRequest.prefill`. Undefined: there is no way to say it. */
  readonly prefill?: Prefill | undefined;
}

/**
 * What a model goes on with that is given the beginning of its answer: with what comes next; with the white space at the
 * end of the beginning, which it must not be given; or perhaps with the beginning once more.
 */
export type Prefill = 'exact' | 'trimmed' | 'echoed';

/** Begins to read one streamed answer. */
export type OpenStreamDecoder = (options: {
  readonly fallbackId: string;
  readonly headers?: SignalHeaders;
  /** The client is given the frames themselves: what it is told by them is noted, for whoever may have to go on. */
  readonly passedOn?: boolean;
}) => StreamDecoder;

/** A whole answer that was decoded. */
export type DecodedResponse =
  | { readonly type: 'response'; readonly response: CanonicalResponse; readonly empty: boolean }
  | { readonly type: 'invalid'; readonly signal: FailureSignal };

/** Reads the protocol's frames as stream parts, and judges them exactly as the tap does. One per answer. */
export interface StreamDecoder extends Omit<StreamTap, 'frame'> {
  /** Reads one complete frame, with or without its blank line. */
  decode(frame: Buffer): DecodedFrame;
  /** Parts that the end of the stream implies. */
  end(): readonly StreamPart[];
  /** Beginnings and ends that were read, as `TakenOver` has them: of frames that are passed on. */
  readonly told?: Set<string> | undefined;
}

/** One frame that was decoded. */
export interface DecodedFrame {
  readonly verdict: FrameVerdict;
  readonly parts: readonly StreamPart[];
}

/** A model that a client may name. */
export interface ListedModel {
  readonly id: string;
  /** Unix seconds since when it is known. */
  readonly createdAt: number;
  /** What the configuration says of it, where it says so. */
  readonly maxContextTokens?: number | undefined;
  readonly capabilities?: readonly string[] | undefined;
}

/** What a request that is answered here asks for. */
export interface LocalRequest {
  readonly query: URLSearchParams;
  readonly body: Buffer;
  /** What follows the path of the operation: the id of a model, decoded. */
  readonly id: string | undefined;
  /** The models that the presented key may use, in alphabetical order. Throws ClientError where the key is unknown. */
  readonly models: () => readonly ListedModel[];
}

/** What is answered here. */
export interface LocalAnswer {
  readonly contentType: string;
  /** As that of the protocol's face. */
  readonly requestIdHeader?: string | undefined;
  readonly body: Buffer;
}

/** An operation that needs no upstream: listings, versions. */
export interface LocalOperation {
  /** In the protocol's API, without a version: `/models`. */
  readonly path: string;
  readonly methods: readonly string[];
  /** Whether the id of a model may follow the path. */
  readonly takesId?: boolean;
  /** Throws ClientError. */
  answer(request: LocalRequest): LocalAnswer;
}
