/** The execution thread as a spec drives it: over its port, and over JSON-RPC. */
import { deepEqual } from "node:assert/strict";
import { DEVNET_PARAMS } from "../../consensus/presets.ts";
import { CALL_GAS_CAP } from "../../node/execution/call-tasks.ts";
import { CALL_TIMEOUT_MS } from "../../node/execution/call-worker-client.ts";
import type { ExecutionGenesis } from "../../node/execution/chain-states.ts";
import type { ExecutionUpcalls, PayloadToExecute } from "../../node/execution/port.ts";
import { type ExecutionThread, startExecution } from "../../node/execution/start-execution.ts";
import type { ExecutionWorkerOptions } from "../../node/execution/worker-options.ts";
import { EMPTY_BYTES, type Hash, toHex, ZERO_HASH } from "../../primitives/bytes.ts";
import { RpcError } from "../../rpc/rpc-errors.ts";
import { DEFAULT_RPC_LIMITS } from "../../rpc/rpc-limits.ts";
import { config, feeRecipient } from "../support/execution-chain.ts";
import { GENESIS } from "./execution-fixture.ts";

export function optionsFor(directory: string, rpcPort = 0): ExecutionWorkerOptions {
  return {
    directory,
    params: DEVNET_PARAMS,
    config,
    genesis: GENESIS,
    historyBlocks: 1000,
    clientVersion: "jurat/spec",
    explorer: false,
    addressIndex: false,
    rpc: {
      host: "127.0.0.1",
      port: rpcPort,
      virtualHosts: ["*"],
      corsOrigins: ["*"],
      limits: DEFAULT_RPC_LIMITS,
      callGasCap: CALL_GAS_CAP,
      callTimeoutMs: CALL_TIMEOUT_MS,
      admin: false,
      callWorkers: 1,
    },
    log: { levels: { level: "silent", modules: {} }, json: true },
  };
}

/** Fails the test when the thread says `fatal`. */
export const quiet: ExecutionUpcalls = {
  traceGossip: () => undefined,
  publishTransactions: () => undefined,
  ask: async () => ({ unavailable: "nobody is there" }),
  fatal: (message) => {
    throw new Error(`fatal: ${message}`);
  },
};

export async function ask(
  { rpcPort }: ExecutionThread,
  method: string,
  ...params: unknown[]
): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${rpcPort}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
  });
  const { result, error } = (await response.json()) as {
    result?: unknown;
    error?: { code: number; message: string };
  };
  if (error !== undefined) throw new RpcError(error.code, error.message);
  return result;
}

/** A thread on a chain of one's own, with other limits of calls. */
export function startQuietly(
  directory: string,
  { genesis, ...calls }: { readonly genesis: ExecutionGenesis; callGasCap: number; callTimeoutMs: number },
): Promise<ExecutionThread> {
  const options = optionsFor(directory);
  return startExecution({ ...options, genesis, rpc: { ...options.rpc, ...calls } }, quiet);
}

/** A block from the thread's pool on top of `parentHash`, imported and made the head. */
export async function propose({ port }: ExecutionThread, parentHash: Hash, timestamp: number): Promise<Hash> {
  const { payload, requests } = await port.buildPayload({
    parentHash,
    timestamp,
    prevRandao: ZERO_HASH,
    feeRecipient,
    withdrawals: [],
    parentBeaconBlockRoot: ZERO_HASH,
    gasLimitTarget: 30_000_000n,
    extraData: EMPTY_BYTES,
    budgetMs: 30_000,
  });
  const request: PayloadToExecute = { payload, requests, parentBeaconBlockRoot: ZERO_HASH };
  deepEqual(await port.executePayload(request), { status: "valid" });
  const head = toHex(payload.blockHash);
  const update = { head, safe: parentHash, finalized: parentHash };
  deepEqual(await port.setForkchoice(update), { status: "valid" });
  return head;
}
