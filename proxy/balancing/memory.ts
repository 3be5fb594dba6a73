// What pickers remember of each choice, by its id: bounded, and the oldest goes first.

/** A tier has at most 32 candidates and a pool a few hundred keys; far more ids are leftovers of old configurations. */
const remembered = 10_000;

/** Forgets the oldest entries of a memory that has grown too large. */
export function forgetSome(memory: Map<string, unknown>): void {
  if (memory.size <= remembered) return;
  for (const oldest of memory.keys()) {
    memory.delete(oldest);
    if (memory.size <= remembered) return;
  }
}
