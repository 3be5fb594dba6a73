// Waiting no longer than is reasonable.

/** Resolves with the promise, or rejects, saying what did not happen. */
export async function within<T>(promise: Promise<T>, ms: number, otherwise: string): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`${otherwise} within ${ms} ms`)), ms);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
