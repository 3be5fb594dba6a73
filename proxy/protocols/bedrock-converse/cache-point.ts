// Where a cache is to reach up to: behind a block here, on the block in Anthropic's protocol.

import type { Metadata } from '../../canonical/block.ts';
import { anthropic } from '../anthropic-messages/wire.ts';
import { isJsonObject, type JsonObject } from '../openai/wire.ts';
import { objectOf } from './wire.ts';

/** What has to follow a block or a tool whose client wants it cached; undefined if nothing. */
export function cachePoint(of: { readonly metadata?: Metadata }): JsonObject | undefined {
  const own = of.metadata?.[anthropic] ?? {};
  const control = own['cache_control'] ?? objectOf(own['wire'])['cache_control'];
  if (!isJsonObject(control)) return undefined;
  const ttl = control['ttl'];
  return { cachePoint: { type: 'default', ...(typeof ttl === 'string' && { ttl }) } };
}
