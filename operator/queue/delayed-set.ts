// Items that are not ready yet, in the order in which they will be.

interface Delayed {
  readonly key: string;
  readonly readyAtMs: number;
}

/** Keys with the time at which each is ready. */
export class DelayedSet {
  /** Earliest first, and first come first among equals. There are no more of them than objects: thousands at most. */
  readonly #items: Delayed[] = [];

  /** The key must not be in the set. */
  add(key: string, readyAtMs: number): void {
    const later = this.#items.findIndex((item) => item.readyAtMs > readyAtMs);
    this.#items.splice(later === -1 ? this.#items.length : later, 0, { key, readyAtMs });
  }

  delete(key: string): void {
    const index = this.#items.findIndex((item) => item.key === key);
    if (index !== -1) this.#items.splice(index, 1);
  }

  /** When the first item is ready; undefined if there is none. */
  get nextMs(): number | undefined {
    return this.#items[0]?.readyAtMs;
  }

  /** Takes out what is ready. */
  takeReady(nowMs: number): readonly string[] {
    const later = this.#items.findIndex((item) => item.readyAtMs > nowMs);
    return this.#items.splice(0, later === -1 ? this.#items.length : later).map(({ key }) => key);
  }

  clear(): void {
    this.#items.length = 0;
  }
}
