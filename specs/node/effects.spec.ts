import { deepEqual, equal } from "node:assert/strict";
import { containersOf, type SignedBeaconBlock } from "../../consensus/chain-containers.ts";
import { DEVNET_PARAMS } from "../../consensus/presets.ts";
import { createBlockCodec, parentOfStoredBlock, slotOfStoredBlock } from "../../node/chain/block-codec.ts";
import { createChain } from "../../node/chain/chain.ts";
import { executeWithAncestors, payloadOf } from "../../node/chain/execute-payload.ts";
import { batchVerdict } from "../../node/chain/gossip-events.ts";
import { createInOrder } from "../../node/chain/in-order.ts";
import type { PayloadToExecute } from "../../node/execution/port.ts";
import { type Hash, toHex } from "../../primitives/bytes.ts";
import { createWorkbench, SLOT_MS, startEngine } from "../support/lone-engine.ts";

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

describe("a batch of gossiped transactions", () => {
  it("is condemned by one bad member and forwarded for one new one", () => {
    equal(batchVerdict(["accept", "ignore", "reject"]), "reject");
    equal(batchVerdict(["ignore", "accept"]), "accept");
    equal(batchVerdict(["ignore"]), "ignore");
    equal(batchVerdict([]), "ignore");
  });
});
