import { deepEqual, equal } from "node:assert/strict";
import { containersOf, type SignedBeaconBlock } from "../../consensus/chain-containers.ts";
import { DEVNET_PARAMS } from "../../consensus/presets.ts";
import type { ConsensusState } from "../../consensus/state.ts";
import { createBlockCodec, parentOfStoredBlock, slotOfStoredBlock } from "../../node/chain/block-codec.ts";
import { createChain } from "../../node/chain/chain.ts";
import { executeWithAncestors, payloadOf } from "../../node/chain/execute-payload.ts";
import { batchVerdict } from "../../node/chain/gossip-events.ts";
import { createInOrder, gatherInOrder } from "../../node/chain/in-order.ts";
import { createStoreEffects } from "../../node/chain/store-effects.ts";
import type { ExecutionPort, PayloadToExecute } from "../../node/execution/port.ts";
import { createLog } from "../../node/log.ts";
import { ConsensusBlocks } from "../../node/storage/consensus-blocks.ts";
import type { Database } from "../../node/storage/database.ts";
import { type Hash, toHex, ZERO_HASH } from "../../primitives/bytes.ts";
import { createWorkbench, SLOT_MS, startEngine } from "../support/lone-engine.ts";
import { PoweredDatabase, PowerSupply } from "../support/power-supply.ts";

const containers = containersOf(DEVNET_PARAMS);
const codec = createBlockCodec(containers);

/** Blocks of slots 1 to n, each on the one before. */
function chainOf(length: number): { readonly root: Hash; readonly block: SignedBeaconBlock }[] {
  const chain: { readonly root: Hash; readonly block: SignedBeaconBlock }[] = [];
  for (let slot = 1; slot <= length; slot++) {
    const block = containers.SignedBeaconBlock.defaultValue();
    block.message.slot = slot;
    const parent = chain.at(-1);
    if (parent !== undefined)
      block.message.parentRoot = containers.BeaconBlock.hashTreeRoot(parent.block.message);
    block.message.body.executionPayload.blockNumber = slot;
    chain.push({ root: toHex(containers.BeaconBlock.hashTreeRoot(block.message)), block });
  }
  return chain;
}

describe("executing a payload", () => {
  const chain = chainOf(5);
  const blockByRoot = (root: Hash) => chain.find((entry) => entry.root === root)?.block;

  /** An execution side that has executed everything up to `number`. */
  function executionAt(number: number, invalid?: number) {
    const executed: number[] = [];
    let height = number;
    return {
      executed,
      async executePayload({ payload }: PayloadToExecute) {
        if (payload.blockNumber > height + 1) return { status: "syncing" } as const;
        if (payload.blockNumber === invalid) return { status: "invalid", reason: "gas used" } as const;
        height = Math.max(height, payload.blockNumber);
        executed.push(payload.blockNumber);
        return { status: "valid" } as const;
      },
    };
  }

  it("feeds the ancestors that the execution side missed, oldest first", async () => {
    const execution = executionAt(1);
    const verdict = await executeWithAncestors(execution, blockByRoot, payloadOf(chain[4]!.block));
    deepEqual(verdict, { status: "valid" });
    deepEqual(execution.executed, [2, 3, 4, 5]);
  });

  it("is invalid when an ancestor is", async () => {
    const execution = executionAt(1, 3);
    const verdict = await executeWithAncestors(execution, blockByRoot, payloadOf(chain[4]!.block));
    deepEqual(verdict, { status: "invalid", reason: "gas used" });
  });

  it("cannot be judged when an ancestor is not stored", async () => {
    const verdict = await executeWithAncestors(executionAt(0), () => undefined, payloadOf(chain[4]!.block));
    deepEqual(verdict, { status: "syncing" });
  });
});

describe("the chain", () => {
  it("handles what came before it started, and nothing once it stops", () => {
    const engine = startEngine(createWorkbench(4));
    const chain = createChain(engine);
    const reported: number[] = [];
    const tickAt = (slot: number) => chain.submit({ type: "tick", nowMs: slot * SLOT_MS });
    tickAt(1);
    chain.start((effect) => {
      if (effect.type === "slotSummary") reported.push(effect.summary.slot);
    });
    tickAt(2);
    const handled = [...reported];
    chain.stop();
    tickAt(3);
    deepEqual([handled.length > 0, reported, engine.store.nowSlot], [true, handled, 2]);
  });
});

describe("stored blocks", () => {
  it("tell their slot and parent without being decoded", () => {
    const [{ block } = { block: undefined }] = chainOf(1);
    block!.message.slot = 2 ** 40 + 5;
    block!.message.parentRoot = new Uint8Array(32).fill(7);
    equal(slotOfStoredBlock(codec.encode(block!)), 2 ** 40 + 5);
    equal(parentOfStoredBlock(codec.encode(block!)), `0x${"07".repeat(32)}`);
    deepEqual(codec.decode(codec.encode(block!)), block);
  });
});

