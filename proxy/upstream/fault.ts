// What undici and node:net call a failure, in the words of the classifier.

import type { TransportFault } from '../canonical/failure.ts';

/** A connection failed; what of an answer had arrived by then. */
export interface ConnectionFault {
  readonly fault: TransportFault;
  /** The socket had served earlier requests and this one got not a byte: it was dead before it was used. */
  readonly staleSocket: boolean;
  readonly cause: unknown;
}

const byCode: ReadonlyMap<string, TransportFault> = new Map([
  ['ENOTFOUND', 'dns'],
  ['EAI_AGAIN', 'dns'],
  ['EAI_FAIL', 'dns'],
  ['EAI_NODATA', 'dns'],
  ['ECONNREFUSED', 'connect'],
  ['EHOSTUNREACH', 'connect'],
  ['ENETUNREACH', 'connect'],
  ['EHOSTDOWN', 'connect'],
  ['ETIMEDOUT', 'connect'],
  ['EADDRNOTAVAIL', 'connect'],
  ['UND_ERR_CONNECT_TIMEOUT', 'connect'],
  ['ERR_SLUICE_ADDRESS_REFUSED', 'connect'],
  ['ECONNRESET', 'reset'],
  ['EPIPE', 'reset'],
  ['ECONNABORTED', 'reset'],
  ['UND_ERR_SOCKET', 'reset'],
  ['UND_ERR_HEADERS_OVERFLOW', 'protocol'],
  ['UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'reset'],
]);

/** OpenSSL's verification errors, as node names them. https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const tlsCode =
  /^(CERT_|CRL_|ERROR_IN_|ERR_TLS|ERR_SSL|EPROTO|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|HOSTNAME_|INVALID_|PATH_LENGTH_)/;

/** Names a connection error. `answered` is whether any byte of this request's answer had arrived. */
export function toConnectionFault(error: Error, answered: boolean): ConnectionFault {
  const code = readCode(error);
  const fault = code === undefined ? byName(error) : (byCode.get(code) ?? byPattern(code));
  const staleSocket = fault === 'reset' && !answered && bytesRead(error) > 0;
  return { fault, staleSocket, cause: error };
}

/** undici's parser has no code for what does not even begin like HTTP. */
function byName({ name }: Error): TransportFault {
  return name === 'HTTPParserError' ? 'protocol' : 'reset';
}

function byPattern(code: string): TransportFault {
  if (tlsCode.test(code)) return 'tls';
  return code.startsWith('HPE_') ? 'protocol' : 'reset';
}

/** The code of an error, of its cause, or of the first of several (happy eyeballs). */
function readCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code } = error as NodeJS.ErrnoException;
  if (error instanceof AggregateError && error.errors.length > 0) return readCode(error.errors[0]) ?? code;
  return typeof code === 'string' ? code : readCode(error.cause);
}

function bytesRead(error: Error & { bytesRead?: number; socket?: { bytesRead?: number } | null }): number {
  return error.bytesRead ?? error.socket?.bytesRead ?? 0;
}
