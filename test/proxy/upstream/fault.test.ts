import { describe, expect, it } from 'vitest';
import { toConnectionFault } from '../../../proxy/upstream/fault.ts';

function coded(code: string, more: object = {}): Error {
  return Object.assign(new Error(code), { code }, more);
}

function faultOf(error: Error): string {
  return toConnectionFault(error, false).fault;
}

describe('the name of a connection fault', () => {
  it.each([
    ['dns', ['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'EAI_NODATA']],
    [
      'connect',
      [
        'ECONNREFUSED',
        'EHOSTUNREACH',
        'ENETUNREACH',
        'EHOSTDOWN',
        'ETIMEDOUT',
        'EADDRNOTAVAIL',
        'UND_ERR_CONNECT_TIMEOUT',
        'ERR_SLUICE_ADDRESS_REFUSED',
      ],
    ],
    ['reset', ['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'UND_ERR_SOCKET', 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH']],
    ['protocol', ['UND_ERR_HEADERS_OVERFLOW', 'HPE_INVALID_CONSTANT', 'HPE_INVALID_CONTENT_LENGTH']],
  ])('is %s for %s', (fault, codes) => {
    for (const code of codes) expect([code, faultOf(coded(code))]).toEqual([code, fault]);
  });

  // https://nodejs.org/api/tls.html#x509-certificate-error-codes
  it.each([
    'UNABLE_TO_GET_ISSUER_CERT',
    'UNABLE_TO_GET_CRL',
    'UNABLE_TO_DECRYPT_CERT_SIGNATURE',
    'UNABLE_TO_DECRYPT_CRL_SIGNATURE',
    'UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY',
    'CERT_SIGNATURE_FAILURE',
    'CRL_SIGNATURE_FAILURE',
    'CERT_NOT_YET_VALID',
    'CERT_HAS_EXPIRED',
    'CRL_NOT_YET_VALID',
    'CRL_HAS_EXPIRED',
    'ERROR_IN_CERT_NOT_BEFORE_FIELD',
    'ERROR_IN_CERT_NOT_AFTER_FIELD',
    'ERROR_IN_CRL_LAST_UPDATE_FIELD',
    'ERROR_IN_CRL_NEXT_UPDATE_FIELD',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'CERT_CHAIN_TOO_LONG',
    'CERT_REVOKED',
    'INVALID_CA',
    'PATH_LENGTH_EXCEEDED',
    'INVALID_PURPOSE',
    'CERT_UNTRUSTED',
    'CERT_REJECTED',
    'HOSTNAME_MISMATCH',
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'ERR_TLS_HANDSHAKE_TIMEOUT',
    'ERR_SSL_WRONG_VERSION_NUMBER',
    'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
    'EPROTO',
  ])('is tls for %s', (code) => {
    expect(faultOf(coded(code))).toBe('tls');
  });

  it('is that of the cause where the error has none of its own', () => {
    expect(faultOf(new TypeError('fetch failed', { cause: coded('ENOTFOUND') }))).toBe('dns');
    expect(faultOf(new Error('outer', { cause: new Error('inner', { cause: coded('EPROTO') }) }))).toBe('tls');
  });

  it('is that of the first address where all were tried in vain', () => {
    const all = new AggregateError([coded('EHOSTUNREACH'), coded('ECONNRESET')]);
    expect(faultOf(Object.assign(all, { code: 'ECONNREFUSED' }))).toBe('connect');
    expect(faultOf(new AggregateError([coded('ECONNRESET'), coded('ECONNREFUSED')]))).toBe('reset');
    expect(faultOf(Object.assign(new AggregateError([]), { code: 'ENOTFOUND' }))).toBe('dns');
    expect(faultOf(Object.assign(new AggregateError([new Error('mute')]), { code: 'ECONNREFUSED' }))).toBe('connect');
  });

  it('is protocol for what does not even begin like HTTP, and reset for what nobody knows', () => {
    expect(faultOf(Object.assign(new Error('bad'), { name: 'HTTPParserError' }))).toBe('protocol');
    expect(faultOf(new Error('who knows'))).toBe('reset');
    expect(faultOf(coded('ESOMETHING'))).toBe('reset');
  });
});

describe('a stale socket', () => {
  it('is one that had carried bytes, was reset, and gave this request none', () => {
    expect(toConnectionFault(coded('ECONNRESET', { bytesRead: 120 }), false).staleSocket).toBe(true);
    expect(toConnectionFault(coded('UND_ERR_SOCKET', { socket: { bytesRead: 120 } }), false).staleSocket).toBe(true);
  });

  it.each([
    ['a fresh socket', coded('ECONNRESET', { bytesRead: 0 }), false],
    ['a socket that nobody counted', coded('ECONNRESET'), false],
    ['an answer that had begun', coded('ECONNRESET', { bytesRead: 120 }), true],
    ['a refused connection', coded('ECONNREFUSED', { bytesRead: 120 }), false],
    ['a socket that is gone', coded('UND_ERR_SOCKET', { socket: null }), false],
  ])('is not %s', (_name, error, answered) => {
    expect(toConnectionFault(error, answered).staleSocket).toBe(false);
  });

  it('keeps the error as the cause', () => {
    const error = coded('EPIPE');
    expect(toConnectionFault(error, false).cause).toBe(error);
  });
});
