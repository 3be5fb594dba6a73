// A JSON key file of Google's → an access token: what is asked for, and what the answer says. No connection, no clock.
// https://developers.google.com/identity/protocols/oauth2/service-account#httprest

import { sign } from 'node:crypto';
import { promisify } from 'node:util';

import { isText, parseMembers } from './json-credential.ts';
import { refusedCredential, SigningFailure } from './signing-failure.ts';
import type { Expiring } from './renewed.ts';
import { formRequest, type SmallAnswer, type SmallRequest } from './small-exchange.ts';

const scope = 'https://www.googleapis.com/auth/cloud-platform';
const defaultTokenURL = 'https://oauth2.googleapis.com/token';
/** The longest that is granted. */
const assertionSeconds = 3600;
/** Where the answer does not say how long a token lives. */
const tokenSeconds = 300;
/** Signing takes a millisecond of CPU: not on the thread that answers requests. */
const signLater = promisify<string, Buffer, string, Buffer>(sign);

/** What is sent for a key file. Throws SigningFailure where it is none that could be exchanged. */
export async function requestToken(keyFile: string, nowMs: number): Promise<SmallRequest> {
  const members = parseMembers(keyFile) ?? {};
  const url = tokenURL(members['token_uri']);
  switch (members['type']) {
    case 'service_account':
      return formRequest(url, { grant_type: grants.assertion, assertion: await signAssertion(members, url, nowMs) });
    case 'authorized_user':
      return formRequest(url, refresh(members));
    default:
      throw refusedCredential('a key file must be that of a service_account or an authorized_user');
  }
}

const grants = { assertion: 'urn:ietf:params:oauth:grant-type:jwt-bearer', refresh: 'refresh_token' };

type Members = { readonly [name: string]: unknown };

/** What `gcloud auth application-default login` leaves behind. */
function refresh(members: Members): Readonly<Record<string, string>> {
  const { client_id: id, client_secret: secret, refresh_token: token } = members;
  if (!isText(id) || !isText(secret) || !isText(token)) {
    throw refusedCredential('the key file lacks its client_id, client_secret or refresh_token');
  }
  return { grant_type: grants.refresh, client_id: id, client_secret: secret, refresh_token: token };
}

/** Key files of other clouds of Google's name another place. */
function tokenURL(uri: unknown): string {
  if (uri === undefined) return defaultTokenURL;
  const url = isText(uri) ? URL.parse(uri) : null;
  const isLocal = url?.protocol === 'http:' && /^(?:127\.0\.0\.1|localhost|\[::1\])$/.test(url.hostname);
  if (url === null || !(url.protocol === 'https:' || isLocal)) {
    throw refusedCredential('token_uri of the key file must be an https address');
  }
  return url.href;
}

async function signAssertion(members: Members, audience: string, nowMs: number): Promise<string> {
  const { client_email: email, private_key: key, private_key_id: keyId } = members;
  if (!isText(email) || !isText(key)) throw refusedCredential('the key file lacks its client_email or private_key');
  const issuedAt = Math.floor(nowMs / 1000);
  const header = { alg: 'RS256', typ: 'JWT', ...(isText(keyId) && { kid: keyId }) };
  const claims = { iss: email, scope, aud: audience, iat: issuedAt, exp: issuedAt + assertionSeconds };
  const signed = `${encode(header)}.${encode(claims)}`;
  try {
    return `${signed}.${(await signLater('RSA-SHA256', Buffer.from(signed), key)).toString('base64url')}`;
  } catch {
    // The cause may quote the key.
    throw refusedCredential('private_key of the key file cannot be used');
  }
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}

/** The token in an answer. Throws SigningFailure where there is none. */
export function readToken({ status, headers, body }: SmallAnswer, nowMs: number): Expiring<string> {
  // What is refused for good is the key file's fault: `invalid_grant`, `invalid_client`.
  if (status >= 400 && status < 500 && status !== 408 && status !== 429) {
    const { error, error_description: description } = parseMembers(body) ?? {};
    throw refusedCredential(`no token: ${[error, description].filter(isText).join(': ') || `status ${status}`}`);
  }
  if (status !== 200) {
    throw new SigningFailure(`no token: status ${status}`, { type: 'answer', status, headers, body });
  }
  const { access_token: token, expires_in: seconds } = parseMembers(body) ?? {};
  if (!isText(token) || !/^[\x21-\x7e]+$/.test(token)) {
    const detail = 'the answer to a key file has no access token';
    throw new SigningFailure(detail, { type: 'invalid', detail, body: '', headers });
  }
  const lifeSeconds = typeof seconds === 'number' && seconds > 0 ? seconds : tokenSeconds;
  return { value: token, expiresAtMs: nowMs + lifeSeconds * 1000 };
}
