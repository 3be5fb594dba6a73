// Gets access tokens for the key files of clouds: what to ask for is the vendor's, how to get there is the upstream room's.

import type { Clock } from '../canonical/clock.ts';
import { readToken, requestToken } from '../providers/google-exchange.ts';
import { SigningFailure } from '../providers/signing-failure.ts';
import { createTokenSource, type TokenAnswer, type TokenRequest, type TokenSource } from '../providers/token-source.ts';
import { toConnectionFault } from '../upstream/fault.ts';
import type { PostForm } from '../upstream/post-form.ts';

/** What getting tokens needs. */
export interface TokenExchangeSettings {
  readonly clock: Clock;
  readonly post: PostForm;
}

/** The tokens of one proxy. They outlive its configurations. */
export function createTokenExchange({ clock, post }: TokenExchangeSettings): TokenSource {
  return createTokenSource({
    clock,
    async get(credential) {
      const request = await requestToken(credential, clock.now());
      return readToken(await ask(request), clock.now());
    },
  });

  async function ask({ url, form }: TokenRequest): Promise<TokenAnswer> {
    try {
      return await post(url, form);
    } catch (cause) {
      const { fault } = toConnectionFault(cause instanceof Error ? cause : new Error(String(cause)), false);
      throw new SigningFailure('no token: the place to get it cannot be reached', { type: 'transport', fault, cause });
    }
  }
}
