// Reads what was published, which nobody has checked. Most of it says what the configuration in force says: that is
// recognized and taken over as it is, so that a change costs what it changes and not what there is.

import type { z } from 'zod';
import { sameJson } from './same-json.ts';
import { type Credentials, credentialsSchema, type GatewayConfig, gatewayConfigSchema } from './schema.ts';

/** A configuration that does not hold together; `reasons` say why, one per problem. */
export class ConfigRefused extends Error {
  override readonly name = 'ConfigRefused';
  readonly reasons: readonly string[];

  constructor(reasons: readonly string[]) {
    super(reasons.join('; '));
    this.reasons = reasons;
  }
}

/** Reads a configuration. Objects and lists that are equal in the previous one are the same. Throws ConfigRefused. */
export function parseConfig(value: unknown, previous: GatewayConfig | undefined): GatewayConfig {
  return parseChanged(value, previous) ?? parse(gatewayConfigSchema, value);
}

/** Reads credentials, in the same way. Throws ConfigRefused. */
export function parseCredentials(value: unknown, previous: Credentials | undefined): Credentials {
  return parseChangedCredentials(value, previous) ?? parse(credentialsSchema, value);
}

const { providers, upstreamKeys, clientKeys, routes } = gatewayConfigSchema.shape;
const configHead = gatewayConfigSchema.omit({ providers: true, upstreamKeys: true, clientKeys: true, routes: true });
const { upstream, clients } = credentialsSchema.shape;
const credentialsHead = credentialsSchema.omit({ upstream: true, clients: true });

/** Undefined where anything is wrong: what exactly, the whole schema says better. */
function parseChanged(value: unknown, previous: GatewayConfig | undefined): GatewayConfig | undefined {
  const head = configHead.safeParse(value).data;
  if (previous === undefined || head === undefined) return undefined;
  const raw = value as Readonly<Record<string, unknown>>;
  const lists = {
    providers: parseList(providers, raw['providers'], previous.providers),
    upstreamKeys: parseList(upstreamKeys, raw['upstreamKeys'], previous.upstreamKeys),
    clientKeys: parseList(clientKeys, raw['clientKeys'], previous.clientKeys),
    routes: parseList(routes, raw['routes'], previous.routes),
  };
  return isWhole(lists) ? { ...head, ...lists } : undefined;
}

function parseChangedCredentials(value: unknown, previous: Credentials | undefined): Credentials | undefined {
  const head = credentialsHead.safeParse(value).data;
  if (previous === undefined || head === undefined) return undefined;
  const raw = value as Readonly<Record<string, unknown>>;
  const lists = {
    upstream: parseList(upstream, raw['upstream'], previous.upstream),
    clients: parseList(clients, raw['clients'], previous.clients),
  };
  return isWhole(lists) ? { ...head, ...lists } : undefined;
}

function parseList<Item extends { readonly id: string }>(
  schema: z.ZodArray<z.ZodType<Item>>,
  values: unknown,
  previous: Item[],
): Item[] | undefined {
  if (!Array.isArray(values)) return undefined;
  const known = new Map(previous.map((item) => [item.id, item]));
  const items: Item[] = [];
  for (const value of values as readonly { readonly id?: string }[]) {
    const before = known.get(value?.id ?? '');
    const item = before !== undefined && sameJson(value, before) ? before : schema.element.safeParse(value).data;
    if (item === undefined) return undefined;
    items.push(item);
  }
  const unchanged = items.length === previous.length && items.every((item, index) => item === previous[index]);
  return unchanged ? previous : items;
}

type Whole<Lists> = { readonly [Name in keyof Lists]: Exclude<Lists[Name], undefined> };

function isWhole<Lists extends object>(lists: Lists): lists is Lists & Whole<Lists> {
  return Object.values(lists).every((list) => list !== undefined);
}

function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new ConfigRefused(result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`));
}
