/** Every method the specification has, answered as its schemas say. Prose: methods.md#the-interface-itself. */
import { deepEqual, equal } from "node:assert/strict";
import { fromHex, toHash, toHex } from "../../primitives/bytes.ts";
import { METHODS } from "../../rpc/method-table.ts";
import { accounts, signed } from "../support/execution-chain.ts";
import { COUNTER, LOGGER, REVERTER } from "../support/live-chain.ts";
import { OpenRpc } from "../support/openrpc.ts";
import { vectorsPath } from "../support/vectors.ts";
import { history } from "./block-history.ts";
import { withRpc } from "./rpc-fixture.ts";

const [ALICE, BOB] = [accounts[0]!, accounts[1]!];
const SLOT_ZERO = toHash(0n);

/** Of the specification, and not served: nothing here signs, builds for tests, or has block access lists. */
const NOT_SERVED = [
  ...["debug_getBadBlocks", "debug_getRawBlockAccessList", "eth_coinbase", "eth_getBlockAccessList"],
  ...["eth_sendTransaction", "eth_sign", "eth_signTransaction", "testing_buildBlockV1"],
];

const call = { from: ALICE, to: COUNTER, input: "0x01" };
const reverting = { from: ALICE, to: REVERTER };

/** Requests whose answers lie on the chain of block-history.ts, by method. */
const REQUESTS: { readonly [method: string]: readonly (readonly unknown[])[] } = {
  eth_chainId: [[]],
  eth_accounts: [[]],
  eth_blockNumber: [[]],
  eth_syncing: [[]],
  net_version: [[]],
  eth_config: [[]],
  eth_capabilities: [[]],
  eth_gasPrice: [[]],
  eth_maxPriorityFeePerGas: [[]],
  eth_baseFee: [[]],
  eth_blobBaseFee: [[]],
  eth_feeHistory: [
    ["0x3", "latest", [10, 50.5, 90]],
    ["0x1", "0x1"],
  ],
  eth_getBlockByNumber: [
    ["0x1", true],
    ["finalized", false],
    ["pending", true],
    ["0x63", false],
    ["earliest", true],
  ],
  eth_getBlockReceipts: [["0x1"], ["0x2"], ["0x63"]],
  eth_getBlockTransactionCountByNumber: [["latest"], ["0x63"]],
  eth_getTransactionByBlockNumberAndIndex: [
    ["0x1", "0x0"],
    ["0x1", "0x1"],
    ["0x2", "0x9"],
  ],
  eth_getBalance: [[ALICE], [ALICE, "0x1"]],
  eth_getTransactionCount: [
    [ALICE, "pending"],
    [BOB, "latest"],
  ],
  eth_getCode: [[LOGGER], [ALICE, "latest"]],
  eth_getStorageAt: [[COUNTER, "0x0", "latest"]],
  eth_getStorageValues: [[{ [COUNTER]: ["0x0"] }]],
  eth_getProof: [
    [COUNTER, ["0x0", SLOT_ZERO], "latest"],
    [`0x${"cc".repeat(20)}`, [], "latest"],
  ],
  eth_getLogs: [[{ fromBlock: "0x0", toBlock: "latest" }]],
  eth_call: [[call], [call, "0x1", { [COUNTER]: { stateDiff: { [SLOT_ZERO]: toHash(9n) } } }]],
  eth_estimateGas: [[call]],
  eth_createAccessList: [[call], [reverting]],
  eth_fillTransaction: [[call]],
  eth_simulateV1: [[{ blockStateCalls: [{ calls: [call, reverting] }, {}], returnFullTransactions: true }]],
  eth_newFilter: [[{}]],
  eth_newBlockFilter: [[]],
  eth_newPendingTransactionFilter: [[]],
  txpool_status: [[]],
  txpool_content: [[]],
  txpool_contentFrom: [[ALICE], [BOB]],
  debug_getRawHeader: [["0x1"]],
  debug_getRawBlock: [["0x1"]],
  debug_getRawReceipts: [["0x1"]],
  debug_traceBlockByNumber: [
    ["0x2"],
    ["0x1", { tracer: "callTracer" }],
    ["0x2", { tracer: "prestateTracer" }],
  ],
};

