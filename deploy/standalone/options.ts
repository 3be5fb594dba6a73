// The options of `sluice run` and `sluice check`: those of every gateway, and what only files need.

import { gatewayOptions, gatewayVariables } from '../../proxy/command-line/gateway-options.ts';
import type { OptionSpec } from '../../proxy/command-line/options.ts';

/** Options of `sluice run`, in the order of `--help`. */
export const runOptions = {
  ...gatewayOptions,
  className: { ...gatewayOptions.className, says: 'only objects of this spec.className count' },
  allowEndpointCidr: {
    ...gatewayOptions.allowEndpointCidr,
    says: 'addresses that providers may have besides public, private and loopback ones, with commas between them',
  },
  strict: {
    flag: '--strict',
    variable: 'SLUICE_STRICT',
    says: 'do not start if there is anything to complain about',
    fallback: 'false',
  },
  standIns: {
    flag: '--stand-ins [port]',
    variable: 'SLUICE_STAND_INS',
    says: 'start the upstreams of the quickstart on this machine, on three ports from 18081 or the given one',
  },
} as const satisfies Record<string, OptionSpec>;

/** Options of `sluice check`. */
export const checkOptions = { className: runOptions.className } as const satisfies Record<string, OptionSpec>;

/** What has no flag. */
export const variables = {
  DISABLED_TIME:
    'minutes for which a failing backend is out where its route does not say; fractions allowed, 0 = never, 10 where left out',
  ...gatewayVariables,
} as const;
