// The table of a dialect applied to a request: what is refused, what is left out and reported, what is clamped.

import { createHash } from 'node:crypto';

import type { CanonicalRequest } from '../../canonical/request.ts';
import type { JsonObject } from '../openai/wire.ts';
import { droppedForeign, refuseForeign } from '../foreign-members.ts';
import type { DroppedParameter, UpstreamModel } from '../protocol.ts';
import { RefusedParameter } from '../refused-parameter.ts';
import type { ChatDialect } from './dialect.ts';
import { chat, withDefined } from './wire.ts';

/** The parameters of a request as a server is told them. */
export interface Parameters {
  /** The request without what is left out. */
  readonly request: CanonicalRequest;
  /** The client's own members without what is left out. */
  readonly own: JsonObject;
  readonly dropped: readonly DroppedParameter[];
}

/** Applies a dialect's table. Throws RefusedParameter. */
export function applyDialect(request: CanonicalRequest, own: JsonObject, dialect: ChatDialect): Parameters {
  for (const [name, why] of Object.entries(dialect.refused ?? {})) {
    if (isGiven(request, own, name)) throw new RefusedParameter(name, why);
  }
  refuseForeign(request.metadata, chat);
  const { stopsMax, temperatureMax } = dialect;
  if (stopsMax !== undefined && request.stop.length > stopsMax) {
    throw new RefusedParameter('stop', `must have at most ${stopsMax} entries for this model.`);
  }
  const names = [...(dialect.dropped ?? [])].filter((name) => isGiven(request, own, name));
  const isHot = (request.temperature ?? 0) > (temperatureMax ?? Infinity);
  const left = { ...request, ...(isHot && { temperature: temperatureMax }) };
  const leftOut = [...names.map((name) => ({ name })), ...droppedForeign(request.metadata, chat)];
  return {
    request: omit(left, names),
    own: omit(own, names),
    dropped: [...leftOut, ...(isHot ? [{ name: 'temperature', clamped: true }] : [])],
  };
}

function isGiven(request: CanonicalRequest, own: JsonObject, name: string): boolean {
  return Reflect.get(request, name) !== undefined || own[name] !== undefined;
}

/** None of the names is of a member that has to be there. */
function omit<T extends object>(members: T, names: readonly string[]): T {
  return Object.fromEntries(Object.entries(members).filter(([name]) => !names.includes(name))) as T;
}

/** Models that refuse to be told how much to think would refuse the request. */
const reasoningModels = /(?:^|\/)(?:o\d|gpt-5|gpt-oss|deepseek-(?:r|v[34])|qwen3|magistral|grok-\d)/i;

/** Most tokens of thinking that each word stands for; above the last one it is the strongest. */
const efforts: readonly (readonly [tokensMax: number, effort: string])[] = [
  [1024, 'minimal'],
  [4096, 'low'],
  [16_384, 'medium'],
  [32_768, 'high'],
];

/** Thinking that was asked for in tokens or as a switch, in the words of this protocol. */
export function toEffort(
  { reasoningEffort, thinking, model }: CanonicalRequest,
  { capabilities }: UpstreamModel,
): { readonly reasoning_effort?: string; readonly dropped: readonly DroppedParameter[] } {
  if (reasoningEffort !== undefined) return { reasoning_effort: reasoningEffort, dropped: [] };
  // What the model finds right is what it does unasked.
  if (thinking === undefined || thinking.type === 'adaptive') return { dropped: [] };
  const thinks = capabilities === undefined ? reasoningModels.test(model) : capabilities.includes('Reasoning');
  // A model that does not think has nothing to switch off.
  if (!thinks) return { dropped: thinking.type === 'off' ? [] : [{ name: 'thinking' }] };
  if (thinking.type === 'off') return { reasoning_effort: 'none', dropped: [] };
  const { tokens } = thinking;
  return { reasoning_effort: efforts.find(([tokensMax]) => tokens <= tokensMax)?.[1] ?? 'xhigh', dropped: [] };
}

/** OpenAI takes at most so many characters. */
const userCharsMax = 64;

/** The member that says who is asked for. */
export function encodeUser(userId: string | undefined, { userMember = 'user' }: ChatDialect): JsonObject {
  if (userId === undefined) return {};
  const short = userId.length <= userCharsMax ? userId : createHash('sha256').update(userId).digest('base64url');
  return withDefined({ [userMember]: short });
}
