import { expect, it } from 'vitest';
import { isSecretName } from '../../../proxy/canonical/secret-names.ts';

const secret =
  'Authorization proxy-authorization X-API-Key api_key apiKey x-goog-api-key openai-api-key x-access-token x-auth-token ' +
  'x-amz-security-token refresh_token sessionToken token Cookie Set-Cookie client_secret x-client-secret secretAccessKey ' +
  'password passwd private_key credential credentials cf-access-jwt-assertion Ocp-Apim-Subscription-Key X-Auth-Key ' +
  'x-functions-key secretKey x-secret-key Authentication x-user-jwt passphrase';

const open =
  'key keys backend tokens inputTokens model x-order x-request-id content-type user-agent x-stainless-lang ' +
  'openai-organization idempotency-key session_id x-token-budget';

it.each(secret.split(' '))('%s names something secret', (name) => {
  expect(isSecretName(name)).toBe(true);
});

it.each(open.split(' '))('%s names nothing secret', (name) => {
  expect(isSecretName(name)).toBe(false);
});
