// Reads what is published in one place whenever somebody says that it may have changed. Files that belong together come
// one after the other: it waits for them, and complains once when that takes too long.

import type { Clock } from '../canonical/clock.ts';
import type { ConfigIntake } from './config-intake.ts';
import { readPublished, type ReadFile } from './published.ts';
import type { ConfigIndex } from './schema.ts';

/** Parts arrive within the kubelet's sync period of each other; after that the wait is worth a word. */
const patienceMs = 90_000;

/** What following one place needs. */
export interface FollowerOptions {
  /** The place, for people. */
  readonly place: string;
  readonly read: ReadFile;
  readonly intake: ConfigIntake;
  readonly clock: Clock;
}

/** Follows one place. */
export class PublishedFollower {
  readonly #options: FollowerOptions;
  #complaint: string | undefined;
  #pendingSinceMs: number | undefined;
  #reading = false;
  #again = false;

  constructor(options: FollowerOptions) {
    this.#options = options;
  }

  /** Whether something is missing, so that a later look may find more without anybody saying so. */
  get pending(): boolean {
    return this.#pendingSinceMs !== undefined;
  }

  /** One look at a time; a change during it leads to another. Never rejects. */
  async refresh(): Promise<void> {
    this.#again = true;
    if (this.#reading) return;
    this.#reading = true;
    try {
      while (this.#again) {
        this.#again = false;
        await this.#look();
      }
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#complain(undefined, `cannot read ${this.#options.place}: ${why}`);
    } finally {
      this.#reading = false;
    }
  }

  async #look(): Promise<void> {
    const { read, intake, clock } = this.#options;
    const published = await readPublished(read, (index) => intake.knows(index));
    if (published?.type === 'pending') {
      this.#pendingSinceMs ??= clock.now();
      const waitedMs = clock.now() - this.#pendingSinceMs;
      if (waitedMs > patienceMs) {
        this.#complain(published.index, `${published.missing} is missing`, published.index !== undefined);
      }
      return;
    }
    this.#pendingSinceMs = undefined;
    if (published?.type === 'broken') {
      this.#complain(published.index, published.reason);
      return;
    }
    // Whatever else was there for a while is gone: should it come back, that is news.
    this.#complaint = published && intake.offer(published.index, published.config, published.credentials);
  }

  /** Once per complaint, not once per look. */
  #complain(index: ConfigIndex | undefined, reason: string, found = true): void {
    if (this.#complaint === reason) return;
    this.#complaint = reason;
    this.#options.intake.complain({ index, reason, found });
  }
}
