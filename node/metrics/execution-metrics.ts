/** What the execution thread counts: blocks, the pool, calls, its database. See specs/node/metrics.md#execution. */
import { join } from "node:path";
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { HeadChange } from "../../rpc/chain-view.ts";
import type { BlockStopwatch } from "../execution/execution-chain.ts";
import type { MempoolStatistics } from "../execution/mempool.ts";
import { databaseInstruments } from "./database-metrics.ts";
import { createThreadRegistry } from "./thread-metrics.ts";

const BLOCK_BUCKETS_SECONDS = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3];
const DEPTH_BUCKETS = [1, 2, 4, 8, 16, 32, 64];

export type ExecutionReadings = {
  readonly pool: MempoolStatistics;
  readonly waitingCalls: number;
};

/** @param directory of the execution database. */
export function createExecutionMetrics(directory: string) {
  const registry = createThreadRegistry("execution");
  const { databaseSize, onWritten } = databaseInstruments(registry);
  databaseSize("execution", join(directory, "data.mdb"));
  return { registry, onWritten, ...blockInstruments(registry), ...poolInstruments(registry) };
}

function blockInstruments(registry: Registry) {
  const registers = [registry];
  const stages = new Histogram({
    name: "jurat_block_execution_seconds",
    help: "Time to execute a block, by stage: its transactions; the new state with its tries.",
    labelNames: ["stage"],
    buckets: BLOCK_BUCKETS_SECONDS,
    registers,
  });
  const gas = new Counter({ name: "jurat_executed_gas_total", help: "Gas of executed blocks.", registers });
  const transactions = new Counter({
    name: "jurat_executed_transactions_total",
    help: "Transactions of executed blocks.",
    registers,
  });
  const reorgs = new Counter({
    name: "beacon_reorgs_total",
    help: "Times the head left its branch.",
    registers,
  });
  const depth = new Histogram({
    name: "jurat_reorg_depth_blocks",
    help: "Blocks that left the canonical chain at once.",
    buckets: DEPTH_BUCKETS,
    registers,
  });
  return {
    onExecuted(block: Parameters<BlockStopwatch["onExecuted"]>[0]): void {
      stages.observe({ stage: "transactions" }, block.transactionsMs / 1000);
      stages.observe({ stage: "state" }, block.stateMs / 1000);
      gas.inc(Number(block.gasUsed));
      transactions.inc(block.transactions);
    },
    onHead({ removed }: HeadChange): void {
      if (removed.length === 0) return;
      reorgs.inc();
      depth.observe(removed.length);
    },
  };
}

function poolInstruments(registry: Registry) {
  const registers = [registry];
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers });
  const pending = gauge("jurat_pending_transactions", "Executable transactions in the pool.");
  const queued = gauge("jurat_queued_transactions", "Transactions in the pool behind a nonce gap.");
  const bytes = gauge("jurat_mempool_bytes", "Bytes of the transactions in the pool.");
  const admitted = new Counter({
    name: "jurat_mempool_admitted_total",
    help: "Transactions the pool took, by where they came from.",
    labelNames: ["origin"],
    registers,
  });
  const dropped = new Counter({
    name: "jurat_mempool_dropped_total",
    help: "Transactions the pool refused or let go before they were mined, by reason.",
    labelNames: ["reason"],
    registers,
  });
  const waiting = new Gauge({
    name: "jurat_queue_length",
    help: "What waits, by queue.",
    labelNames: ["queue"],
    registers,
  });
  const readFrom = ({ pool, waitingCalls }: ExecutionReadings): void => {
    pending.set(pool.pending);
    queued.set(pool.queued);
    bytes.set(pool.bytes);
    waiting.set({ queue: "calls" }, waitingCalls);
  };
  return {
    /** Sets the gauges; called before each reading. */
    readFrom,
    onAdmitted: (origin: string): void => admitted.inc({ origin }),
    onDropped: (reason: string): void => dropped.inc({ reason }),
  };
}
