// Parameters that only the client's protocol knows, on their way to an upstream of another: one table for all upstreams.
// What would be another answer is refused; what only tunes or labels it is left out and reported.

import type { Metadata } from '../canonical/block.ts';
import type { DroppedParameter } from './protocol.ts';
import { RefusedParameter } from './refused-parameter.ts';

/** Members that ask for an answer which nobody else gives, and why they are refused. */
const refused: { readonly [name: string]: string } = {
  audio: 'is not supported: this model answers in text.',
  web_search_options: 'is not supported: this model does not search.',
  mcp_servers: 'is not supported: this model calls no servers.',
};

/**
 * Members that are a matter between client and gateway, or details of what the canonical request says; by protocol.
 * Clients of Ollama send all its options all the time: what they say of a server's memory nobody misses.
 */
const quiet: { readonly [protocol: string]: ReadonlySet<string> | 'all' } = {
  'openai-chat': new Set(['stream_options']),
  'anthropic-messages': new Set(['cache_control', 'hosted_tools', 'metadata', 'output_config', 'thinking']),
  ollama: 'all',
};

/** Throws RefusedParameter for what must not be left out. `own` is the upstream's protocol. */
export function refuseForeign(metadata: Metadata, own: string): void {
  for (const [, name, value] of membersOf(metadata, own)) {
    if (Object.hasOwn(refused, name)) throw new RefusedParameter(name, refused[name]!);
    if (name === 'modalities' && Array.isArray(value) && value.includes('audio')) {
      throw new RefusedParameter(name, 'must not hold audio: this model answers in text.');
    }
  }
}

/** What is left out, but for those members that have found a place all the same. */
export function droppedForeign(
  metadata: Metadata,
  own: string,
  told: (name: string) => boolean = () => false,
): readonly DroppedParameter[] {
  return membersOf(metadata, own)
    .filter(([protocol, name]) => !isQuiet(protocol, name) && !told(name))
    .map(([, name]) => ({ name }));
}

function isQuiet(protocol: string, name: string): boolean {
  const members = quiet[protocol];
  return members === 'all' || members?.has(name) === true;
}

function membersOf(metadata: Metadata, own: string): readonly (readonly [string, string, unknown])[] {
  return Object.entries(metadata).flatMap(([protocol, members]) => {
    if (protocol === own) return [];
    return Object.entries(members).map(([name, value]) => [protocol, name, value] as const);
  });
}
