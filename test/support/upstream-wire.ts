// HTTP/1.1 as an upstream sees it, by hand: requests cut out of the bytes of a connection, heads and chunks of answers as
// bytes, so that a script can stop anywhere in between.

/** One request as it came over a connection. */
export interface WireRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** Fields in their order, names as they were sent. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
}

const headEnd = Buffer.from('\r\n\r\n');

/** Cuts the requests of one connection out of its bytes. Knows only bodies with a length: proxies send no others. */
export class RequestReader {
  #bytes: Buffer = Buffer.alloc(0);

  /** Takes a chunk and gives the requests that it completes. */
  push(chunk: Buffer): WireRequest[] {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
    const requests: WireRequest[] = [];
    for (let request = this.#take(); request !== undefined; request = this.#take()) requests.push(request);
    return requests;
  }

  /** Whether a request has begun and not ended. */
  get isInside(): boolean {
    return this.#bytes.length > 0;
  }

  #take(): WireRequest | undefined {
    const end = this.#bytes.indexOf(headEnd);
    if (end === -1) return undefined;
    const [requestLine = '', ...lines] = this.#bytes.toString('latin1', 0, end).split('\r\n');
    const fields = lines.map((line): readonly [string, string] => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    });
    const length = Number(fields.find(([name]) => name.toLowerCase() === 'content-length')?.[1] ?? 0);
    const bodyStart = end + headEnd.length;
    if (this.#bytes.length < bodyStart + length) return undefined;
    const body = this.#bytes.subarray(bodyStart, bodyStart + length);
    this.#bytes = this.#bytes.subarray(bodyStart + length);
    const [method = '', target = ''] = requestLine.split(' ');
    return { method, target, fields, body };
  }
}

/** Header fields of an answer; a list repeats the field. */
export type AnswerFields = Readonly<Record<string, string | readonly string[]>>;

/** The head of an answer. */
export function encodeHead(status: number, fields: AnswerFields, version = '1.1'): Buffer {
  const lines = Object.entries(fields).flatMap(([name, value]) =>
    (typeof value === 'string' ? [value] : value).map((one) => `${name}: ${one}`),
  );
  return Buffer.from([`HTTP/${version} ${status} Scripted`, ...lines, '', ''].join('\r\n'), 'latin1');
}

/** One chunk of the chunked transfer coding. */
export function encodeChunk(data: Uint8Array | string): Buffer {
  const bytes = Buffer.from(data as string);
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
}

/** The end of a chunked body. */
export const lastChunk: Buffer = Buffer.from('0\r\n\r\n');