describe("conformance: the specification's schemas", () => {
  it("are met by an answer of every method", async function () {
    const specification = new OpenRpc(vectorsPath(this, "execution-apis", "openrpc.json"));
    await withRpc(async (fixture) => {
      const { blocks, first, second } = await history(fixture);
      const { ask, live } = fixture;
      const asked = new Set<string>();
      const check = async (method: string, ...params: unknown[]) => {
        asked.add(method);
        const result = await ask(method, ...params);
        equal(specification.problemOf(method, result), undefined, `${method} ${JSON.stringify(params)}`);
        return result;
      };
      const filters = [
        await check("eth_newFilter", {}),
        await check("eth_newBlockFilter"),
        await check("eth_newPendingTransactionFilter"),
      ];
      await check("eth_sendRawTransaction", toHex(signed(1, { to: LOGGER, gasLimit: 100_000n }).raw));
      await check("eth_sendRawTransaction", toHex(signed(1, { nonce: 7n, to: BOB }).raw));
      for (const [method, requests] of Object.entries(REQUESTS)) {
        for (const params of requests) await check(method, ...params);
      }
      for (const hash of [...blocks.map((block) => block.hash), SLOT_ZERO]) {
        await check("eth_getBlockByHash", hash, true);
        await check("eth_getBlockTransactionCountByHash", hash);
        await check("eth_getTransactionByBlockHashAndIndex", hash, "0x0");
      }
      await check("debug_traceBlockByHash", blocks[1]!.hash);
      for (const { hash } of [...first, ...second]) {
        await check("eth_getTransactionByHash", hash);
        await check("eth_getTransactionReceipt", hash);
        await check("debug_getRawTransaction", hash);
        await check("debug_traceTransaction", hash);
      }
      await live.mine();
      for (const filter of filters) await check("eth_getFilterChanges", filter);
      await check("eth_getFilterLogs", filters[0]);
      for (const filter of filters) await check("eth_uninstallFilter", filter);

      live.view.setConsensusStatus({ ...live.view.consensusStatus(), syncTargetSlot: 25 });
      await check("eth_syncing");
      const served = specification
        .names()
        .filter((name) => !name.startsWith("engine_") && !NOT_SERVED.includes(name));
      deepEqual(
        served.filter((name) => !asked.has(name)),
        [],
      );
      deepEqual(fixture.faults, []);
    });
  });

  it("know every method this node answers under eth_, net_, debug_ and txpool_, but for these", function () {
    const known = new OpenRpc(vectorsPath(this, "execution-apis", "openrpc.json")).names();
    const names = METHODS.map(({ name }) => name);
    const unknown = names.filter((name) => /^(eth|net|debug|txpool)_/.test(name) && !known.includes(name));
    deepEqual(unknown.toSorted(), [
      "debug_traceCall",
      // Older than the document, and asked for by web3, explorers and every WebSocket client; in geth.
      "eth_getRawTransactionByHash",
      ...["eth_getUncleByBlockHashAndIndex", "eth_getUncleByBlockNumberAndIndex"],
      ...["eth_getUncleCountByBlockHash", "eth_getUncleCountByBlockNumber"],
      ...["eth_sendRawTransactionSync", "eth_subscribe", "eth_unsubscribe"],
      ...["net_listening", "net_peerCount", "txpool_inspect"],
    ]);
    equal(new Set(names).size, names.length);
  });

  it("are given the list of EVM steps they ask for without a tracer: none, and true totals", async () => {
    await withRpc(async (fixture) => {
      const { second } = await history(fixture);
      const [, reverted, counted] = second;
      const traceOf = (hash: string) => fixture.ask("debug_traceTransaction", hash, {});
      const receipt = await fixture.ask("eth_getTransactionReceipt", counted!.hash);
      const gas = Number(receipt.gasUsed);
      const steps = { gas, failed: false, returnValue: toHex(fromHex(toHash(5n))), structLogs: [] };
      deepEqual(await traceOf(counted!.hash), steps);
      equal((await traceOf(reverted!.hash)).failed, true);
    });
  });
});
