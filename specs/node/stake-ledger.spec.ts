import { deepEqual, equal } from "node:assert/strict";
import { containersOf, type SignedBeaconBlock } from "../../consensus/chain-containers.ts";
import { createBlockCodec } from "../../node/chain/block-codec.ts";
import { ConsensusBlocks } from "../../node/storage/consensus-blocks.ts";
import { StakeLedger } from "../../node/storage/stake-ledger.ts";
import { type Hash, toHash } from "../../primitives/bytes.ts";
import { createWorkbench } from "../support/lone-engine.ts";
import { withScratchDatabase } from "../support/scratch-database.ts";
import { wholeChain, withRest } from "./rest-fixture.ts";

const bench = createWorkbench(4);
const containers = containersOf(bench.params);
const codec = createBlockCodec(containers);
const COIN = 10n ** 9n;

type Flow = {
  readonly slot: number;
  readonly paid?: readonly [number, bigint][];
  readonly put?: readonly bigint[];
};

/** A block of which only the flows of stake matter; deposits are for key 1. */
function blockOf({ slot, paid = [], put = [] }: Flow): SignedBeaconBlock {
  const block = containers.SignedBeaconBlock.defaultValue();
  block.message.slot = slot;
  const [pubkey, address] = [bench.publicKeys[1]!, new Uint8Array(20)];
  block.message.body.executionPayload.withdrawals = paid.map(([validatorIndex, amount], i) => ({
    ...{ index: i, validatorIndex, address, amount },
  }));
  block.message.body.executionRequests.deposits = put.map((amount, index) => ({
    ...{ pubkey, withdrawalCredentials: new Uint8Array(32), amount, signature: new Uint8Array(96), index },
  }));
  return block;
}

async function finalize(
  blocks: ConsensusBlocks,
  flows: readonly Flow[],
  ledger?: StakeLedger,
): Promise<void> {
  const stored = flows.map((flow) => ({
    slot: flow.slot,
    root: toHash(BigInt(flow.slot)),
    block: blockOf(flow),
  }));
  for (const { slot, root, block } of stored) {
    await blocks.record({ blocks: [{ root, slot, bytes: codec.encode(block) }] });
    ledger?.note(root as Hash, block);
  }
  const { slot, root } = stored.at(-1)!;
  await blocks.record({ finality: { checkpoint: { epoch: slot, root, slot }, canonical: stored } });
}

describe("the ledger of stakes", () => {
  it("adds up what final blocks moved, once each, over restarts and with or without notes", async () => {
    await withScratchDatabase("consensus", async (database) => {
      const blocks = new ConsensusBlocks(database);
      const first = new StakeLedger(database, blocks, codec.decode);
      equal(first.slot(), undefined);
      await first.begin(bench.genesis.state);
      const flowsOf = (ledger: StakeLedger) =>
        [0, 1].map((index) => ledger.flowsOf(index, bench.publicKeys[index]!));
      const stake = { baseBalance: 32n * COIN, deposited: 0n, withdrawn: 0n };
      deepEqual(flowsOf(first), [stake, stake]);

      await finalize(
        blocks,
        [
          {
            slot: 1,
            paid: [
              [0, 5n],
              [0, 6n],
            ],
          },
          { slot: 3, put: [COIN, 2n * COIN] },
        ],
        first,
      );
      await Promise.all([first.catchUp(), first.catchUp()]);
      const once = [
        { ...stake, withdrawn: 11n },
        { ...stake, deposited: 3n * COIN },
      ];
      deepEqual([first.slot(), flowsOf(first)], [3, once]);

      // Final while nobody listened: two hundred blocks, so that more than one reading is needed.
      const many = Array.from({ length: 200 }, (_, i): Flow => ({ slot: 4 + i, paid: [[0, 1n]] }));
      await finalize(blocks, many);
      const second = new StakeLedger(database, blocks, codec.decode);
      await second.begin(bench.genesis.state);
      await second.catchUp();
      deepEqual([second.slot(), flowsOf(second)], [203, [{ ...stake, withdrawn: 211n }, once[1]]]);
      deepEqual(second.flowsOf(9, new Uint8Array(48)), { ...stake, baseBalance: undefined });
    });
  });
});

describe("rewards over the beacon API", () => {
  it("are what is there and was paid out, less what was put in", async () => {
    await withRest(4, async (fixture) => {
      // Beyond the end of a period, whose votes are paid then.
      await fixture.grow(wholeChain(fixture.bench, 40).slice(1));
      const ask = async () => {
        for (;;) {
          const { status, body } = await fixture.get("/jurat/v1/rewards?id=0,1,2,3");
          if (status === 200)
            return body as { readonly slot: string; readonly data: readonly Record<string, unknown>[] };
        }
      };
      const { slot, data } = await ask();
      const balances = fixture.engine.states.entries.get(fixture.engine.settled.root)!.state.balances;
      equal(Number(slot), fixture.engine.blocks.get(fixture.engine.settled.root)?.slot);
      deepEqual(
        data.map(({ balance, earned, deposited, withdrawn }) => ({ balance, earned, deposited, withdrawn })),
        [0, 1, 2, 3].map((index) => ({
          balance: String(balances.get(index)),
          earned: String(balances.get(index) - 32n * COIN),
          ...{ deposited: String(32n * COIN), withdrawn: "0" },
        })),
      );
      const gained = data.map(({ earned }) => BigInt(earned as string));
      deepEqual(
        gained.map((amount) => amount > 0n),
        [true, true, true, true],
      );
      equal((await fixture.get("/jurat/v1/rewards?id=77")).status, 404);
    });
  });
});
