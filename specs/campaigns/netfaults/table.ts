/** The results of scenarios as a table. See specs/campaigns/netfaults/netfaults.md. */
import type { FaultResult } from "./fault-scenario.ts";

const COLUMNS = [
  { title: "scenario", of: ({ scenario }) => scenario },
  { title: "result", of: ({ passed }) => (passed ? "pass" : "FAIL") },
  { title: "seconds", of: ({ seconds }) => seconds.toFixed(0) },
  { title: "slots", of: ({ figures }) => figures?.slots },
  { title: "lag max", of: ({ figures }) => figures?.lagMax },
  { title: "resumed after", of: ({ figures }) => figures?.resumedAfterSlots },
  { title: "missed votes", of: ({ figures }) => figures && `${figures.missedVotes} of ${figures.dueVotes}` },
  { title: "empty slots", of: ({ figures }) => figures?.emptySlots },
  { title: "same state at", of: ({ figures }) => figures?.finalSlot },
  { title: "slashed", of: ({ figures }) => figures && 0 },
] satisfies readonly { readonly title: string; of(result: FaultResult): string | number | undefined }[];

/** One line a scenario; why one failed, below. */
export function faultTable(results: readonly FaultResult[]): string {
  const rows = [
    COLUMNS.map(({ title }) => title),
    ...results.map((result) => COLUMNS.map(({ of }) => String(of(result) ?? "-"))),
  ];
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    `  ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join("  ")}`.trimEnd(),
  );
  const reasons = results
    .filter(({ passed }) => !passed)
    .map(({ scenario, reason }) => `  ${scenario}: ${reason}`);
  return ["", ...lines, ...reasons, ""].join("\n");
}
