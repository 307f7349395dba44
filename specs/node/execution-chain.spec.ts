import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { openDatabase } from "../../node/storage/database.ts";
import { type Hash, toHex, ZERO_HASH } from "../../primitives/bytes.ts";
import type { HeadChange } from "../../rpc/chain-view.ts";
import { LAYERS_IN_MEMORY_LIMIT } from "../../vm/state/layers.ts";
import { accounts } from "../support/execution-chain.ts";
import { SCRATCH_CHAIN, withScratchDatabase } from "../support/scratch-database.ts";
import { withScratchDirectory } from "../support/scratch-directory.ts";
import { askHash, type Fixture, fixtureOn, GENESIS, RECIPIENT, transferOf } from "./execution-fixture.ts";
import { hashOf } from "./model-state.ts";

const genesis = GENESIS.block.hash;
const growChain = fileURLToPath(new URL("./processes/grow-chain.js", import.meta.url));

async function withChain(body: (fixture: Fixture) => Promise<void>, historyBlocks?: number): Promise<void> {
  await withScratchDatabase("execution", (database) => body(fixtureOn(database, historyBlocks)));
}

/** Wei the recipient has in the state after `hash`; each block withdraws 2 Gwei to it. */
function received({ chain }: Fixture, hash: Hash): bigint | undefined {
  const state = chain.stateAt(hash);
  return state === undefined ? undefined : (state.account(RECIPIENT)?.balance ?? 0n) % 1_000_000_000n;
}

/** A chain of `length` blocks on `parentHash`, each with one transfer of one wei by account 0. */
async function grow({ extend }: Fixture, parentHash: Hash, length: number, nonce = 0): Promise<Hash[]> {
  const hashes: Hash[] = [];
  for (let i = 0; i < length; i++) {
    hashes.push(await extend(hashes.at(-1) ?? parentHash, [transferOf(0, nonce + i)]));
  }
  return hashes;
}

