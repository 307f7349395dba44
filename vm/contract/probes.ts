/** Probes in a copy of a contract, through which a traced run tells where it is. See specs/vm/tracing.md#jstracer. */

/** Operations of the host function that no contract of the chain has: `chain:std` has no name for it there. */
export const PROBE = {
  /** site. A statement begins. */
  statement: 1_000,
  /** site. A function was entered. */
  enter: 1_001,
  /** A function is left, in whichever way. */
  leave: 1_002,
  /** An exception leaves a function. */
  thrown: 1_003,
} as const;

/** How the debug image exports the host function. */
export const PROBE_EXPORT = "__probe";

/** `chain:std` for the debug image. */
export function withProbeExport(std: string): string {
  return `${std}\nexport const ${PROBE_EXPORT} = engine.host;\n`;
}

/** Whether frames have more gas than they see, as much, or less. */
export type Spare = 1 | 0 | -1;

/**
 * The measure of a probe is exact to a gas or two in a function: with this much more, none runs out of gas by it, and with
 * as much less, none does not that should.
 */
export function spareGas(spare: Spare, gas: number): number {
  return Math.max(-gas, spare * (1_000 + Math.floor(gas / 64)));
}

/** Who places probes and hears them. */
export interface Probes {
  /** The source with calls of `PROBE_EXPORT`; undefined to run it as it is. */
  instrument(source: string): string | undefined;
  /** @returns ticks to give back: what the probe itself took. */
  onProbe(operation: number, site: number, ticksLeft: number): number;
  readonly spare: Spare;
}
