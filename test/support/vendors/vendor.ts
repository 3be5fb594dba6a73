// An upstream as its vendor documents it: what it says on the wire, whole and streamed, and what it understands of a
// request. Tests tell it what to say in neutral words, and ask it what it has heard in neutral words.

import type { ProviderConfig } from '../../../proxy/config/schema.ts';
import { encodeChunk, encodeHead, lastChunk } from '../upstream-wire.ts';
import { answer } from '../scripts.ts';
import type { Script, UpstreamRequest } from '../upstream.ts';

/** A JSON object. */
export type Json = { readonly [name: string]: unknown };

/** A call of a tool. */
export interface SaidCall {
  readonly id: string;
  readonly name: string;
  readonly input: Json;
}

/** What an upstream says: thinking, then text, then calls. */
export interface Said {
  readonly thinking?: string;
  readonly text?: string;
  readonly calls?: readonly SaidCall[];
}

/** What every answer counts. */
export const said = { input: 11, output: 7 } as const;

/** What an upstream has heard. */
export interface Heard {
  readonly system: string;
  /** What users said, in order. */
  readonly user: readonly string[];
  readonly tools: readonly string[];
  /** Calls of earlier turns, and their results, in order. */
  readonly calls: readonly SaidCall[];
  readonly results: readonly { readonly id: string; readonly text: string }[];
  /** In base64. */
  readonly images: readonly string[];
  /** The schema that the answer has to have. */
  readonly schema: Json | undefined;
  /** Whether it is to think. */
  readonly thinks: boolean;
}

/** A vendor, for one of its ways to speak. */
export interface Vendor {
  /** As the table of results calls it. */
  readonly name: string;
  readonly type: ProviderConfig['type'];
  readonly model: string;
  readonly settings?: Partial<ProviderConfig>;
  /** The secret of its key pool; none is asked for if undefined. */
  readonly secret?: string;
  /** What stands behind host and port in its base URL. */
  readonly basePath: string;
  /** False where nobody can tell it to think. */
  readonly hearsThinking?: false;
  /** Whether it shows what it thought. */
  readonly showsThinking: boolean;
  readonly streamType: string;
  isStreamed(request: UpstreamRequest): boolean;
  whole(what: Said, request: UpstreamRequest): object;
  frames(what: Said, request: UpstreamRequest): readonly (string | Buffer)[];
  /** How it refuses a request, and with which words. */
  refusal(message: string): {
    readonly status: number;
    readonly body: object;
    readonly headers?: Record<string, string>;
  };
  /** How it says inside a stream that it cannot go on; undefined where there is no such way but to stop. */
  fault?(message: string, request: UpstreamRequest): string | Buffer;
  /** Reads a request. Throws what the vendor would refuse it with. */
  hear(request: UpstreamRequest): Heard;
}

/** Cuts a text into pieces, none of them in the middle of a character. */
export function piecesOf(text: string, length = 4): readonly string[] {
  const characters = [...text];
  const pieces: string[] = [];
  for (let at = 0; at < characters.length; at += length) pieces.push(characters.slice(at, at + length).join(''));
  return pieces;
}

/** An event of a stream, with its name and without. */
export function namedEvent(type: string, data: object): string {
  return `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** The same. */
export function dataEvent(data: object): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}

/** Bytes of an answer that come together; frames do not begin or end where they do. */
const pieceBytes = 23;

/** Answers as a vendor would, whole or streamed as the request asks. */
export function speak(vendor: Vendor, what: Said | ((request: UpstreamRequest) => Said)): Script {
  return async (exchange) => {
    const { request } = exchange;
    const told = typeof what === 'function' ? what(request) : what;
    if (!vendor.isStreamed(request)) return answer(vendor.whole(told, request))(exchange);
    const bytes = bytesOf(vendor.frames(told, request));
    await exchange.send(headOf(vendor));
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      await exchange.send(encodeChunk(bytes.subarray(at, at + pieceBytes)));
    }
    await exchange.send(lastChunk);
  };
}

/** Refuses every request as a vendor would. */
export function refuse(vendor: Vendor, message: string): Script {
  const { status, body, headers = {} } = vendor.refusal(message);
  return answer(body, { status, headers });
}

/** How a stream goes no further after its first half. */
export type Breakage = 'fault' | 'end' | 'reset' | 'silence';

/** Begins a stream, and does not end it: says that something is wrong, breaks off, or says nothing any more. */
export function breakOff(vendor: Vendor, what: Said, breakage: Breakage): Script {
  return async (exchange) => {
    const { request } = exchange;
    if (!vendor.isStreamed(request)) return answer(vendor.whole(what, request))(exchange);
    const frames = vendor.frames(what, request);
    const begun = frames.slice(0, Math.ceil(frames.length / 2));
    await exchange.send(Buffer.concat([headOf(vendor), encodeChunk(bytesOf(begun))]));
    if (breakage === 'fault' && vendor.fault !== undefined) {
      await exchange.send(encodeChunk(bytesOf([vendor.fault('it broke', request)])));
      await exchange.send(lastChunk);
    } else if (breakage === 'reset') {
      exchange.reset();
    } else if (breakage === 'silence') {
      await exchange.closed;
    } else {
      await exchange.send(lastChunk);
    }
  };
}

/** Begins a stream, and stops after a share of its bytes: as if that were its end, or by breaking the connection. */
export function cutOff(vendor: Vendor, what: Said, share: number, stop: 'end' | 'reset'): Script {
  return async (exchange) => {
    const { request } = exchange;
    const whole = bytesOf(vendor.frames(what, request));
    const bytes = whole.subarray(0, Math.floor(share * whole.length));
    await exchange.send(bytes.length === 0 ? headOf(vendor) : Buffer.concat([headOf(vendor), encodeChunk(bytes)]));
    if (stop === 'end') await exchange.send(lastChunk);
    else exchange.reset();
  };
}

function headOf(vendor: Vendor): Buffer {
  return encodeHead(200, { 'content-type': vendor.streamType, 'transfer-encoding': 'chunked' });
}

/** Frames, one behind the other. */
export function bytesOf(frames: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat(frames.map((frame) => Buffer.from(frame as string)));
}

/** Reads members of a request, whose types the vendor would insist on. */
export function objectsIn(value: unknown): readonly Json[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw new Error(`not a list: ${JSON.stringify(value)}`);
  return value as readonly Json[];
}

/** The same of one. */
export function objectIn(value: unknown): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error(`not an object: ${JSON.stringify(value)}`);
  }
  return value as Json;
}

/** The text of a content that is a string, or a list of parts with `text`. */
export function textIn(content: unknown): string {
  if (typeof content === 'string') return content;
  return objectsIn(content ?? [])
    .map(({ text }) => (typeof text === 'string' ? text : ''))
    .join('');
}
