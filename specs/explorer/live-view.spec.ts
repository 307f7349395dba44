import { deepEqual, equal, ok } from "node:assert/strict";
import type { Engine } from "../../consensus/engine-state.ts";
import { createLiveView } from "../../node/chain/live-view.ts";
import { LIVE_BLOCKS_LIMIT, LIVE_VOTE_SLOTS, type LivePicture } from "../../rpc/live-picture.ts";
import { SocketClient, withServer } from "../rpc/server-fixture.ts";
import {
  createWorkbench,
  importAll,
  makeBlock,
  ofType,
  receiveVotes,
  settle,
  signVote,
  startEngine,
  tick,
  voteData,
  votedChain,
} from "../support/lone-engine.ts";

const bench = createWorkbench(4);

/** Runs a chain through an engine, slot by slot; `voters` vote for each block. Gives the picture of every slot. */
function picturesOf(slots: number, voters: readonly number[]): { pictures: LivePicture[]; engine: Engine } {
  const engine = startEngine(bench, { localValidators: [2] });
  const view = createLiveView(engine);
  const pictures: LivePicture[] = [];
  const chain = votedChain(bench, [bench.genesis, makeBlock(bench, bench.genesis, 1)], slots);
  for (const block of chain.slice(1)) {
    const { slot } = block.signed.message;
    const ended = ofType(tick(engine, slot), "slotSummary");
    for (const { summary } of ended) pictures.push(view.onSlot(summary, 3));
    importAll(engine, [block]);
    const votes = voters.map((voter) => signVote(bench, voteData(bench, block, slot), voter));
    tick(engine, slot, 600);
    settle(engine, receiveVotes(engine, votes));
  }
  for (const { summary } of ofType(tick(engine, slots + 1), "slotSummary"))
    pictures.push(view.onSlot(summary, 3));
  return { pictures, engine };
}

describe("the explorer's picture", () => {
  it("has the blocks, the checkpoints and who voted", () => {
    const { pictures, engine } = picturesOf(6, [0, 1, 3]);
    const last = pictures.at(-1)!;
    equal(last.slot, 6);
    equal(last.headRoot, engine.store.headRoot);
    deepEqual(last.finalized, engine.store.finalized);
    deepEqual([last.activeValidators, last.voters, last.peers, last.validatorCount], [4, 3, 3, 4]);
    deepEqual(
      last.blocks.map(({ slot }) => slot),
      [0, 1, 2, 3, 4, 5, 6],
    );
    ok(last.blocks.slice(1).every(({ parentRoot }, index) => parentRoot === last.blocks[index]!.root));
    deepEqual(
      last.validators.map(({ status, isLocal, votes }) => [status, isLocal, votes.slice(-3)]),
      [
        ["active", false, "111"],
        ["active", false, "111"],
        ["active", true, "000"],
        ["active", false, "111"],
      ],
    );
  });

  it("keeps blocks that finality has pruned, and a bounded number of them and of votes", () => {
    const { pictures, engine } = picturesOf(LIVE_BLOCKS_LIMIT + 20, [0, 1, 2, 3]);
    const last = pictures.at(-1)!;
    ok(engine.blocks.size < 10);
    equal(last.blocks.length, LIVE_BLOCKS_LIMIT);
    equal(last.blocks.at(-1)!.slot, LIVE_BLOCKS_LIMIT + 20);
    ok(last.validators.every(({ votes }) => votes === "1".repeat(LIVE_VOTE_SLOTS)));
  });

  it("shows a fork", () => {
    const engine = startEngine(bench);
    const view = createLiveView(engine);
    tick(engine, 2);
    importAll(engine, [makeBlock(bench, bench.genesis, 1), makeBlock(bench, bench.genesis, 2)]);
    const [ended] = ofType(tick(engine, 3), "slotSummary");
    const { blocks } = view.onSlot(ended!.summary, 0);
    deepEqual(
      blocks.map(({ slot, parentRoot }) => [slot, parentRoot === bench.genesis.root]),
      [
        [0, false],
        [1, true],
        [2, true],
      ],
    );
  });

  it("is answered by jurat_live and sent to whoever subscribed, and is null where nobody draws", () =>
    withServer(async ({ live, webSocketUrl }) => {
      const client = await SocketClient.open(webSocketUrl);
      equal((await client.request("jurat_live")).result, null);
      const { result: subscription } = await client.request("eth_subscribe", "juratLive");
      const picture = picturesOf(3, [0]).pictures.at(-1)!;
      live.view.setLivePicture(picture);
      deepEqual((await client.next()).params, { subscription, result: JSON.parse(JSON.stringify(picture)) });
      deepEqual((await client.request("jurat_live")).result, JSON.parse(JSON.stringify(picture)));
      client.close();
    }));
});
