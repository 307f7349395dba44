/** Three ways to tell what the testnet does: a table on a terminal, lines in a pipe, JSON for programs. */
import type { DevAccount } from "../primitives/dev-accounts.ts";
import { createScreen } from "./screen.ts";
import { renderLine, renderTable, type TestnetView } from "./table.ts";

export type ReadyInfo = {
  readonly chainId: number;
  readonly slotSeconds: number;
  readonly endpoints: readonly string[];
  /** Process ids of the nodes. */
  readonly processes: readonly (number | undefined)[];
  readonly accounts: readonly DevAccount[];
};

export type Reporter = {
  step(text: string): void;
  ready(info: ReadyInfo): void;
  status(view: TestnetView, isNewSlot: boolean): void;
  problem(text: string): void;
  close(): void;
};

/** `elapsed` gives the seconds since the command was started. */
export function createReporter(kind: "json" | "terminal" | "lines", elapsed: () => number): Reporter {
  const seconds = () => elapsed().toFixed(1);
  const problem = (text: string) => process.stderr.write(`${text}\n`);
  if (kind === "json") return jsonReporter(elapsed, problem);
  const screen = createScreen(process.stdout);
  const step = (text: string) => screen.line(`  ${text.padEnd(48)} ${seconds().padStart(6)} s`);
  const close = () => screen.close();
  if (kind === "terminal") {
    return { step, problem, close, ready: () => undefined, status: (view) => screen.draw(renderTable(view)) };
  }
  return {
    step,
    problem,
    close,
    ready(info) {
      screen.line(`  chain id ${info.chainId}, slots of ${info.slotSeconds} s`);
      for (const url of info.endpoints) screen.line(`  json-rpc ${url}`);
      screen.line("  accounts (public test keys, never use them for value):");
      for (const { address, privateKey } of info.accounts) screen.line(`  ${address}  ${privateKey}`);
    },
    status(view, isNewSlot) {
      if (isNewSlot) screen.line(renderLine(view));
    },
  };
}

function jsonReporter(elapsed: () => number, problem: (text: string) => void): Reporter {
  const print = (value: unknown) => process.stdout.write(`${JSON.stringify(value)}\n`);
  return {
    problem,
    close: () => undefined,
    step: (text) => print({ type: "step", step: text, seconds: Number(elapsed().toFixed(2)) }),
    ready: (info) => print({ type: "ready", ...info }),
    status(view, isNewSlot) {
      if (!isNewSlot) return;
      const nodes = view.nodes.map(({ number, url, status }) => ({
        node: number,
        url,
        slot: status?.slot ?? null,
        head: status?.headSlot ?? null,
        justified: status?.justifiedEpoch ?? null,
        finalized: status?.finalizedEpoch ?? null,
        lag: status?.finalityLagSlots ?? null,
        peers: status?.peers ?? null,
        pending: status?.pendingTransactions ?? null,
      }));
      print({ type: "status", nodes, transactionsPerSecond: view.transactionsPerSecond });
    },
  };
}
