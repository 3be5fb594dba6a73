// Requests over real connections, and what becomes of each.

import type { LookupAddress } from 'node:dns';
import type { ProviderConfig } from '../../../proxy/config/schema.ts';
import type { Provider, Snapshot } from '../../../proxy/config/snapshot.ts';
import { compileSnapshot } from '../../../proxy/config/snapshot-compile.ts';
import type { ConnectionFault } from '../../../proxy/upstream/fault.ts';
import { send, type Sending } from '../../../proxy/upstream/send.ts';
import { createUpstreams, type Upstreams, type UpstreamsSettings } from '../../../proxy/upstream/upstreams.ts';
import { settled, TestClock } from '../../support/clock.ts';
import { configOf, provider, route, ruleInOrder } from '../../support/config.ts';

/** How a request came out. */
export interface Received {
  status: number;
  headers: Readonly<Record<string, string | undefined>>;
  body: string;
  bytes: number;
  failed: ConnectionFault | undefined;
}

/** A request under way. */
export interface Underway {
  readonly received: Received;
  readonly sending: Sending;
  /** Resolves when the answer has begun, has ended, or failed. */
  readonly begun: Promise<void>;
  readonly over: Promise<Received>;
}

/** Connections to upstreams, as a gateway has them. */
export class UpstreamRig implements AsyncDisposable {
  /** What the resolver says of every name. */
  addresses: LookupAddress[] = [{ address: '127.0.0.1', family: 4 }];
  lookups = 0;
  readonly upstreams: Upstreams;

  constructor(
    addresses: UpstreamsSettings['addresses'] = { allowPrivate: true, allowCidrs: [] },
    clock = new TestClock(),
  ) {
    this.upstreams = createUpstreams({
      clock,
      addresses,
      resolve: () => {
        this.lookups += 1;
        return this.addresses.length > 0
          ? Promise.resolve(this.addresses)
          : Promise.reject(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }));
      },
    });
  }

  ask(to: Provider, { method = 'POST', path = '/', connectMs = 5_000 } = {}): Underway {
    const received: Received = { status: 0, headers: {}, body: '', bytes: 0, failed: undefined };
    const begun = Promise.withResolvers<void>();
    const over = Promise.withResolvers<Received>();
    const end = (): void => {
      begun.resolve();
      over.resolve(received);
    };
    const request = { method, path, headers: { 'content-type': 'text/plain' }, body: Buffer.from('hello') };
    const sending = send(this.upstreams.pool(to, connectMs), request, {
      head(status, headers) {
        Object.assign(received, { status, headers });
        begun.resolve();
      },
      data(chunk) {
        received.bytes += chunk.length;
        if (received.bytes < 100_000) received.body += chunk.toString();
      },
      end,
      failed(fault) {
        received.failed = fault;
        end();
      },
    });
    return { received, sending, begun: begun.promise, over: over.promise };
  }

  /** Sends, waits for the end, and until the connection is free again. */
  async exchange(to: Provider, options: Parameters<UpstreamRig['ask']>[1] = {}): Promise<Received> {
    const received = await this.ask(to, options).over;
    await settled();
    return received;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.upstreams.close();
  }
}

/** A configuration of providers, by their addresses. */
export function snapshotOf(
  baseURLs: Readonly<Record<string, string>>,
  differs: Partial<ProviderConfig> = {},
): Snapshot {
  const names = Object.keys(baseURLs);
  const providers = names.map((name) => provider(name, baseURLs[name] ?? '', differs));
  const { config, credentials } = configOf({ providers, routes: [route('chat', [ruleInOrder(names)])] });
  return compileSnapshot(config, credentials);
}

/** One provider of a configuration. */
export function providerIn(snapshot: Snapshot, name: string): Provider {
  const found = snapshot.providers.get(`default/${name}`);
  if (found === undefined) throw new Error(`no provider ${name}`);
  return found;
}

/** A provider at an address. */
export function providerAt(baseURL: string, differs: Partial<ProviderConfig> = {}): Provider {
  return providerIn(snapshotOf({ one: baseURL }, differs), 'one');
}
