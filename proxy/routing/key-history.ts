// What this proxy has seen of each upstream key: whether it ever worked, when last, and how often it was refused since.
// Rule 9 of failure.md judges a refused key by it. A key whose Secret has changed is another one: requests that went out
// with the old secret say nothing about the new one, however late they end.

import type { Clock } from '../canonical/clock.ts';
import type { KeyHistory } from './consequence.ts';

/** A key as a request holds it. */
export interface HeldKey {
  /** `key:namespace/name`. */
  readonly target: string;
  readonly secret: string;
}

/** Remembers keys. */
export interface KeyHistories {
  worked(key: HeldKey): void;
  /** The key was refused and rests for it. */
  refused(key: HeldKey): void;
  of(key: HeldKey | undefined): KeyHistory;
  /** Whether the key still has the secret that the request holds; true as long as nobody has said what is configured. */
  isCurrent(key: HeldKey): boolean;
  /** What is configured from now on, secrets by target: all else is forgotten, also a key whose secret was another one. */
  retain(secrets: ReadonlyMap<string, string>): void;
}

const unknown: KeyHistory = { lastWorkedAtMs: undefined, refusals: 0 };

/** Makes an empty memory. Its size is that of the configuration, which `retain` follows. */
export function createKeyHistories({ clock }: { readonly clock: Clock }): KeyHistories {
  const histories = new Map<string, { readonly secret: string; readonly history: KeyHistory }>();
  let configured: ReadonlyMap<string, string> | undefined;

  function isCurrent({ target, secret }: HeldKey): boolean {
    return configured === undefined || configured.get(target) === secret;
  }

  function of(key: HeldKey | undefined): KeyHistory {
    const known = key === undefined ? undefined : histories.get(key.target);
    return known === undefined || known.secret !== key?.secret ? unknown : known.history;
  }

  function remember(key: HeldKey, history: KeyHistory): void {
    if (isCurrent(key)) histories.set(key.target, { secret: key.secret, history });
  }

  return {
    worked: (key) => remember(key, { lastWorkedAtMs: clock.now(), refusals: 0 }),
    refused(key) {
      const history = of(key);
      remember(key, { ...history, refusals: history.refusals + 1 });
    },
    of,
    isCurrent,
    retain(secrets) {
      configured = secrets;
      for (const [target, { secret }] of histories) if (secrets.get(target) !== secret) histories.delete(target);
    },
  };
}
