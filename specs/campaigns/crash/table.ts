/** The campaign's result: one line per moment of the kill, and whether anything was lost. */
import { PHASES, type RoundResult } from "./round.ts";
import type { SignedMessages } from "./signed-messages.ts";
import type { Load } from "./transaction-load.ts";

export type CrashReport = {
  readonly results: readonly RoundResult[];
  readonly seed: number;
  readonly signed: SignedMessages;
  readonly load: Load;
  readonly print: (line: string) => void;
};

const HEADINGS = [
  "killed",
  "rounds",
  "kills",
  "not opened",
  "state differs",
  "not on record",
  "start p50",
  "max",
];

/** @returns whether nothing was lost. */
export function renderCrashTable({ results, seed, signed, load, print }: CrashReport): boolean {
  const rows = PHASES.map((phase) =>
    rowOf(
      phase,
      results.filter((result) => result.phase === phase),
    ),
  );
  rows.push(rowOf("in all", results));
  const widths = HEADINGS.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join("  ");
  print("");
  for (const row of [HEADINGS, ...rows]) print(line(row));
  const { votes, blocks } = signed.count();
  const losses = results.reduce((sum, result) => sum + lossesOf(result), 0) + signed.slashable.length;
  print(
    `\nseed ${seed}; ${load.accepted()} transactions taken by nodes, ${load.unanswered()} requests met a dead one`,
  );
  print(`${votes} votes and ${blocks} blocks seen, ${signed.slashable.length} slashable pairs`);
  for (const pair of signed.slashable) print(pair);
  print(`losses: ${losses}`);
  return losses === 0;
}

function lossesOf({ notOpened, stateFaults, unrecorded }: RoundResult): number {
  return notOpened.length + stateFaults.length + unrecorded.length;
}

function rowOf(name: string, results: readonly RoundResult[]): readonly string[] {
  const sum = (count: (result: RoundResult) => number) =>
    String(results.reduce((total, result) => total + count(result), 0));
  const starts = results.map(({ startMs }) => startMs).sort((a, b) => a - b);
  const seconds = (milliseconds: number | undefined) =>
    milliseconds === undefined ? "–" : `${(milliseconds / 1000).toFixed(1)} s`;
  return [
    name,
    String(results.length),
    sum(({ kills }) => kills),
    sum(({ notOpened }) => notOpened.length),
    sum(({ stateFaults }) => stateFaults.length),
    sum(({ unrecorded }) => unrecorded.length),
    seconds(starts[Math.floor(starts.length / 2)]),
    seconds(starts.at(-1)),
  ];
}
