// The cells of the fault matrix, and the installation that has a route for each.

import type { OfficialClient } from '../support/vendors/client.ts';
import { anthropicMessages } from '../support/vendors/anthropic-client.ts';
import { ollamaChat } from '../support/vendors/ollama-client.ts';
import { openaiChat } from '../support/vendors/openai-client.ts';
import { openaiResponses } from '../support/vendors/responses-client.ts';
import { vendors } from '../support/vendors/vendors.ts';
import type { Vendor } from '../support/vendors/vendor.ts';
import { type MatrixFault, matrixFaults } from './matrix-faults.ts';
import { resource, toManifest } from '../support/manifest.ts';

/** Names of the upstreams; each cell has a backend for each. */
export const places = ['a', 'b', 'c'] as const;
/** One of them. */
export type Place = (typeof places)[number];

/** One cell. */
export interface Cell {
  readonly number: number;
  readonly client: OfficialClient;
  readonly vendor: Vendor;
  readonly fault: MatrixFault;
  readonly streamed: boolean;
  /** Those that fail; the others are well. */
  readonly failing: readonly Place[];
}

function vendorOf(name: string): Vendor {
  const vendor = vendors.find((it) => it.name === name);
  if (vendor === undefined) throw new Error(`there is no vendor ${name}`);
  return vendor;
}

/** Each client with upstreams that speak as it does, and with others. */
const pairs: readonly { readonly client: OfficialClient; readonly vendors: readonly [Vendor, Vendor] }[] = [
  { client: openaiChat('v7'), vendors: [vendorOf('OpenAI'), vendorOf('Anthropic')] },
  { client: openaiResponses('v7'), vendors: [vendorOf('OpenAI'), vendorOf('OpenAICompatible')] },
  { client: anthropicMessages('1.x'), vendors: [vendorOf('Anthropic'), vendorOf('OpenAI')] },
  { client: ollamaChat, vendors: [vendorOf('Ollama'), vendorOf('OpenAICompatible')] },
];

const positions: readonly (readonly Place[])[] = [['a'], ['b'], ['a', 'b']];

/** All cells. */
export function cellsOf(): readonly Cell[] {
  const cells: Cell[] = [];
  for (const fault of matrixFaults) {
    for (const { client, vendors: speaking } of pairs) {
      for (const streamed of [false, true]) {
        if (fault.only === (streamed ? 'whole' : 'stream')) continue;
        for (const failing of positions) {
          const number = cells.length;
          const vendor = speaking[number % 2] as Vendor;
          cells.push({ number, client, vendor, fault, streamed, failing });
        }
      }
    }
  }
  return cells;
}

/** Deadlines of those that fail by being silent; the well have all the time that a busy machine may need. */
const hurriedSeconds = 1;

/** Where everything listens: the upstreams, nobody, and a server that answers a TLS handshake with words. */
export type Ports = Readonly<Record<Place | 'closed' | 'plain', number>>;

/** One manifest with a route `/cN` for each cell. */
export function matrixManifest(cells: readonly Cell[], ports: Ports): string {
  const providers = new Map<string, object>();
  const routes = cells.map((cell) => {
    const backends = places.map((place) => {
      const name = providerOf(cell, place);
      if (!providers.has(name)) providers.set(name, provider(name, cell, place, ports));
      // A model of its own: what cannot be found is then the backend's fault.
      return { name: place, providerRef: { name }, model: cell.vendor.model };
    });
    return resource('LLMRoute', `c${cell.number}`, {
      path: `/c${cell.number}`,
      access: { mode: 'Anonymous' },
      // By turns from the first on, so that each has its requests.
      rules: [{ name: 'default', strategy: 'Weighted', backends, failover: { disable: { seconds: 600 } } }],
    });
  });
  return toManifest([...providers.values(), ...routes]);
}

function providerOf({ vendor, fault, failing }: Cell, place: Place): string {
  const fails = failing.includes(place);
  const kind = !fails ? 'well' : (fault.nowhere?.replaceAll(' ', '-') ?? (fault.slow === true ? 'hurried' : 'failing'));
  return `${vendor.name}-${place}-${kind}`.toLowerCase();
}

function provider(name: string, { vendor, fault, failing }: Cell, place: Place, ports: Ports): object {
  const here = `http://127.0.0.1:${ports[place]}`;
  const fails = failing.includes(place);
  const origins = {
    'no name': 'http://nothing.invalid',
    'a closed port': `http://127.0.0.1:${ports.closed}`,
    'a silent port': here.replace('http:', 'https:'),
    'no TLS': `https://127.0.0.1:${ports.plain}`,
  };
  const origin = !fails || fault.nowhere === undefined ? here : origins[fault.nowhere];
  const hurries = fails && fault.slow === true;
  const seconds = hurries ? hurriedSeconds : 60;
  const connectSeconds = hurries ? hurriedSeconds : 5;
  return resource('LLMProvider', name, {
    type: vendor.type,
    endpoint: { url: `${origin}${vendor.basePath}`, insecureHTTP: 'Allow' },
    credentials: { type: 'None' },
    timeouts: { connectSeconds, firstContentSeconds: seconds, responseSeconds: seconds, idleSeconds: seconds },
  });
}
