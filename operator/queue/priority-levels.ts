// Items that wait for a worker: higher priorities first, first come first inside one.

/** Keys by priority. */
export class PriorityLevels {
  /** Sets keep the order in which keys were added. Empty levels are removed, so there are only a few. */
  readonly #levels = new Map<number, Set<string>>();

  add(key: string, priority: number): void {
    const level = this.#levels.get(priority) ?? new Set();
    this.#levels.set(priority, level.add(key));
  }

  delete(key: string, priority: number): void {
    const level = this.#levels.get(priority);
    if (level?.delete(key) === true && level.size === 0) this.#levels.delete(priority);
  }

  /** Takes out the first key of the highest priority. */
  take(): string | undefined {
    if (this.#levels.size === 0) return undefined;
    const priority = Math.max(...this.#levels.keys());
    const [key] = this.#levels.get(priority) ?? [];
    if (key !== undefined) this.delete(key, priority);
    return key;
  }

  clear(): void {
    this.#levels.clear();
  }
}
