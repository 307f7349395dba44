/** The flags of `jurat run` that bound what JSON-RPC clients can make the node spend. See specs/rpc/limits.md. */
import type { Command } from "commander";
import { DEFAULT_RPC_LIMITS, type RpcLimits } from "../rpc/rpc-limits.ts";
import { CALL_GAS_CAP } from "./execution/call-tasks.ts";
import { CALL_TIMEOUT_MS } from "./execution/call-worker-client.ts";
import { defaultCallWorkers } from "./execution/call-workers.ts";
import type { ExecutionWorkerOptions } from "./execution/worker-options.ts";
import { wholeNumber } from "./whole-number.ts";

export type RpcConfig = {
  readonly rpcHost: string;
  readonly rpcPort: number;
  readonly rpcCorsOrigins: readonly string[];
  readonly rpcVirtualHosts: readonly string[];
  readonly rpcBodyBytes: number;
  readonly rpcBatchItems: number;
  readonly rpcAnswerBytes: number;
  readonly rpcCallGas: number;
  readonly rpcCallMs: number;
  /** Undefined: as many as the machine has cores for. */
  readonly rpcCallWorkers?: number;
  readonly rpcLogBlocks: number;
  readonly rpcLogResults: number;
  readonly rpcFilterIdleMs: number;
  readonly rpcWebSockets: number;
  /** Undefined: no limit. */
  readonly rpcRate?: number;
  readonly rpcAdmin: boolean;
};

const D = DEFAULT_RPC_LIMITS;
const MAXIMUM = 2 ** 40;
const counted = wholeNumber(1, MAXIMUM);
const milliseconds = wholeNumber(1, 24 * 60 * 60 * 1000);

export function addRpcFlags(run: Command): void {
  run
    .option("--rpc-host <host>", "JSON-RPC address", "127.0.0.1")
    .option("--rpc-port <port>", "JSON-RPC port, HTTP and WebSocket", wholeNumber(0, 65_535), 8545)
    .option("--rpc-cors-origins <origins...>", "whose pages may read answers; * is everyone", ["*"])
    .option("--rpc-virtual-hosts <names...>", "host names to answer to besides localhost; * is any", [])
    .option("--rpc-body-bytes <bytes>", "longest request", counted, D.bodyBytes)
    .option("--rpc-batch-items <count>", "most members of a batch", counted, D.batchItems)
    .option("--rpc-answer-bytes <bytes>", "longest answer to a request or batch", counted, D.answerBytes)
    .option("--rpc-call-gas <gas>", "most gas of a call", wholeNumber(21_000, MAXIMUM), CALL_GAS_CAP)
    .option("--rpc-call-ms <ms>", "longest time of a call or log query", milliseconds, CALL_TIMEOUT_MS)
    .option("--rpc-call-workers <count>", "threads for calls; by cores without it", wholeNumber(1, 64))
    .option("--rpc-log-blocks <count>", "widest range of eth_getLogs", counted, D.logBlocks)
    .option("--rpc-log-results <count>", "most logs in an answer", counted, D.logResults)
    .option("--rpc-filter-idle-ms <ms>", "after which an unused filter is gone", milliseconds, D.filterIdleMs)
    .option("--rpc-web-sockets <count>", "WebSocket connections at once", counted, D.webSocketConnections)
    .option("--rpc-rate <count>", "requests per second and connection; no limit without it", counted)
    .option("--rpc-admin", "serve admin_* (peers, nodeInfo, addPeer) to everyone who may ask", false);
}

export function rpcOptionsOf(config: RpcConfig): ExecutionWorkerOptions["rpc"] {
  const limits: RpcLimits = {
    ...D,
    bodyBytes: config.rpcBodyBytes,
    batchItems: config.rpcBatchItems,
    answerBytes: config.rpcAnswerBytes,
    logBlocks: config.rpcLogBlocks,
    logResults: config.rpcLogResults,
    filterIdleMs: config.rpcFilterIdleMs,
    webSocketConnections: config.rpcWebSockets,
    requestsPerSecond: config.rpcRate ?? Number.POSITIVE_INFINITY,
    // One full answer must never cut its reader, so there is always as much room beyond it.
    socketBufferBytes: D.socketBufferBytes + Math.max(0, config.rpcAnswerBytes - D.answerBytes),
  };
  return {
    host: config.rpcHost,
    port: config.rpcPort,
    virtualHosts: [config.rpcHost, "localhost", "127.0.0.1", ...config.rpcVirtualHosts],
    corsOrigins: config.rpcCorsOrigins,
    limits,
    callGasCap: config.rpcCallGas,
    callTimeoutMs: config.rpcCallMs,
    callWorkers: config.rpcCallWorkers ?? defaultCallWorkers(),
    admin: config.rpcAdmin,
  };
}
