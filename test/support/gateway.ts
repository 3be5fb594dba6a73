// Gateways for tests: a whole proxy on free ports, in this process, silent, with a configuration written by hand.

import { type Gateway, type GatewayOptions, startGateway } from '../../proxy/gateway.ts';
import { type ConfigDraft, configOf } from './config.ts';

/** A gateway under test. */
export interface TestGateway extends AsyncDisposable {
  readonly gateway: Gateway;
  /** Of the data port, without a trailing slash. */
  readonly url: string;
  readonly adminURL: string;
  /** Puts a configuration into force; throws if it is refused. */
  configure(draft: ConfigDraft): void;
  state(): Promise<AdminState>;
  /** What the admin port says of one backend: `default/route/name`. */
  backend(id: string): Promise<TargetState>;
  key(id: string): Promise<TargetState>;
  metrics(): Promise<string>;
  /** Switches a backend off or on as a person would. */
  switchBackend(id: string, to: 'enable' | 'disable'): Promise<void>;
}

/** The state of a backend or key, as the admin port tells it. */
export interface TargetState {
  readonly id: string;
  readonly state: 'enabled' | 'disabled' | 'trial';
  readonly reason?: string;
  readonly hard?: boolean;
  readonly until?: string;
  readonly inFlight?: number;
  readonly failingPercent?: number;
  readonly firstContentMs?: number;
  readonly models: readonly { readonly model: string; readonly state: string; readonly reason?: string }[];
}

/** The whole state, as the admin port tells it. */
export interface AdminState {
  readonly inFlight: number;
  readonly backends: readonly TargetState[];
  readonly keys: readonly TargetState[];
}

/** Of a gateway in this process: it listens on free ports of loopback, and says nothing. */
export const usualOptions: GatewayOptions = {
  version: '0',
  listen: { host: '127.0.0.1', port: 0 },
  admin: { host: '127.0.0.1', port: 0, token: undefined },
  redisURL: undefined,
  className: 'default',
  replicas: 1,
  drainMs: 50,
  // Clients, gateway and upstreams share one event loop here: how late it is says nothing about the gateway.
  overload: { requestsMax: 0, loopDelayMeanMsMax: 0, memoryShareMax: 0 },
  addresses: { allowPrivate: true, allowCidrs: [] },
  sources: { allowCidrs: [] },
  logLevel: 'silent',
  accessLog: false,
  otlpEndpoint: undefined,
  serviceName: undefined,
};

/** Starts a gateway; without a draft it has no configuration. */
export async function startTestGateway(
  draft: ConfigDraft | undefined,
  differs: Partial<GatewayOptions> = {},
): Promise<TestGateway> {
  const gateway = await startGateway({ ...usualOptions, ...differs });
  const { data, admin } = gateway.listening;
  const adminURL = `http://127.0.0.1:${admin.port}`;
  const configure = (next: ConfigDraft): void => {
    const { config, credentials } = configOf(next);
    const refusal = gateway.offer(config, credentials);
    if (refusal !== undefined) throw new Error(`refused: ${refusal.reasons.join('; ')}`);
  };
  if (draft !== undefined) configure(draft);
  const state = async (): Promise<AdminState> => (await (await fetch(`${adminURL}/state`)).json()) as AdminState;
  return {
    gateway,
    url: `http://127.0.0.1:${data.port}`,
    adminURL,
    configure,
    state,
    backend: async (id) => found((await state()).backends, id),
    key: async (id) => found((await state()).keys, id),
    metrics: async () => (await fetch(`${adminURL}/metrics`)).text(),
    async switchBackend(id, to) {
      const answer = await fetch(`${adminURL}/backends/${id}/${to}`, { method: 'POST' });
      if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
    },
    async [Symbol.asyncDispose]() {
      await gateway.drain();
    },
  };
}

function found(targets: readonly TargetState[], id: string): TargetState {
  const target = targets.find((it) => it.id === id);
  if (target === undefined) throw new Error(`no ${id} among ${targets.map((it) => it.id).join(', ')}`);
  return target;
}
