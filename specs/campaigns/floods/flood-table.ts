/** The figures of floods as a table, and whether they are within bounds. See specs/campaigns/floods/floods.md#what-is-checked */
import { FLOOD_QUOTAS } from "../../../node/network/flood-guard.ts";
import type { AttackReport } from "./attacker.ts";

export type FloodResult = {
  readonly kind: string;
  readonly seconds: number;
  readonly reports: readonly AttackReport[];
  readonly residentBytes: number;
  readonly grownBytes: number;
  readonly lagP99Ms: number;
  readonly lagMaxMs: number;
  readonly peerBans: number;
  readonly addressBans: number;
  readonly missedVotes: number;
  readonly dueVotes: number;
  readonly emptySlots: number;
};

/** What four nodes may grow by during one flood, the largest of them: their buffers for peers, many times over. */
const GROWTH_LIMIT_BYTES = 512 << 20;
/**
 * What the event loop of the network's thread may lag more than without attack: of a hundred waits 99 less than half the
 * time until votes are due in slots of a second, and none longer than such a slot.
 */
const LAG_P99_LIMIT_MS = 250;
const LAG_MAX_LIMIT_MS = 1000;
/** Twice the share of votes that were missing before the attack, and two votes. */
const missedLimit = (result: FloodResult, calm: FloodResult | undefined) =>
  2 + Math.ceil((2 * result.dueVotes * (calm?.missedVotes ?? 0)) / Math.max(1, calm?.dueVotes ?? 0));

/**
 * What is no fault by itself and may be sent to one node until its quota is spent: gossip costs two items, the frame and
 * what is in it. An attacker too slow to spend it is only heard.
 */
const WITHIN_QUOTA: Readonly<Record<string, (seconds: number) => number>> = {
  duplicate: (seconds) => quota(FLOOD_QUOTAS.gossipItems, seconds) / 2,
  subscriptions: (seconds) => quota(FLOOD_QUOTAS.gossipItems, seconds) / 2,
  churn: (seconds) => quota(FLOOD_QUOTAS.streams, seconds),
};

function quota(
  { burst, perSecond }: { readonly burst: number; readonly perSecond: number },
  seconds: number,
): number {
  return burst + perSecond * seconds;
}

/** @returns one sentence for each thing that should not be. The first result is of a time without attack. */
export function faultsOf(result: FloodResult, calm: FloodResult | undefined): readonly string[] {
  const faults: string[] = [];
  const allowed = calm?.missedVotes === 0 ? 0 : missedLimit(result, calm);
  if (result.missedVotes > allowed) faults.push(`${result.missedVotes} votes are missing, ${allowed} may be`);
  if (result.grownBytes > GROWTH_LIMIT_BYTES)
    faults.push(`memory grew by ${megabytes(result.grownBytes)} MB`);
  const lagP99Ms = result.lagP99Ms - (calm?.lagP99Ms ?? 0);
  if (lagP99Ms > LAG_P99_LIMIT_MS) faults.push(`lag p99 is ${lagP99Ms.toFixed(0)} ms more than in peace`);
  const lagMaxMs = result.lagMaxMs - (calm?.lagMaxMs ?? 0);
  if (lagMaxMs > LAG_MAX_LIMIT_MS) faults.push(`lag max is ${lagMaxMs.toFixed(0)} ms more than in peace`);
  if (result.kind === "many-identities")
    return result.peerBans > 0 ? faults : [...faults, "nobody was banned"];
  for (const { target, sent, admitted, thrownOut, readmitted } of result.reports) {
    if (admitted === 0 && result.addressBans === 0)
      faults.push(`${target}: let in by nobody, nothing was tried`);
    const mayStay = sent <= admitted * (WITHIN_QUOTA[result.kind]?.(result.seconds) ?? 0);
    if (thrownOut < admitted && result.addressBans === 0 && !mayStay) {
      faults.push(`${target}: ${thrownOut} of ${admitted} nodes threw the attacker out`);
    }
    if (readmitted > 0 && !mayStay) faults.push(`${target}: ${readmitted} nodes let the attacker in again`);
  }
  return faults;
}

const megabytes = (bytes: number) => Math.round(bytes / (1 << 20));

const COLUMNS = [
  { title: "flood", of: ({ kind }) => kind },
  { title: "targets", of: ({ reports }) => reports.length },
  { title: "sent", of: ({ reports }) => reports.reduce((sum, { sent }) => sum + sent, 0) },
  {
    title: "thrown out",
    of: ({ reports }) =>
      `${reports.reduce((sum, { thrownOut }) => sum + thrownOut, 0)} of ${reports.reduce((sum, { admitted }) => sum + admitted, 0)}`,
  },
  {
    title: "refused after",
    of: ({ reports }) => reports.reduce((sum, { thrownOut, readmitted }) => sum + thrownOut - readmitted, 0),
  },
  { title: "bans", of: ({ peerBans, addressBans }) => `${peerBans}+${addressBans}` },
  { title: "RSS MB", of: ({ residentBytes }) => megabytes(residentBytes) },
  { title: "grown MB", of: ({ grownBytes }) => megabytes(grownBytes) },
  { title: "lag p99 ms", of: ({ lagP99Ms }) => lagP99Ms.toFixed(0) },
  { title: "lag max ms", of: ({ lagMaxMs }) => lagMaxMs.toFixed(0) },
  { title: "missed votes", of: ({ missedVotes, dueVotes }) => `${missedVotes} of ${dueVotes}` },
  { title: "empty slots", of: ({ emptySlots }) => emptySlots },
] satisfies readonly { readonly title: string; of(result: FloodResult): string | number }[];

export function floodTable(results: readonly FloodResult[]): {
  readonly text: string;
  readonly passed: boolean;
} {
  const rows = [
    [...COLUMNS.map(({ title }) => title), "result"],
    ...results.map((result, index) => [
      ...COLUMNS.map(({ of }) => String(of(result))),
      index > 0 && faultsOf(result, results[0]).length > 0 ? "FAIL" : "pass",
    ]),
  ];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const lines = rows.map((row) =>
    `  ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join("  ")}`.trimEnd(),
  );
  const faults = results
    .slice(1)
    .flatMap((result) => faultsOf(result, results[0]).map((fault) => `  ${result.kind}: ${fault}`));
  return { text: ["", ...lines, ...faults, ""].join("\n"), passed: faults.length === 0 };
}
