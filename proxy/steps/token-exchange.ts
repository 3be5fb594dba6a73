// Gets what clouds want to be shown: access tokens for key files, and credentials of the proxy itself. What to ask for is the
// vendors', how to get there is the upstream room's.

import type { Clock } from '../canonical/clock.ts';
import {
  awsRequest,
  type CloudIdentity,
  type IdentityEnvironment,
  metadataRequest,
  readAwsKeys,
} from '../providers/cloud-identity.ts';
import { readToken, requestToken } from '../providers/google-exchange.ts';
import type { TokenSource } from '../providers/provider-kind.ts';
import { createRenewed, type Expiring } from '../providers/renewed.ts';
import { refusedCredential, SigningFailure } from '../providers/signing-failure.ts';
import type { Ask } from '../providers/small-exchange.ts';
import { toConnectionFault } from '../upstream/fault.ts';
import type { SendSmall } from '../upstream/small-requests.ts';

/** What getting tokens needs. */
export interface TokenExchangeSettings {
  readonly clock: Clock;
  readonly send: SendSmall;
}

/** Tokens that outlive configurations. */
export interface TokenExchange extends TokenSource {
  /** Forgets the tokens of all other credentials. */
  retain(credentials: ReadonlySet<string>): void;
}

/** The tokens of one proxy for the key files that it is given. */
export function createTokenExchange({ clock, send }: TokenExchangeSettings): TokenExchange {
  const ask = asking(send);
  const tokens = createRenewed({ clock, get: (keyFile) => exchange(keyFile, ask, clock) });
  return { tokenFor: (credential) => tokens.of(credential), retain: (credentials) => tokens.retain(credentials) };
}

async function exchange(keyFile: string, ask: Ask, clock: Clock): Promise<Expiring<string>> {
  return readToken(await ask(await requestToken(keyFile, clock.now())), clock.now());
}

function asking(send: SendSmall): Ask {
  return async (request) => {
    try {
      return await send(request);
    } catch (cause) {
      const { fault } = toConnectionFault(cause instanceof Error ? cause : new Error(String(cause)), false);
      const signal = { type: 'transport', fault, cause } as const;
      throw new SigningFailure('no credential: the place to get it cannot be reached', signal);
    }
  };
}

/** What finding out who the proxy is needs. */
export interface CloudIdentitySettings extends TokenExchangeSettings {
  readonly environment: IdentityEnvironment;
  /** Rejects where there is none. */
  readonly readFile: (path: string) => Promise<string>;
}

/** The identity of one proxy in the cloud that it runs in. Files are read each time: the platform renews them. */
export function createCloudIdentity(settings: CloudIdentitySettings): CloudIdentity {
  const { clock, send, environment } = settings;
  const ask = asking(send);
  const google = createRenewed({ clock, get: () => getGoogle() });
  const aws = createRenewed({ clock, get: (region) => getAws(region) });
  return { googleToken: () => google.of('google'), awsKeys: (region) => aws.of(region) };

  async function getGoogle(): ReturnType<typeof exchange> {
    const { googleKeyFile, metadataHost } = environment;
    if (googleKeyFile !== undefined) return exchange(await read(googleKeyFile), ask, clock);
    return readToken(await ask(metadataRequest(metadataHost)), clock.now());
  }

  async function getAws(region: string): Promise<ReturnType<typeof readAwsKeys>> {
    const place = awsRequest(environment, region);
    if (place === undefined) throw refusedCredential('this proxy has no identity at AWS: nothing is set up for it');
    return readAwsKeys(await ask(place.request((await read(place.tokenFile)).trim())));
  }

  async function read(path: string): Promise<string> {
    try {
      return await settings.readFile(path);
    } catch {
      throw refusedCredential(`the identity of the proxy cannot be read: ${path}`);
    }
  }
}
