// A proxy as its container runs it: a process of its own whose configuration is mounted, or watched.

import { ask, type PlainAnswer, type PlainRequest } from '../../support/client.ts';
import { soon } from '../../support/soon.ts';
import { type Program, startProgram } from '../standalone/program.ts';
import type { Mount } from './mount.ts';

/** What the admin port says of the configuration. */
export interface ServedConfig {
  readonly revision?: number;
  readonly digest?: string;
  readonly lastRefusal?: { readonly revision?: number; readonly reasons: readonly string[] };
}

/** A proxy that listens. */
export interface ProxyProcess extends AsyncDisposable {
  readonly program: Program;
  readonly url: string;
  readonly adminURL: string;
  ready(): Promise<boolean>;
  config(): Promise<ServedConfig>;
  /** Waits until this revision is in force. */
  serves(revision: number): Promise<void>;
  /** Waits until something is refused for a reason that holds these words. */
  refuses(words: string): Promise<ServedConfig>;
  chat(request: PlainRequest): Promise<PlainAnswer>;
}

/** Upstreams of tests are on loopback, which a proxy would not connect to by itself. */
export const loopback = ['--allow-endpoint-cidr', '127.0.0.0/8'];

/** How a proxy is started. */
export interface ProxyProcessOptions {
  readonly args?: readonly string[];
  /** By `sluice proxy`, and not by its own entry. */
  readonly sluice?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Starts `node proxy/main.ts`, without a mount where there is none; with `sluice`, the same by way of `sluice proxy`. */
export async function startProxyProcess(
  mount: Mount | undefined,
  { args = loopback, sluice = false, environment = {} }: ProxyProcessOptions = {},
): Promise<ProxyProcess> {
  const config = mount === undefined ? [] : ['--config', mount.path];
  const all = [...config, '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', ...args];
  const program = sluice
    ? startProgram(['proxy', ...all], { environment })
    : startProgram(all, { entry: 'proxy/main.ts', environment });
  const [, data, admin] = await program.says(/"data":"([^"]+)","admin":"([^"]+)","msg":"listening"/);
  const adminURL = `http://${admin}`;
  const served = async (): Promise<ServedConfig> => (await (await fetch(`${adminURL}/config`)).json()) as ServedConfig;
  return {
    program,
    url: `http://${data}`,
    adminURL,
    config: served,
    ready: async () => (await fetch(`${adminURL}/readyz`)).ok,
    serves: (revision) => soon(async () => (await served()).revision).toBe(revision),
    async refuses(words) {
      let seen: ServedConfig = {};
      await soon(async () => ((seen = await served()).lastRefusal?.reasons ?? []).join('\n')).toContain(words);
      return seen;
    },
    chat: (request) => ask(`http://${data}/chat/chat/completions`, request),
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}
