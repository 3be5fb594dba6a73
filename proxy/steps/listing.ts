// Model listings: what the presented key may use, or what needs none (api.md, decided 6).

import { readClientKey } from '../auth/client-key.ts';
import { ClientError } from '../canonical/client-error.ts';
import type { Principal, Snapshot } from '../config/snapshot.ts';
import type { Exchange } from '../ingress/exchange.ts';
import { encodeModel, encodeModelList } from '../protocols/openai/models.ts';
import type { ListingRequest } from './decode.ts';

/** Answers a request for all models or one. Throws `invalid_api_key` or `model_not_found`. */
export function replyListing(exchange: Exchange, wanted: ListingRequest, principal: Principal | undefined): void {
  const { snapshot, model } = wanted;
  const names = visibleModels(snapshot, readClientKey(exchange.headers) !== undefined, principal);
  const createdAt = Math.floor(snapshot.revision / 1000);
  if (model !== undefined && !names.includes(model)) throw new ClientError('model_not_found');
  const body =
    model === undefined
      ? encodeModelList(names.map((id) => ({ id, createdAt })))
      : encodeModel({ id: model, createdAt });
  exchange.reply(200, { 'content-type': 'application/json', 'x-request-id': exchange.id }, body);
}

/** Public model names that a client may use, in alphabetical order. An unknown key is refused where any route needs one. */
function visibleModels(snapshot: Snapshot, hasKey: boolean, principal: Principal | undefined): string[] {
  if (hasKey && principal === undefined && [...snapshot.routes.values()].some((route) => !route.anonymous)) {
    throw new ClientError('invalid_api_key');
  }
  return [...snapshot.models]
    .filter(([name, route]) => route.anonymous || (principal && route.admits(principal) && principal.mayUse(name)))
    .map(([name]) => name)
    .sort();
}
