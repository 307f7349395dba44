/** The flags of JSON-RPC reach the server. Prose: ../rpc/limits.md. */
import { deepEqual, equal, throws } from "node:assert/strict";
import { Command } from "commander";
import { defaultCallWorkers } from "../../node/execution/call-workers.ts";
import { addRpcFlags, type RpcConfig, rpcOptionsOf } from "../../node/rpc-flags.ts";
import { DEFAULT_RPC_LIMITS } from "../../rpc/rpc-limits.ts";

function optionsOf(...flags: string[]) {
  const program = new Command().exitOverride().configureOutput({ writeErr: () => undefined });
  addRpcFlags(program);
  program.parse(flags, { from: "user" });
  return rpcOptionsOf(program.opts<RpcConfig>());
}

describe("flags of JSON-RPC", () => {
  it("have the defaults of the limits", () => {
    deepEqual(optionsOf(), {
      host: "127.0.0.1",
      port: 8545,
      virtualHosts: ["127.0.0.1", "localhost", "127.0.0.1"],
      corsOrigins: ["*"],
      limits: DEFAULT_RPC_LIMITS,
      callGasCap: 30_000_000,
      callTimeoutMs: 5000,
      callWorkers: defaultCallWorkers(),
      admin: false,
    });
  });

  it("change each limit they name", () => {
    const limited = optionsOf(
      ...["--rpc-body-bytes", "1000", "--rpc-batch-items", "3", "--rpc-answer-bytes", "4000"],
      ...["--rpc-log-blocks", "5", "--rpc-log-results", "6", "--rpc-filter-idle-ms", "7000"],
      ...["--rpc-web-sockets", "8", "--rpc-rate", "9", "--rpc-call-gas", "50000", "--rpc-call-ms", "100"],
      ...["--rpc-call-workers", "3", "--rpc-admin"],
      ...[
        "--rpc-cors-origins",
        "https://a.example",
        "https://b.example",
        "--rpc-virtual-hosts",
        "node.example",
      ],
    );
    const { limits, corsOrigins, virtualHosts, callGasCap, callTimeoutMs, callWorkers, admin } = limited;
    deepEqual(limits, {
      ...DEFAULT_RPC_LIMITS,
      bodyBytes: 1000,
      batchItems: 3,
      answerBytes: 4000,
      logBlocks: 5,
      logResults: 6,
      filterIdleMs: 7000,
      webSocketConnections: 8,
      requestsPerSecond: 9,
    });
    deepEqual(corsOrigins, ["https://a.example", "https://b.example"]);
    equal(virtualHosts.includes("node.example"), true);
    deepEqual([callGasCap, callTimeoutMs, callWorkers, admin], [50_000, 100, 3, true]);
  });

  it("refuse what is no whole number in range", () => {
    for (const value of ["0", "-1", "1.5", "many"]) throws(() => optionsOf("--rpc-batch-items", value));
    throws(() => optionsOf("--rpc-call-gas", "20999"));
  });
});
