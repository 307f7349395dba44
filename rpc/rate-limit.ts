/** How many requests a connection may make; each member of a batch is one. See specs/rpc/limits.md#rate. */

/** A bucket that holds one second's worth and fills all the time. */
export type RateLimit = {
  /** Whether one more request may be made now; it is counted if so. */
  take(): boolean;
};

/**
 * @param perSecond Infinity for no limit.
 * @param nowMs of a clock that never goes back.
 */
export function createRateLimit(perSecond: number, nowMs: () => number): RateLimit {
  if (perSecond === Number.POSITIVE_INFINITY) return { take: () => true };
  let left = perSecond;
  let filledAtMs = nowMs();
  return {
    take() {
      const now = nowMs();
      left = Math.min(perSecond, left + ((now - filledAtMs) * perSecond) / 1000);
      filledAtMs = now;
      if (left < 1) return false;
      left--;
      return true;
    },
  };
}