describe("execution chain: payloads", () => {
  it("builds what it then finds valid, and what it would find valid from anyone", async () => {
    await withChain(async (fixture) => {
      const transfers = [transferOf(0, 0), transferOf(1, 0), transferOf(0, 1)];
      const proposal = await fixture.build(genesis, transfers);
      equal(proposal.payload.transactions.length, 3);
      equal(proposal.built.tipsWei, 3n * 21_000n * 10n ** 9n);
      // Another chain has not built it, so it executes every transaction.
      await withChain(async (other) => {
        deepEqual(await other.port.executePayload(structuredClone(proposal)), { status: "valid" });
        equal(received(other, proposal.hash), 3n);
        deepEqual(other.chain.blocks.receipts(proposal.hash)?.length, 3);
        deepEqual(
          other.chain.blocks.get(proposal.hash)?.transactions.map(({ sender }) => sender),
          [accounts[0], accounts[1], accounts[0]],
        );
      });
      deepEqual(await fixture.port.executePayload(proposal), { status: "valid" });
      deepEqual(await fixture.port.executePayload(proposal), { status: "valid" });
    });
  });

  it("imports a block once when it comes twice at the same time", async () => {
    await withChain(async (fixture) => {
      const proposal = await fixture.build(genesis, [transferOf(0, 0)]);
      const layers: Hash[] = [];
      fixture.chain.subscribe({ onLayer: ({ blockHash }) => layers.push(blockHash) });
      const verdicts = [fixture.port.executePayload(proposal), fixture.port.executePayload(proposal)];
      deepEqual(await Promise.all(verdicts), [{ status: "valid" }, { status: "valid" }]);
      deepEqual(layers, [proposal.hash]);
    });
  });

  it("lets a block go whose branch finality leaves behind while it is being stored", async () => {
    await withChain(async (fixture) => {
      const { chain, port, build, extend } = fixture;
      const abandoned = await build(await extend(genesis, [], 1));
      const a1 = await extend(genesis);
      const verdict = port.executePayload(abandoned);
      await port.setForkchoice({ head: a1, safe: a1, finalized: a1 });
      deepEqual(await verdict, { status: "valid" });
      equal(chain.isExecuted(abandoned.hash), false);
      await extend(a1);
    });
  });

  it("says invalid, with a reason, and keeps nothing, when the block is not what it claims", async () => {
    await withChain(async (fixture) => {
      const { payload, ...rest } = await fixture.build(genesis, [transferOf(0, 0)]);
      const blockHash = new Uint8Array(32).fill(7);
      for (const change of [{ gasUsed: 1n }, { transactions: [] }, { withdrawals: [] }, { blockNumber: 2 }]) {
        const broken = { ...payload, ...change, blockHash };
        const verdict = await fixture.port.executePayload({ ...rest, payload: broken });
        ok(verdict.status === "invalid");
        match(verdict.reason, /^PAYLOAD_HASH_MISMATCH/);
        equal(fixture.chain.isExecuted(toHex(blockHash)), false);
      }
      deepEqual(fixture.chain.blocks.unfinalized(), []);
    });
  });

  it("says invalid when execution does not lead to the header, even when the hash is right", async () => {
    await withChain(async (fixture) => {
      const { payload, ...rest } = await fixture.build(genesis, [transferOf(0, 0)]);
      const broken = { ...payload, stateRoot: new Uint8Array(32).fill(1) };
      const first = await fixture.port.executePayload({ ...rest, payload: broken });
      // The refusal names the hash that the altered header has; state that one.
      ok(first.status === "invalid");
      const actual = /actual=0x([0-9a-f]{64})/.exec(first.reason)?.[1] ?? "";
      const blockHash = Uint8Array.from(Buffer.from(actual, "hex"));
      const verdict = await fixture.port.executePayload({ ...rest, payload: { ...broken, blockHash } });
      ok(verdict.status === "invalid");
      match(verdict.reason, /^BLOCK_WRONG_FIELD field=stateRoot/);
      equal(fixture.chain.isExecuted(toHex(blockHash)), false);
    });
  });

  it("says invalid for a transaction nobody can read", async () => {
    await withChain(async (fixture) => {
      const { payload, ...rest } = await fixture.build(genesis);
      const broken = { ...payload, transactions: [Uint8Array.of(2, 0xc0)] };
      const first = await fixture.port.executePayload({ ...rest, payload: broken });
      ok(first.status === "invalid");
      const actual = /actual=0x([0-9a-f]{64})/.exec(first.reason)?.[1] ?? "";
      const blockHash = Uint8Array.from(Buffer.from(actual, "hex"));
      const verdict = await fixture.port.executePayload({ ...rest, payload: { ...broken, blockHash } });
      ok(verdict.status === "invalid");
      match(verdict.reason, /^PAYLOAD_TRANSACTION_UNREADABLE index=0/);
    });
  });

  it("says syncing when the parent is unknown, and refuses to build on it", async () => {
    await withChain(async (fixture) => {
      const parent = await fixture.build(genesis);
      await withChain(async (builder) => {
        await builder.port.executePayload(parent);
        const child = await builder.build(parent.hash);
        deepEqual(await fixture.port.executePayload(child), { status: "syncing" });
        const update = { head: child.hash, safe: genesis, finalized: genesis };
        deepEqual(await fixture.port.setForkchoice(update), { status: "syncing" });
        equal(fixture.chain.head().hash, genesis);
      });
      const attributes = {
        parentHash: hashOf(99),
        timestamp: 1_800_000_000,
        prevRandao: ZERO_HASH,
        feeRecipient: RECIPIENT,
        withdrawals: [],
        parentBeaconBlockRoot: ZERO_HASH,
        gasLimitTarget: 30_000_000n,
        extraData: new Uint8Array(0),
        budgetMs: 100,
      } as const;
      await rejects(fixture.port.buildPayload(attributes), { name: "PortError", message: /^PARENT_UNKNOWN/ });
    });
  });
});

