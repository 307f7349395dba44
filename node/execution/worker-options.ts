/** What the execution thread is started with, and its first words: plain data. See specs/node/execution.md#the-thread. */
import type { ChainParams } from "../../consensus/params.ts";
import type { RpcLimits } from "../../rpc/rpc-limits.ts";
import type { ChainConfig } from "../../vm/chain-config.ts";
import type { LogOptions } from "../log.ts";
import type { StartFailure } from "../start-failure.ts";
import type { ExecutionGenesis } from "./chain-states.ts";

export type ExecutionWorkerOptions = {
  /** The execution database's own directory. */
  readonly directory: string;
  readonly params: ChainParams;
  readonly config: ChainConfig;
  readonly genesis: ExecutionGenesis;
  /** Blocks whose state stays readable below the finalized one; Infinity for an archive. */
  readonly historyBlocks: number;
  readonly clientVersion: string;
  readonly rpc: {
    readonly host: string;
    /** 0 takes a free port. */
    readonly port: number;
    readonly virtualHosts: readonly string[];
    readonly corsOrigins: readonly string[];
    readonly limits: RpcLimits;
    /** Gas and time a call may use. */
    readonly callGasCap: number;
    readonly callTimeoutMs: number;
    /** Threads that run calls. */
    readonly callWorkers: number;
    /** Whether admin_* is served. */
    readonly admin: boolean;
  };
  /** Whether the web page is served with JSON-RPC. */
  readonly explorer: boolean;
  /** Whether an index by account is kept up. */
  readonly addressIndex: boolean;
  readonly log: LogOptions;
  /** Where spans go, and by what name this node is told from others; undefined when nothing is traced. */
  readonly tracing?: { readonly url: string; readonly instance: string } | undefined;
};

/** Sent once, before anything else. */
export type WorkerGreeting =
  | { readonly type: "ready"; readonly rpcPort: number }
  | { readonly type: "failed"; readonly failure: StartFailure };