describe("the ordered queue", () => {
  it("runs one task after the other", async () => {
    const seen: string[] = [];
    const queue = createInOrder((error) => seen.push(String(error)));
    queue.add(async () => {
      await Promise.resolve();
      seen.push("first");
    });
    queue.add(async () => void seen.push("second"));
    await queue.settled();
    deepEqual(seen, ["first", "second"]);
  });

  it("stops for good at a task that fails", async () => {
    const seen: string[] = [];
    const queue = createInOrder((error) => seen.push(String(error)));
    queue.add(() => Promise.reject(new Error("disk full")));
    queue.add(async () => void seen.push("never"));
    await queue.settled();
    deepEqual(seen, ["Error: disk full"]);
  });
});

describe("items gathered in the ordered queue", () => {
  it("share the turn of the first one, and what was added after it comes later", async () => {
    const seen: string[] = [];
    const queue = createInOrder((error) => seen.push(String(error)));
    const gather = gatherInOrder<number>(queue, async (items) => {
      await Promise.resolve();
      seen.push(`items ${items}`);
      if (items.length === 2) gather(3);
    });
    gather(1);
    queue.add(async () => void seen.push("task"));
    gather(2);
    await queue.settled();
    await queue.settled();
    deepEqual(seen, ["items 1,2", "task", "items 3"]);
  });
});

describe("what the engine wants on disk", () => {
  const [one, two] = chainOf(2) as [ReturnType<typeof chainOf>[0], ReturnType<typeof chainOf>[0]];
  const head = (of: typeof one, finalizedBlockHash = ZERO_HASH) =>
    ({
      ...{ type: "headChanged" as const, root: of.root, slot: of.block.message.slot, blockHash: of.root },
      ...{ safeBlockHash: ZERO_HASH, finalizedBlockHash },
    }) as const;
  const stored = ({ root, block }: typeof one) =>
    ({ type: "storeBlock", root, slot: block.message.slot, block }) as const;

  it("is one commit while it waits, flushed before the execution side hears of finality", async () => {
    const log: string[] = [];
    const power = new PowerSupply();
    const database = new PoweredDatabase(power);
    const told: Database = {
      table: (name) => database.table(name),
      write: (action) => database.write(action),
      commit: (action) => database.commit(action).finally(() => log.push("commit")),
      flushed: () => database.flushed().finally(() => log.push("flushed")),
      copyTo: () => database.copyTo(),
      refresh: () => database.refresh(),
      close: () => database.close(),
    };
    const blocks = new ConsensusBlocks(told);
    const inOrder = createInOrder((error) => log.push(String(error)));
    const store = createStoreEffects({
      ...{ blocks, codec, inOrder, submit: () => undefined, onHead: () => undefined },
      onFinalizedState: () => log.push("state"),
      log: createLog({ levels: { level: "error", modules: {} }, json: false }),
      execution: {
        setForkchoice: async ({ head: hash, finalized }) => {
          equal(blocks.get(hash) !== undefined, true);
          log.push(`head ${hash === two.root ? 2 : 1}, final ${finalized === one.root ? 1 : 0}`);
          return { status: "valid" };
        },
      } as Partial<ExecutionPort> as ExecutionPort,
    });
    const state = { serialize: () => new Uint8Array(8) } as ConsensusState;
    store(stored(one));
    store(head(one));
    store(stored(two));
    store({
      ...{ type: "finalized", checkpoint: { epoch: 1, root: one.root }, slot: 1, blockHash: one.root, state },
      ...{ canonicalRoots: [one.root], prunedRoots: [] },
    });
    store(head(two, one.root));
    await inOrder.settled();
    deepEqual(log, ["state", "commit", "flushed", "head 2, final 1"]);
    equal(blocks.finality()?.root, one.root);
    deepEqual(
      [...blocks.unfinalizedBlocks()].map(({ root }) => root),
      [two.root],
    );
    store(head(one));
    await inOrder.settled();
    deepEqual(log.slice(4), ["head 1, final 0"], "no commit for a head alone");
  });
});

describe("a batch of gossiped transactions", () => {
  it("is condemned by one bad member and forwarded for one new one", () => {
    equal(batchVerdict(["accept", "ignore", "reject"]), "reject");
    equal(batchVerdict(["ignore", "accept"]), "accept");
    equal(batchVerdict(["ignore"]), "ignore");
    equal(batchVerdict([]), "ignore");
  });
});
