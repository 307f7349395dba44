/** A straight line through samples, and how sure its slope is. See specs/campaigns/soak/soak.md#slopes. */

export type Point = { readonly atHours: number; readonly value: number };

export type Slope = {
  /** Units of the value per hour. */
  readonly perHour: number;
  /** The slope is above this with 99 % confidence. */
  readonly atLeastPerHour: number;
};

/** One-sided 99 % quantile of the normal distribution. */
const CONFIDENCE = 2.326;
/** Fewer say nothing of their scatter. */
const FEWEST_POINTS = 8;

/** Least squares. @returns undefined for too few samples to tell. */
export function slopeOf(points: readonly Point[]): Slope | undefined {
  const count = points.length;
  if (count < FEWEST_POINTS) return undefined;
  const meanX = mean(points.map(({ atHours }) => atHours));
  const meanY = mean(points.map(({ value }) => value));
  const spread = points.reduce((sum, { atHours }) => sum + (atHours - meanX) ** 2, 0);
  if (spread === 0) return undefined;
  const perHour =
    points.reduce((sum, { atHours, value }) => sum + (atHours - meanX) * (value - meanY), 0) / spread;
  const residuals = points.map(({ atHours, value }) => value - meanY - perHour * (atHours - meanX));
  const variance = residuals.reduce((sum, residual) => sum + residual ** 2, 0) / (count - 2);
  const error = Math.sqrt((variance / spread) * inflation(residuals));
  return { perHour, atLeastPerHour: perHour - CONFIDENCE * error };
}

/**
 * Memory rises and falls in waves longer than the time between samples, so neighbours say the same thing twice: with
 * correlation r between neighbours, n samples are worth n(1 − r)/(1 + r) independent ones.
 */
function inflation(residuals: readonly number[]): number {
  const power = residuals.reduce((sum, residual) => sum + residual ** 2, 0);
  if (power === 0) return 1;
  let shifted = 0;
  for (let index = 1; index < residuals.length; index++) {
    shifted += (residuals[index - 1] ?? 0) * (residuals[index] ?? 0);
  }
  const correlation = Math.min(0.99, Math.max(0, shifted / power));
  return (1 + correlation) / (1 - correlation);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The value below which this share of the values lie. */
export function quantile(values: readonly number[], share: number): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}
