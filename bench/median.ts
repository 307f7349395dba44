/** Time of a synchronous piece of work. */

/** Median seconds of five runs, after one that warms up. */
export function medianSeconds(work: () => void): number {
  work();
  const seconds = Array.from({ length: 5 }, () => {
    const start = performance.now();
    work();
    return (performance.now() - start) / 1000;
  });
  return seconds.toSorted((a, b) => a - b)[2] ?? 0;
}
