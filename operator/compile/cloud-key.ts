// Keys of clouds that are JSON, as the clouds write them into files. Only their form is looked at: nothing of what they hold
// may get into a message.

import type { ProviderType } from '../../proxy/config/schema.ts';

type Members = { readonly [name: string]: unknown };

/** What a key of these vendors may be beside one word, and what it then has to hold. */
const forms: { readonly [type in ProviderType]?: { holds(members: Members): boolean; readonly message: string } } = {
  Bedrock: {
    holds: (members) => hasTexts(members, 'accessKeyId', 'secretAccessKey'),
    message: 'the key must be an API key of Bedrock, or JSON with accessKeyId and secretAccessKey',
  },
  VertexAI: {
    holds(members) {
      if (members['type'] === 'service_account') return hasTexts(members, 'client_email', 'private_key');
      return members['type'] === 'authorized_user' && hasTexts(members, 'client_id', 'client_secret', 'refresh_token');
    },
    message: 'the key must be an API key, an access token, or the JSON key file of a service account',
  },
};

/** Whether a secret is for a vendor that takes JSON, and looks like it. `type` is undefined where nobody knows the vendor. */
export function isCloudKey(value: string, type: ProviderType | undefined): boolean {
  return value.trimStart().startsWith('{') && (type === undefined || forms[type] !== undefined);
}

/** What is wrong with such a key; undefined if nothing. */
export function problemOfCloudKey(value: string, type: ProviderType | undefined): string | undefined {
  const form = type && forms[type];
  return form === undefined || form.holds(parse(value)) ? undefined : form.message;
}

function parse(value: string): Members {
  try {
    const parsed: unknown = JSON.parse(value);
    return typeof parsed === 'object' && parsed !== null ? (parsed as Members) : {};
  } catch {
    return {};
  }
}

function hasTexts(members: Members, ...names: readonly string[]): boolean {
  return names.every((name) => typeof members[name] === 'string' && members[name] !== '');
}
