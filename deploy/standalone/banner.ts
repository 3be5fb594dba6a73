// What a person sees when `sluice run` has started: what listens where, what it serves, and a command to try.

import type { GatewayConfig, RouteConfig } from '../../proxy/config/schema.ts';
import type { Gateway } from '../../proxy/gateway.ts';
import { toAuthority } from '../../proxy/command-line/listen-address.ts';
import { tryCommand } from './try-it.ts';

/** More routes than fit on a screen are better looked up. */
const routesMax = 12;

/** The lines of the banner. */
export function banner(
  version: string,
  { data, admin }: Gateway['listening'],
  config: GatewayConfig,
  standIns: readonly string[] = [],
): readonly string[] {
  const { routes } = config;
  const more = routes.length > routesMax ? [`  … and ${routes.length - routesMax} more`] : [];
  const command = tryCommand(config, toAuthority(data));
  return [
    `sluice ${version}`,
    `  requests  http://${toAuthority(data)}`,
    `  admin     http://${toAuthority(admin)}  /metrics /readyz /state`,
    ...routes.slice(0, routesMax).map((route) => `  route     ${describeRoute(route)}`),
    ...more,
    ...(standIns.length === 0 ? [] : [`  stand-ins ${standIns.join(', ')} answer on this machine`]),
    ...(command === undefined ? [] : ['try it:', `  ${command}`]),
  ];
}

function describeRoute({ id, path, models, access, rules }: RouteConfig): string {
  const names = models.map(({ name, type }) => (type === 'Prefix' ? `${name}*` : name));
  const claims = [...(path === undefined ? [] : [path]), ...names].join(', ');
  const backends = new Set(rules.flatMap((rule) => rule.backends.map(({ name }) => name)));
  const who = access.mode === 'Anonymous' ? 'open to everybody' : 'with a client key';
  return `${id}: ${claims} → ${[...backends].join(', ') || 'no backend'} (${who})`;
}
