/** A soak's table, for people. */
import type { NodeFigures, Row, Verdict } from "./verdict.ts";
import { FEWEST_JUDGED_MINUTES } from "./verdict.ts";

export function renderSoak(verdict: Verdict): readonly string[] {
  const { minutes, judgedMinutes, nodes, closing, faults } = verdict;
  const columns = [...new Set(nodes.flatMap(({ memory }) => memory.map(({ name }) => name)))];
  const chain = table([
    ["node", "empty slots", "late votes", "lag p50", "p99", "max", "handles before", "most files", "after"],
    ...nodes.map(chainRow),
  ]);
  const memory = table([
    ["MiB at the end, and per hour", ...columns],
    ...nodes.map(({ node, memory }) => [
      `node ${node}`,
      ...columns.map((column) => cellOf(memory.find(({ name }) => name === column))),
    ]),
  ]);
  const judged =
    judgedMinutes < FEWEST_JUDGED_MINUTES
      ? `slopes are not judged: ${judgedMinutes.toFixed(1)} minutes after the warm-up, ${FEWEST_JUDGED_MINUTES} are needed`
      : `slopes over the last ${judgedMinutes.toFixed(1)} minutes`;
  return [
    `${minutes.toFixed(1)} minutes; ${judged}`,
    "",
    ...chain,
    "",
    ...memory,
    "",
    ...(closing === undefined ? ["the run did not come to its end"] : closingLines(closing)),
    ...(faults.length === 0 ? ["no leak, nothing lost"] : faults),
  ];
}

function chainRow({ node, emptySlots, lateVotes, lag, handles }: NodeFigures): readonly string[] {
  return [
    node,
    emptySlots,
    lateVotes,
    lag.p50,
    lag.p99,
    lag.max,
    handles.before,
    handles.most,
    handles.after,
  ].map(String);
}

function cellOf(row: Row | undefined): string {
  if (row === undefined) return "–";
  const megabytes = (bytes: number) => (bytes / 2 ** 20).toFixed(1);
  const { slope, last } = row;
  if (slope === undefined) return megabytes(last);
  const sign = slope.perHour < 0 ? "" : "+";
  return `${megabytes(last)} ${sign}${megabytes(slope.perHour)} (≥ ${megabytes(slope.atLeastPerHour)})`;
}

function closingLines(closing: NonNullable<Verdict["closing"]>): readonly string[] {
  const { slots, blocks, votesDue, votesMissing, done, failed } = closing;
  const counts = Object.entries(done).map(
    ([kind, times]) => `${times} ${kind}${failed[kind] === undefined ? "" : ` (${failed[kind]} failed)`}`,
  );
  return [
    `missed slots: ${slots - blocks} of ${slots}; missed votes: ${votesMissing} of ${votesDue}`,
    `load: ${counts.join(", ")}`,
  ];
}

function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    rows.reduce((widest, row) => Math.max(widest, row[column]?.length ?? 0), 0),
  );
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join("  "),
  );
}
