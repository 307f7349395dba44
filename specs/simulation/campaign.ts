/** Runs many seeds in worker processes. See specs/simulation/simulation.md#command. */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { quantile } from "./findings.ts";
import type { Job, Outcome } from "./job.ts";

const WORKER = fileURLToPath(new URL("./campaign-worker.js", import.meta.url));

/**
 * Runs jobs in up to `workers` processes; outcomes come in any order, `onOutcome` sees each and may give more jobs.
 *
 * @throws when a worker dies.
 */
export async function runJobs(
  jobs: readonly Job[],
  workers: number,
  onOutcome: (outcome: Outcome) => readonly Job[],
): Promise<void> {
  const waiting = [...jobs];
  const idle: ChildProcess[] = [];
  const children: ChildProcess[] = [];
  let running = 0;
  await new Promise<void>((resolve, reject) => {
    const next = (): void => {
      while (idle.length > 0 && waiting.length > 0) {
        running++;
        idle.pop()!.send(waiting.shift()!);
      }
      if (running === 0 && waiting.length === 0) resolve();
    };
    for (let i = 0; i < Math.min(workers, jobs.length); i++) {
      const child = fork(WORKER, { execArgv: ["--enable-source-maps"], serialization: "advanced" });
      children.push(child);
      child.on("message", (message: Outcome | "ready") => {
        idle.push(child);
        if (message !== "ready") {
          running--;
          waiting.push(...onOutcome(message));
        }
        next();
      });
      child.once("exit", (code) => reject(new Error(`a worker of the campaign ended with ${code}`)));
    }
    if (jobs.length === 0) resolve();
  }).finally(() => {
    for (const child of children) {
      child.removeAllListeners("exit");
      child.kill();
    }
  });
}

/** One line per scenario, with a head line. */
export function summaryTable(outcomes: readonly Outcome[]): string {
  const rows = [["scenario", "runs", "final p50", "p95", "max", "orphans", "slashings", "violations"]];
  const names = [...new Set(outcomes.map(({ scenario }) => scenario))];
  const row = (name: string, runs: readonly Outcome[]): string[] => {
    const slots = runs.flatMap(({ finalitySlots }) => finalitySlots);
    const shown = (q: number): string => (slots.length === 0 ? "-" : quantile(slots, q).toFixed(2));
    const sum = (count: (run: Outcome) => number): string =>
      String(runs.reduce((total, run) => total + count(run), 0));
    return [
      ...[name, String(runs.length), shown(0.5), shown(0.95), shown(1)],
      ...[sum(({ orphans }) => orphans), sum(({ slashed }) => slashed)],
      sum(({ failure }) => (failure === undefined ? 0 : 1)),
    ];
  };
  for (const name of names)
    rows.push(
      row(
        name,
        outcomes.filter(({ scenario }) => scenario === name),
      ),
    );
  rows.push(row("all", outcomes));
  return formatTable(rows);
}

/** The first column to the left, the others to the right. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
      .join("  ");
  return rows.map(line).join("\n");
}
