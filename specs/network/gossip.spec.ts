/** Gossip between real nodes. See gossip.md */
import { deepEqual, equal } from "node:assert/strict";
import { closeAll, connect, meshed, startNode, type TestNode } from "./harness.ts";

describe("gossip", () => {
  afterEach(closeAll);

  it("reaches a node that is not connected to the sender, once it was accepted in between", async () => {
    // a - b - c
    const [a, b, c] = await line();
    await meshed([a, c], 1);
    await meshed([b], 2);
    const block = new Uint8Array(100_000).fill(7);
    equal(await a.network.publish("beacon_block", block), 1);
    const message = await c.gossip.first();
    deepEqual([message.topic, message.peer, message.data], ["beacon_block", b.id, block]);
  });
});

async function line(): Promise<[TestNode, TestNode, TestNode]> {
  const nodes: [TestNode, TestNode, TestNode] = [await startNode(), await startNode(), await startNode()];
  const [a, b, c] = nodes;
  await Promise.all([connect(a, b), connect(b, c)]);
  return nodes;
}
