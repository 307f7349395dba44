/** Bytes that hash to what the chain says, and what a node tells of its rules. Prose: methods.md#raw-bytes, #network. */
import { deepEqual, equal } from "node:assert/strict";
import { fromHex, toHash, toHex } from "../../primitives/bytes.ts";
import { keccak256Hex } from "../../primitives/hash.ts";
import { decodeBlock } from "../../vm/block-codec.ts";
import { computeReceiptsRoot } from "../../vm/block-roots.ts";
import { encodeReceipt } from "../../vm/receipt.ts";
import { accounts, signed } from "../support/execution-chain.ts";
import { COUNTER, LOGGER } from "../support/live-chain.ts";
import { type RpcFixture, withRpc } from "./rpc-fixture.ts";

const ALICE = accounts[0]!;

async function history({ ask, live }: RpcFixture) {
  const sent = [
    signed(0, { to: LOGGER, gasLimit: 90_000n }),
    signed(0, { nonce: 1n, to: COUNTER, data: Uint8Array.of(9), gasLimit: 90_000n }),
  ];
  for (const { raw } of sent) await ask("eth_sendRawTransaction", toHex(raw));
  return { block: await live.mine(), sent };
}

describe("rpc methods: raw bytes", () => {
  it("hash to what the chain says", async () => {
    await withRpc(async (fixture) => {
      const { block, sent } = await history(fixture);
      const { ask, live } = fixture;
      for (const name of ["latest", "0x1", block.hash, { blockHash: block.hash }]) {
        equal(keccak256Hex(fromHex(await ask("debug_getRawHeader", name))), block.hash);
      }
      const whole = decodeBlock(fromHex(await ask("debug_getRawBlock", "0x1")));
      deepEqual(
        whole.transactions.map(toHex),
        sent.map(({ raw }) => toHex(raw)),
      );
      deepEqual(whole.withdrawals, block.withdrawals);
      equal(whole.header.receiptsRoot, computeReceiptsRoot(live.view.receipts(block.hash)!));
      const receipts = live.view.receipts(block.hash)!.map((receipt) => toHex(encodeReceipt(receipt)));
      deepEqual(await ask("debug_getRawReceipts", "0x1"), receipts);
      equal(receipts.length, 2);
    });
  });

  it("give a transaction, mined or waiting, by its hash", async () => {
    await withRpc(async (fixture) => {
      const { sent } = await history(fixture);
      const waiting = signed(1);
      await fixture.ask("eth_sendRawTransaction", toHex(waiting.raw));
      for (const name of ["eth_getRawTransactionByHash", "debug_getRawTransaction"]) {
        for (const { hash, raw } of [...sent, waiting]) equal(await fixture.ask(name, hash), toHex(raw));
        equal(await fixture.ask(name, toHash(1n)), "0x");
      }
    });
  });

  it("are refused for a block that is not there", async () => {
    await withRpc(async ({ refuse }) => {
      for (const name of ["debug_getRawHeader", "debug_getRawBlock", "debug_getRawReceipts"]) {
        deepEqual(await refuse(name, "0x63"), { code: -32000, message: "header not found" });
        equal((await refuse(name, "2")).code, -32602);
      }
    });
  });
});

describe("rpc methods: several accounts' storage", () => {
  it("comes in one answer, in the order it was asked for", async () => {
    await withRpc(async (fixture) => {
      await history(fixture);
      const slots = { [COUNTER]: ["0x1", "0x0"], [ALICE]: [toHash(0n)] };
      deepEqual(await fixture.ask("eth_getStorageValues", slots), {
        [COUNTER]: [toHash(0n), toHash(9n)],
        [ALICE]: [toHash(0n)],
      });
      deepEqual(await fixture.ask("eth_getStorageValues", { [COUNTER]: ["0x0"] }, "earliest"), {
        [COUNTER]: [toHash(0n)],
      });
      const many = Array.from({ length: 513 }, () => "0x0");
      const refusals: readonly (readonly [object, string])[] = [
        [{}, "empty request"],
        [{ [ALICE]: [] }, "empty request"],
        [{ [ALICE]: many, [COUNTER]: many }, "too many slots (max 1024)"],
      ];
      for (const [request, message] of refusals) {
        deepEqual(await fixture.refuse("eth_getStorageValues", request), { code: -32602, message });
      }
    });
  });
});

describe("rpc methods: the node's own facts", () => {
  it("name the rules in force, with nothing scheduled", async () => {
    await withRpc(async ({ ask }) => {
      const { current, next, last } = await ask("eth_config");
      deepEqual([next, last, current.chainId, current.activationTime], [null, null, "0x1092", 0]);
      deepEqual(current.precompiles, {
        BLAKE2F: `0x${"09".padStart(40, "0")}`,
        BN254_ADD: `0x${"06".padStart(40, "0")}`,
        BN254_MUL: `0x${"07".padStart(40, "0")}`,
        BN254_PAIRING: `0x${"08".padStart(40, "0")}`,
        ECREC: `0x${"01".padStart(40, "0")}`,
        SHA256: `0x${"02".padStart(40, "0")}`,
        RIPEMD160: `0x${"03".padStart(40, "0")}`,
        ID: `0x${"04".padStart(40, "0")}`,
        MODEXP: `0x${"05".padStart(40, "0")}`,
      });
      // This chain's genesis has none of them.
      deepEqual(current.systemContracts, {});
    });
  });

  it("tell from which block on there is what", async () => {
    await withRpc(async (fixture) => {
      const { block } = await history(fixture);
      const since = { disabled: false, oldestBlock: "0x0" };
      deepEqual(await fixture.ask("eth_capabilities"), {
        head: { number: "0x1", hash: block.hash },
        state: since,
        tx: since,
        logs: since,
        receipts: since,
        blocks: since,
        stateproofs: since,
      });
      equal(BigInt(await fixture.ask("eth_baseFee")), fixture.live.view.nextBaseFee());
      equal(await fixture.ask("eth_blobBaseFee"), "0x1");
    });
  });

  it("name the namespaces", async () => {
    await withRpc(async ({ ask }) => {
      const served = ["debug", "erigon", "eth", "jurat", "net", "ots", "rpc", "txpool", "web3"];
      deepEqual(await ask("rpc_modules"), Object.fromEntries(served.map((name) => [name, "1.0"])));
    });
  });
});
