// `extra_content` of a call: where Google's models have the signature that they want back with it. Other servers refuse
// the member, or have no use for it.

import { isJsonObject, type JsonObject } from '../openai/wire.ts';
import type { ChatDialect } from './dialect.ts';

/** A call as one kind of server may be given it. The very same one if there is nothing to leave out. */
export function withoutForeignExtra(call: JsonObject, { extraContent = false }: ChatDialect): JsonObject {
  if (!('extra_content' in call) || (extraContent && !isOurs(call['extra_content']))) return call;
  const { extra_content: _, ...rest } = call;
  return rest;
}

/** Ours say which service signed: that of Google's own endpoint for clients of OpenAI does not, and goes back there. */
function isOurs(extra: unknown): boolean {
  const google = isJsonObject(extra) ? extra['google'] : undefined;
  return isJsonObject(google) && 'service' in google;
}
