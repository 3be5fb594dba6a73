// What translations into any protocol have in common: the model that is asked for, the names that the client uses, and
// the parameters of the backend.

import { ClientError } from '../canonical/client-error.ts';
import type { Backend } from '../config/snapshot.ts';
import { readMembers, rewriteMembers } from '../protocols/json-members.ts';
import type { Edits, EncodedRequest } from '../protocols/protocol.ts';
import { RefusedParameter } from '../protocols/refused-parameter.ts';
import type { ProxyRequest } from './decode.ts';

/** A request as an upstream of another protocol gets it. */
export interface WrittenRequest {
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
  /** What the upstream is not told, under the client's own names. */
  readonly dropped: readonly string[];
}

/** What the client calls the parameters of a canonical request. */
export interface ParameterNames {
  nameParameter(canonical: string): string;
}

/** The model that a backend is asked for. Throws ClientError where neither it nor the client names one. */
export function modelFor(request: ProxyRequest, { upstreamModel }: Backend): string {
  const model = upstreamModel ?? request.model;
  if (model === undefined) throw new ClientError('model_required');
  return model;
}

/** The client's body with a model in it: where a route has its own path, clients need not name one. */
export function bodyWithModel({ peek, exchange }: ProxyRequest, model: string): Buffer {
  if (peek === undefined || peek.model !== undefined) return exchange.body;
  const set = new Map([['model', JSON.stringify(model)]]);
  return rewriteMembers(exchange.body, peek.members, { set, remove: new Set() });
}

/** Writes a request by a codec. What it refuses is refused by the client's own name. */
export function write(
  encode: () => EncodedRequest,
  client: ParameterNames,
  parameters: Edits | undefined,
): WrittenRequest {
  try {
    const { body, dropped, headers = {} } = encode();
    return {
      body: parameters === undefined ? body : rewriteMembers(body, readMembers(body).members, parameters),
      headers,
      dropped: dropped.map(({ name, clamped }) => client.nameParameter(name) + (clamped === true ? '=clamped' : '')),
    };
  } catch (error) {
    throw error instanceof RefusedParameter ? inWordsOf(client, error) : error;
  }
}

function inWordsOf(client: ParameterNames, { parameter, why }: RefusedParameter): ClientError {
  const param = client.nameParameter(parameter);
  const upstream = { status: 400, message: `${param} ${why}`, code: 'unsupported_parameter', type: undefined, param };
  return new ClientError('invalid_request', { upstream });
}
