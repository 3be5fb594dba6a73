// Access tokens that were got for credentials: kept until shortly before they end, and got anew by one request at a time
// while the old one still works.

import type { Clock } from '../canonical/clock.ts';
import type { SignalHeaders } from '../canonical/failure.ts';

/** A token and its end in Unix milliseconds. */
export interface AccessToken {
  readonly value: string;
  readonly expiresAtMs: number;
}

/** What is posted to get a token. */
export interface TokenRequest {
  readonly url: string;
  readonly form: Readonly<Record<string, string>>;
}

/** What comes back. */
export interface TokenAnswer {
  readonly status: number;
  readonly headers: SignalHeaders;
  readonly body: string;
}

/** Tokens by the credentials that they were got for. */
export interface TokenSource {
  /** The token to use now. Rejects with SigningFailure where there is none. */
  tokenFor(credential: string): Promise<string>;
  /** Forgets the tokens of all other credentials. */
  retain(credentials: ReadonlySet<string>): void;
}

/** What getting tokens needs. */
export interface TokenSourceSettings {
  readonly clock: Pick<Clock, 'now'>;
  /** Gets a token. Rejects with SigningFailure. */
  readonly get: (credential: string) => Promise<AccessToken>;
}

/** From here on a new token is got while the old one is used: longer than any outage that nobody notices. */
const refreshMs = 5 * 60_000;
/** So near to its end a token is not begun with: clocks differ, and requests take time. */
const leewayMs = 30_000;
/** So long after a failure the same is not tried again: requests come by the hundred. */
const failureMs = 2_000;

interface Entry {
  token: AccessToken | undefined;
  getting: Promise<AccessToken> | undefined;
  failure: { readonly error: unknown; readonly atMs: number } | undefined;
}

/** Makes a source that has no tokens yet. */
export function createTokenSource({ clock, get }: TokenSourceSettings): TokenSource {
  const entries = new Map<string, Entry>();

  async function getAnew(credential: string, entry: Entry): Promise<AccessToken> {
    try {
      entry.token = await get(credential);
      entry.failure = undefined;
      return entry.token;
    } catch (error) {
      entry.failure = { error, atMs: clock.now() };
      throw error;
    } finally {
      entry.getting = undefined;
    }
  }

  return {
    async tokenFor(credential) {
      let entry = entries.get(credential);
      if (entry === undefined) {
        entry = { token: undefined, getting: undefined, failure: undefined };
        entries.set(credential, entry);
      }
      const { token, failure } = entry;
      const leftMs = (token?.expiresAtMs ?? 0) - clock.now();
      const failedJustNow = failure !== undefined && clock.now() - failure.atMs < failureMs;
      if (leftMs < refreshMs && !failedJustNow) entry.getting ??= getAnew(credential, entry);
      if (token !== undefined && leftMs > leewayMs) {
        // Whether the new one comes concerns nobody as long as the old one works.
        entry.getting?.catch(() => undefined);
        return token.value;
      }
      if (entry.getting !== undefined) return (await entry.getting).value;
      throw failure?.error;
    },
    retain(credentials) {
      for (const credential of entries.keys()) if (!credentials.has(credential)) entries.delete(credential);
    },
  };
}
