/** The fork schedule of a chain spec: which signature version and epoch length hold from which period on. See specs/consensus/genesis.md#forks. */
import { z } from "zod";
import type { ForkParams } from "../../consensus/params.ts";
import type { Hex } from "../../primitives/bytes.ts";
import { type SpecIssue, wrongValue } from "./spec-issues.ts";

/** Forks a chain spec may list: each is looked at when a signature is made. */
const FORKS_LIMIT = 32;

export const ForkSchedule = z
  .array(
    z.strictObject({
      /** Four bytes mixed into every signing domain from this fork on. */
      version: z
        .string()
        .regex(/^0x[0-9a-fA-F]{8}$/, "expected 4 bytes of hex")
        .transform((text) => text.toLowerCase() as Hex),
      /** The period it begins with; the first begins with period 0. */
      firstPeriod: z.int().nonnegative(),
      /** Unchanged when it is left out. */
      slotsPerEpoch: z.int().positive().optional(),
    }),
  )
  .min(1, "expected at least one fork")
  .max(FORKS_LIMIT);
export type ForkSchedule = z.infer<typeof ForkSchedule>;

/** Slots per period, and what the preset says of epochs: what the schedule is checked against. */
export type ForkBase = { readonly periodSlots: number; readonly slotsPerEpoch: number };

/** Every rule between forks that the schedule breaks. */
export function findForkIssues(schedule: ForkSchedule, { periodSlots }: ForkBase): readonly SpecIssue[] {
  return schedule.flatMap(({ version, firstPeriod, slotsPerEpoch }, index) => {
    const issues: SpecIssue[] = [];
    const add = (field: string, expected: string, actual: unknown) =>
      issues.push(wrongValue(`forks.${index}.${field}`, expected, actual));
    const previous = schedule[index - 1];
    if (previous === undefined && firstPeriod !== 0) add("firstPeriod", "0 for the first fork", firstPeriod);
    if (previous !== undefined && firstPeriod <= previous.firstPeriod) {
      add("firstPeriod", `more than the previous fork's ${previous.firstPeriod}`, firstPeriod);
    }
    if (firstPeriod * periodSlots > Number.MAX_SAFE_INTEGER) {
      add("firstPeriod", "a period whose slots are below 2^53", firstPeriod);
    }
    // A signature of one fork must mean nothing in another.
    if (schedule.slice(0, index).some((earlier) => earlier.version === version)) {
      add("version", "a version no earlier fork has", version);
    }
    if (slotsPerEpoch !== undefined && periodSlots % slotsPerEpoch !== 0) {
      add("slotsPerEpoch", `a divisor of the period's ${periodSlots} slots`, slotsPerEpoch);
    }
    return issues;
  });
}

/** Epochs go on counting over a fork, whatever their lengths. The schedule breaks no rule. */
export function toForkParams(schedule: ForkSchedule, base: ForkBase): readonly ForkParams[] {
  const forks: ForkParams[] = [];
  for (const { version, firstPeriod, slotsPerEpoch } of schedule) {
    const previous = forks.at(-1);
    const firstSlot = firstPeriod * base.periodSlots;
    const epochsBefore =
      previous === undefined
        ? 0
        : previous.firstEpoch + (firstSlot - previous.firstSlot) / previous.slotsPerEpoch;
    forks.push({
      version,
      firstSlot,
      firstEpoch: epochsBefore,
      slotsPerEpoch: slotsPerEpoch ?? previous?.slotsPerEpoch ?? base.slotsPerEpoch,
    });
  }
  return forks;
}