describe("execution chain: fork choice", () => {
  it("moves the canonical chain between branches and says what left it and what joined", async () => {
    await withChain(async (fixture) => {
      // genesis - a1 (0:0) - a2 (0:1)
      //         \ b1 (1:0) - b2 (0:0) - b3
      const { chain, port, extend } = fixture;
      const a1 = await extend(genesis, [transferOf(0, 0)]);
      const a2 = await extend(a1, [transferOf(0, 1)]);
      const b1 = await extend(genesis, [transferOf(1, 0)], 1);
      const b2 = await extend(b1, [transferOf(0, 0)]);
      const b3 = await extend(b2);
      const changes: Hash[][][] = [];
      const hashes = (blocks: HeadChange["added"]) => blocks.map(({ hash }) => hash);
      chain.subscribe({ onHead: ({ removed, added }) => changes.push([hashes(removed), hashes(added)]) });

      const move = (head: Hash) => port.setForkchoice({ head, safe: ZERO_HASH, finalized: ZERO_HASH });
      for (const head of [a2, b3, b3, a1]) deepEqual(await move(head), { status: "valid" });
      deepEqual(changes, [
        [[], [a1, a2]],
        [
          [a2, a1],
          [b1, b2, b3],
        ],
        [[b3, b2, b1], [a1]],
      ]);
      equal(chain.head().hash, a1);
      equal(chain.blocks.canonicalHash(2), undefined);
      equal(chain.isCanonical(b1), false);
      deepEqual(chain.blocks.transaction(transferOf(0, 0).hash), { blockHash: a1, index: 0 });
      equal(chain.blocks.transaction(transferOf(1, 0).hash), undefined);
      // Both branches keep their states.
      equal(chain.stateAt(a2)?.account(accounts[0]!)?.nonce, 2n);
      equal(chain.stateAt(b3)?.account(accounts[0]!)?.nonce, 1n);
    });
  });

  it("merges what is final, drops the branches that lost, and remembers the states before", async () => {
    await withChain(async (fixture) => {
      const { chain, port, extend } = fixture;
      const canonical = await grow(fixture, genesis, 4);
      const [first, , third, head] = canonical as [Hash, Hash, Hash, Hash];
      const abandoned = await extend(first, [transferOf(1, 0)], 1);
      await port.setForkchoice({ head, safe: third, finalized: third });

      deepEqual(chain.merged(), { number: 3, hash: third });
      equal(chain.finalized().hash, third);
      equal(chain.safe().hash, third);
      equal(chain.stateAt(abandoned), undefined);
      equal(chain.blocks.get(abandoned), undefined);
      deepEqual(
        [genesis, ...canonical].map((hash) => received(fixture, hash)),
        [0n, 1n, 2n, 3n, 4n],
      );
      deepEqual(await port.progress(), {
        finalized: { number: 3, hash: third },
        head: { number: 4, hash: head },
      });
    });
  });

  it("says undefined for a state below the history window", async () => {
    await withChain(async (fixture) => {
      const canonical = await grow(fixture, genesis, 4);
      const head = canonical[3]!;
      await fixture.port.setForkchoice({ head, safe: head, finalized: head });
      equal(fixture.chain.oldestState(), 3);
      deepEqual(
        canonical.map((hash) => received(fixture, hash)),
        [undefined, undefined, 3n, 4n],
      );
    }, 1);
  });

  it("tells contracts the hashes of their own branch's ancestors, canonical or not", async () => {
    await withChain(async ({ chain, extend, port }) => {
      // genesis - a1 - a2
      //         \ b1 - b2 - b3 asks for the hashes of blocks 0, 1 and 2
      const a1 = await extend(genesis);
      const a2 = await extend(a1);
      const b1 = await extend(genesis, [], 1);
      const b2 = await extend(b1, [], 1);
      await port.setForkchoice({ head: a2, safe: genesis, finalized: genesis });
      const b3 = await extend(b2, [askHash(0, 0, 0), askHash(0, 1, 1), askHash(0, 2, 2)]);
      const logs = chain.blocks.receipts(b3)?.flatMap((receipt) => receipt.logs) ?? [];
      deepEqual(
        logs.map(({ data }) => toHex(data)),
        [genesis, b1, b2],
      );
    });
  });
});

