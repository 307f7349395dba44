/** What the terminal shows, as pure text: the live table and the plain line for pipes. */

import type { DevAccount } from "../primitives/dev-accounts.ts";
import { formatUnits, NATIVE_DECIMALS } from "../primitives/units.ts";
import type { NodeStatus } from "./node-status.ts";

export type TestnetView = {
  readonly chainId: number;
  readonly slotSeconds: number;
  readonly nodes: readonly NodeRow[];
  readonly transactionsPerSecond: number;
  readonly accounts: readonly DevAccount[];
  readonly accountBalanceWei: bigint;
  /** A command to begin with. */
  readonly next: string;
};

/** `status` is undefined while the node does not answer. */
export type NodeRow = {
  readonly number: number;
  readonly url: string;
  readonly status: NodeStatus | undefined;
  /** Share of one core. */
  readonly cpuPercent: number;
};

/** The whole screen, one string per line. Deterministic, for its golden spec. */
export function renderTable(view: TestnetView): string[] {
  const statuses = view.nodes.flatMap(({ status }) => (status === undefined ? [] : [status]));
  const slot = Math.max(0, ...statuses.map((status) => status.slot));
  const lag = Math.max(0, ...statuses.map((status) => status.finalityLagSlots));
  const title = [
    "jurat testnet",
    `chain ${view.chainId}`,
    `slot ${String(slot).padStart(5, "0")}`,
    `${view.slotSeconds.toFixed(1)} s slots`,
    `finality lag ${lag} ${lag === 1 ? "slot" : "slots"}`,
    `${view.transactionsPerSecond.toFixed(1)} tx/s`,
  ].join(" · ");
  return [
    `  ${title}${" ".repeat(Math.max(2, 92 - title.length))}ctrl-c stops`,
    "",
    rowOf([
      "node",
      "json-rpc",
      "slot",
      "head",
      "justified",
      "finalized",
      "lag",
      "peers",
      "votes",
      "pool",
      "cpu",
      "rss",
    ]),
    ...view.nodes.map((node) => rowOf([String(node.number), node.url, ...cellsOf(node)])),
    "",
    "  accounts (public test keys, never use them for value)",
    ...view.accounts.map(({ address, privateKey }, index) => accountLine(index, address, privateKey, view)),
    "",
    `  next: ${view.next}`,
  ];
}

function accountLine(index: number, address: string, privateKey: string, view: TestnetView): string {
  const balance = `${formatUnits(view.accountBalanceWei, NATIVE_DECIMALS)} JUR`;
  return `  dev:${index}  ${address}  ${balance}  ${privateKey}`;
}

/** One line per slot for logs and pipes. */
export function renderLine(view: TestnetView): string {
  const nodes = view.nodes.map(({ number, status }) =>
    status === undefined
      ? `node ${number} silent`
      : `node ${number} head ${status.headSlot} justified ${status.justifiedEpoch} final ${status.finalizedEpoch} lag ${status.finalityLagSlots} peers ${status.peers}`,
  );
  const slot = Math.max(0, ...view.nodes.map(({ status }) => status?.slot ?? 0));
  return `slot ${slot}  ${nodes.join(" | ")}  ${view.transactionsPerSecond.toFixed(1)} tx/s`;
}

const WIDTHS = [4, -23, 7, 7, 9, 9, 4, 5, 5, 5, 5, 7] as const;

/** Right-aligned columns; a negative width is left-aligned. */
function rowOf(cells: readonly string[]): string {
  const padded = cells.map((cell, index) => {
    const width = WIDTHS[index] ?? 0;
    return width < 0 ? cell.padEnd(-width) : cell.padStart(width);
  });
  return `  ${padded.join("  ")}`;
}

function cellsOf({ status, cpuPercent }: NodeRow): string[] {
  if (status === undefined) return ["–", "–", "–", "–", "–", "–", "–", "–", "–", "–"];
  return [
    String(status.slot),
    String(status.headSlot),
    String(status.justifiedEpoch),
    String(status.finalizedEpoch),
    String(status.finalityLagSlots),
    String(status.peers),
    `${status.localVotes}/${status.localValidators}`,
    String(status.pendingTransactions),
    `${Math.round(cpuPercent)} %`,
    `${Math.round(status.residentBytes / 1e6)} MB`,
  ];
}
