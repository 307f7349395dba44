/** Time of a synchronous piece of work. */

/** Median seconds of five runs, after one that warms up. */
export function medianSeconds(work: () => void): number {
  work();
  const seconds = Array.from({ length: 5 }, () => {
    const start = performance.now();
    work();
    return (performance.now() - start) / 1000;
  });
  return median(seconds);
}

/** The middle one of an odd number of values. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/**
 * Median milliseconds of processor time of five runs, after one that warms up: what other programs on the machine do
 * not stretch. Threads that help with a run (garbage collection) count, too.
 */
export function medianProcessorMillis(work: () => void): number {
  work();
  const millis = Array.from({ length: 5 }, () => {
    const start = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1000;
  });
  return millis.toSorted((a, b) => a - b)[2] ?? 0;
}
