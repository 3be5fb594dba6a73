// A proxy of an older release, as far as a release can be older that was never made: a real one, to whom one strategy of
// the published configuration is shown in a way that it does not understand: as a plugin without a module.

import { setTimeout as delay } from 'node:timers/promises';
import type { GatewayConfig } from '../../../proxy/config/schema.ts';
import { startTestGateway } from '../../support/gateway.ts';
import type { Publication } from './published.ts';

/** Such a proxy. */
export interface OlderProxy extends AsyncDisposable {
  readonly url: string;
  /** As an operator is told it. */
  readonly address: { readonly proxy: string; readonly host: string; readonly port: number };
}

/** The strategy that it does not understand. */
export const newStrategy = 'RoundRobin';

const pollMs = 10;

/** Starts one; it follows what is published until it is disposed of. */
export async function startOlderProxy(publication: Publication): Promise<OlderProxy> {
  const { gateway, url, ...rest } = await startTestGateway(undefined);
  let isOver = false;
  let seen = 0;
  const following = (async () => {
    while (!isOver) {
      const { revision } = await publication.index();
      if (revision !== seen) {
        const [config, credentials] = [await publication.config(), await publication.credentials()];
        gateway.offer(asSeen(config), credentials);
        seen = config.revision;
      }
      await delay(pollMs);
    }
  })();
  return {
    url,
    address: { proxy: 'older', host: '127.0.0.1', port: gateway.listening.admin.port },
    async [Symbol.asyncDispose]() {
      isOver = true;
      await following;
      await rest[Symbol.asyncDispose]();
    },
  };
}

function asSeen(config: GatewayConfig): GatewayConfig {
  const routes = config.routes.map(({ rules, ...route }) => ({
    ...route,
    rules: rules.map((rule) => (rule.strategy === newStrategy ? { ...rule, strategy: 'Plugin' as const } : rule)),
  }));
  return { ...config, routes };
}
