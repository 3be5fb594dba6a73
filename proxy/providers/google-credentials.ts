// How Vertex AI is shown who asks: an API key, an access token, or a token that was got for a JSON key file.
// https://cloud.google.com/docs/authentication

import { ClientError } from '../canonical/client-error.ts';
import type { FinishedRequest, SignedHeaders, SigningFacts } from './provider-kind.ts';

/** What a Secret holds for Google. */
export type GoogleCredentials =
  | { readonly type: 'api-key'; readonly key: string }
  | { readonly type: 'access-token'; readonly token: string }
  | { readonly type: 'key-file' };

/** API keys of projects, and those that are bound to a service account. Whatever else is no object is a token. */
const apiKey = /^(?:AIza|AQ\.)/;

/** Reads the value of a Secret; undefined if it is empty. Whether a key file is one its exchange finds out. */
export function readGoogleCredentials(secret: string): GoogleCredentials | undefined {
  const text = secret.trim();
  if (text === '') return undefined;
  if (text.startsWith('{')) return { type: 'key-file' };
  return apiKey.test(text) ? { type: 'api-key', key: text } : { type: 'access-token', token: text };
}

/**
 * The headers that prove to Vertex AI who asks: `ProviderKind.sign` of that vendor. Throws ClientError where there are no
 * credentials that it could be done with, and SigningFailure where no token can be got for them.
 */
export async function proveToGoogle(_request: FinishedRequest, facts: SigningFacts): Promise<SignedHeaders> {
  const { credential, config, identity, tokens } = facts;
  if (config.credentials.type === 'None') return {};
  if (config.credentials.type === 'Workload') return { authorization: `Bearer ${await identity.googleToken()}` };
  const credentials = credential === undefined ? undefined : readGoogleCredentials(credential);
  switch (credentials?.type) {
    case 'api-key':
      return { 'x-goog-api-key': credentials.key };
    case 'access-token':
      return { authorization: `Bearer ${credentials.token}` };
    case 'key-file':
      // A key file names the place where it is exchanged: a client's own could name any.
      if (config.credentials.type === 'Passthrough') break;
      return { authorization: `Bearer ${await tokens.tokenFor(credential!)}` };
    case undefined:
  }
  throw new ClientError('upstream_auth_failed');
}
