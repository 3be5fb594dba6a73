// Probes as requests of the gateway: with the provider's credential, over its connections, within a deadline. Binds the
// prober to what sends, to the disable book and to the leases.

import type { Clock } from './canonical/clock.ts';
import type { ProbeConfig, Provider, UpstreamKey } from './config/snapshot.ts';
import type { ProbeOutcome } from './health/probe-verdict.ts';
import { createProber, type Prober, type ProbeLog } from './health/prober.ts';
import type { SigningFacts } from './providers/provider-kind.ts';
import { upstreamHeaders } from './providers/upstream-headers.ts';
import type { DisableBook, StateStore } from './state/store.ts';
import type { ConnectionFault } from './upstream/fault.ts';
import type { Sender } from './upstream/pool.ts';
import { type OutgoingRequest, send } from './upstream/send.ts';
import type { Upstreams } from './upstream/upstreams.ts';

/** What probes need. */
export interface ProbesSettings {
  readonly clock: Clock;
  readonly random: () => number;
  readonly state: Pick<StateStore, 'lease'>;
  readonly disables: DisableBook;
  readonly upstreams: Pick<Upstreams, 'pool'>;
  readonly tokens: SigningFacts['tokens'];
  readonly identity: SigningFacts['identity'];
  readonly log: ProbeLog;
}

/** More of an answer is not read: it is there, and that was the question. */
const bodyBytesMax = 1024 * 1024;

/** Makes a prober that sends requests. */
export function createProbes(settings: ProbesSettings): Prober {
  const { clock, random, state, disables, log } = settings;
  return createProber({
    clock,
    random,
    disables,
    log,
    claim: (name, ttlMs) => state.lease(name, ttlMs),
    // A credential that cannot sign, a gateway that closes: neither says anything about the provider.
    ask: (provider, probe, signal) => ask(provider, probe, signal, settings).catch(() => undefined),
  });
}

async function ask(
  provider: Provider,
  probe: ProbeConfig,
  signal: AbortSignal,
  settings: ProbesSettings,
): Promise<ProbeOutcome | undefined> {
  const key = usableKey(provider, settings);
  if (key === undefined && provider.config.credentials.type === 'KeyPool') return undefined;
  const outgoing = await toRequest(provider, probe, key, settings);
  // Signing may take a while: the probe may have ended, and the provider's connections with it.
  if (signal.aborted) return undefined;
  const pool = settings.upstreams.pool(provider, provider.config.timeouts.connectSeconds * 1000);
  return sendProbe([pool, pool.fresh], outgoing, { probe, signal, clock: settings.clock });
}

function usableKey({ keys }: Provider, { disables, clock }: ProbesSettings): UpstreamKey | undefined {
  const nowMs = clock.now();
  return keys.find(
    ({ target, expiresAtMs }) => disables.until(target) === 0 && (expiresAtMs === undefined || expiresAtMs > nowMs),
  );
}

async function toRequest(
  provider: Provider,
  { path }: ProbeConfig,
  key: UpstreamKey | undefined,
  { clock, tokens, identity }: ProbesSettings,
): Promise<OutgoingRequest> {
  const { kind, config, origin, basePath } = provider;
  const headers = upstreamHeaders({ incoming: {}, provider, key, clientCredential: undefined });
  const request = { method: 'GET', path: `${basePath}${path}`, headers, body: undefined };
  // The clients' own credentials are not at hand.
  if (kind.sign === undefined || config.credentials.type === 'Passthrough') return request;
  const facts = { config, credential: key?.secret, tokens, identity, nowMs: clock.now() };
  const signed = await kind.sign({ ...request, origin }, facts);
  return { ...request, headers: { ...headers, ...signed } };
}

interface Sending {
  readonly probe: ProbeConfig;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

/** Sends over the first sender, and once more over the next where a kept connection turns out to be dead. */
function sendProbe(senders: readonly Sender[], outgoing: OutgoingRequest, sending: Sending): Promise<ProbeOutcome> {
  const { probe, signal, clock } = sending;
  const begunMs = clock.now();
  return new Promise((resolve) => {
    let left = [...senders];
    let stop = (): void => {};
    const timer = clock.setTimer(probe.timeoutMs, () => finish({ type: 'late' }));
    const abort = (): void => finish({ type: 'late' });
    signal.addEventListener('abort', abort, { once: true });
    begin();

    function begin(): void {
      const [sender, ...others] = left;
      if (sender === undefined) return;
      left = others;
      let status = 0;
      let bytes = 0;
      const answered = (): void => finish({ type: 'answered', status, tookMs: clock.now() - begunMs });
      const underWay = send(sender, outgoing, {
        head: (received) => void (status = received),
        data(chunk) {
          bytes += chunk.length;
          if (bytes > bodyBytesMax) answered();
        },
        end: answered,
        failed: ({ fault, staleSocket }: ConnectionFault) => {
          if (staleSocket && left.length > 0) begin();
          else finish({ type: 'failed', fault });
        },
      });
      stop = () => underWay.abort();
    }

    function finish(outcome: ProbeOutcome): void {
      timer.cancel();
      signal.removeEventListener('abort', abort);
      stop();
      resolve(outcome);
    }
  });
}
