// Time that this thread has spent, which other processes cannot lengthen.

/** Milliseconds of this thread's work that a function takes. */
export function cpuMs(work: () => void): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}