describe("execution chain: restart", () => {
  it("stands where it stood: head, unfinalized branches, and states on both sides of finality", async () => {
    await withScratchDatabase("execution", async (database, options) => {
      const before = fixtureOn(database);
      const canonical = await grow(before, genesis, 5);
      const side = await before.extend(canonical[2]!, [transferOf(2, 0)], 1);
      const update = { head: canonical[4]!, safe: canonical[2]!, finalized: canonical[1]! };
      await before.port.setForkchoice(update);
      const states = [genesis, ...canonical, side].map((hash) => received(before, hash));
      await before.port.stop();

      const again = await openDatabase(options);
      const after = fixtureOn(again);
      equal(after.chain.head().hash, update.head);
      equal(after.chain.safe().hash, update.safe);
      equal(after.chain.finalized().hash, update.finalized);
      deepEqual(
        [genesis, ...canonical, side].map((hash) => received(after, hash)),
        states,
      );
      await after.extend(update.head, [transferOf(0, 5)]);
      await again.close();
    });
  });

  it("works on when finality stalls beyond the layers memory holds, over a restart, and merges them in steps", async () => {
    await withScratchDatabase("execution", async (database, options) => {
      const before = fixtureOn(database);
      const length = 2 * LAYERS_IN_MEMORY_LIMIT + 10;
      const canonical = await grow(before, genesis, length);
      const head = canonical[length - 1]!;
      await before.port.setForkchoice({ head, safe: genesis, finalized: genesis });
      await before.port.stop();

      const again = await openDatabase(options);
      const after = fixtureOn(again);
      for (const [index, hash] of canonical.entries()) equal(received(after, hash), BigInt(index + 1));

      const merged: number[] = [];
      for (let i = 0; i < 4; i++) {
        await after.port.setForkchoice({ head, safe: head, finalized: head });
        merged.push(after.chain.merged().number);
      }
      deepEqual(merged, [64, 128, length, length]);
      equal(after.chain.finalized().hash, head);
      for (const [index, hash] of canonical.entries()) equal(received(after, hash), BigInt(index + 1));
      deepEqual([...again.table("spilled-layers").range({})], []);
      deepEqual([...again.table("spilled-values").range({})], []);
      await again.close();
    });
  });

  it("has everything it reported when it is killed while importing, and goes on", async () => {
    await withScratchDirectory(async (directory) => {
      const child = spawn(process.execPath, [growChain, directory], { stdio: ["ignore", "pipe", "inherit"] });
      const exited = once(child, "exit");
      let reported = "";
      let count = 0;
      for await (const line of createInterface({ input: child.stdout })) {
        reported = line;
        if (++count >= 12 && !child.killed) child.kill("SIGKILL");
      }
      deepEqual(await exited, [null, "SIGKILL"]);

      const database = await openDatabase({ directory, role: "execution", chain: SCRATCH_CHAIN });
      const fixture = fixtureOn(database);
      const { chain } = fixture;
      const block = chain.blocks.get(reported as Hash);
      ok(block !== undefined && chain.isCanonical(block.hash));
      ok(chain.head().header.number >= block.header.number);
      equal(chain.merged().number, chain.head().header.number - 2);
      for (let number = 0; number <= chain.head().header.number; number++) {
        equal(received(fixture, chain.blocks.canonicalHash(number)!), BigInt(number));
      }
      await grow(fixture, chain.head().hash, 3, chain.head().header.number);
      await database.close();
    });
  });
});
