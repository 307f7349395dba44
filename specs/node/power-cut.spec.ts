import { deepEqual, equal, notEqual, ok, rejects } from "node:assert/strict";
import { ConsensusBlocks } from "../../node/storage/consensus-blocks.ts";
import { SlashingProtection } from "../../node/storage/slashing-protection.ts";
import { verifyStoredState } from "../../node/storage/verify-state.ts";
import { type Hash, utf8ToBytes } from "../../primitives/bytes.ts";
import { PowerCutError, PoweredDatabase, PowerSupply } from "../support/power-supply.ts";
import { fixtureOn, GENESIS, type Proposal, transferOf } from "./execution-fixture.ts";
import { hashOf } from "./model-state.ts";

const SLOTS = 7;
/** Slots between a block and its finality. */
const LAG = 2;
const publicKey = `0x${"c0".repeat(48)}` as const;

type Disks = {
  readonly consensus: PoweredDatabase;
  readonly execution: PoweredDatabase;
  readonly validator: PoweredDatabase;
};

/** What left the node: no power cut takes it back. */
type Published = {
  readonly votes: number[];
  readonly blocks: number[];
  /** What the node wants to sign in every slot: another thing in each life. */
  readonly wanted: Hash;
};

const beaconRoot = (slot: number): Hash => hashOf(1000 + slot);
const beaconBlock = (slot: number) => ({ root: beaconRoot(slot), slot, bytes: utf8ToBytes(`block ${slot}`) });
const hashAt = (chain: readonly Proposal[], slot: number): Hash =>
  chain[slot - 1]?.hash ?? GENESIS.block.hash;

function disksOn(
  power: PowerSupply,
  [consensus, execution, validator]: readonly ReturnType<PoweredDatabase["survivors"]>[number][] = [],
): Disks {
  return {
    consensus: new PoweredDatabase(power, consensus),
    execution: new PoweredDatabase(power, execution),
    validator: new PoweredDatabase(power, validator),
  };
}

/** One execution chain for the life of its disk: a chain has one writer. */
const executions = new WeakMap<PoweredDatabase, ReturnType<typeof fixtureOn>>();

function executionOf({ execution }: Disks): ReturnType<typeof fixtureOn> {
  const running = executions.get(execution) ?? fixtureOn(execution);
  executions.set(execution, running);
  return running;
}

/** One block a slot, each with a transfer, as a network that is never cut off makes them. */
async function wholeChain(): Promise<readonly Proposal[]> {
  const { build, port } = fixtureOn(new PoweredDatabase(new PowerSupply()));
  const chain: Proposal[] = [];
  for (let slot = 1; slot <= SLOTS; slot++) {
    const proposal = await build(hashAt(chain, slot - 1), [transferOf(0, slot - 1)]);
    await port.executePayload(proposal);
    chain.push(proposal);
  }
  return chain;
}

/** A node's life from slot `first` on: in each slot it signs, stores, executes and finalizes, in the node's order. */
async function live(
  disks: Disks,
  chain: readonly Proposal[],
  first: number,
  published: Published,
): Promise<void> {
  const { port } = executionOf(disks);
  const blocks = new ConsensusBlocks(disks.consensus);
  const protection = new SlashingProtection(disks.validator);
  for (let slot = first; slot <= SLOTS; slot++) {
    const proposal = { publicKey, slot, signingRoot: published.wanted };
    if ((await protection.checkAndInsertBlock(proposal)) === undefined) published.blocks.push(slot);
    await blocks.record({ blocks: [beaconBlock(slot)] });
    equal((await port.executePayload(chain[slot - 1]!)).status, "valid");
    const vote = { publicKey, sourceEpoch: slot - 1, targetEpoch: slot, signingRoot: published.wanted };
    const [refusal] = await protection.checkAndInsertAttestations([vote]);
    if (refusal === undefined) published.votes.push(slot);
    await moveTo(slot, disks, chain);
  }
}

/** The head is at `slot`: finality that this brings goes on record first, then the execution side hears of both. */
async function moveTo(slot: number, disks: Disks, chain: readonly Proposal[]): Promise<void> {
  const blocks = new ConsensusBlocks(disks.consensus);
  const before = blocks.finality()?.slot ?? 0;
  const final = Math.max(before, slot - LAG);
  if (final > before) {
    const canonical = Array.from({ length: final - before }, (_, index) => beaconBlock(before + 1 + index));
    const checkpoint = { epoch: final, root: beaconRoot(final), slot: final };
    await blocks.record({ finality: { checkpoint, canonical } });
  }
  const [head, finalized] = [hashAt(chain, slot), hashAt(chain, final)];
  await executionOf(disks).port.setForkchoice({ head, safe: finalized, finalized });
}

/** What must hold of the disks by themselves, before anything is fetched. */
function mustBeWhole(disks: Disks, published: Published): void {
  const { consensus, execution, validator } = disks;
  const { chain } = executionOf(disks);
  const blocks = new ConsensusBlocks(consensus);
  deepEqual(verifyStoredState(execution), []);
  const finality = blocks.finality();
  ok(chain.merged().number <= (finality?.slot ?? 0), "the execution side does not lead");
  const final = [...blocks.finalizedBlocks(1, SLOTS)];
  deepEqual(
    final,
    Array.from({ length: finality?.slot ?? 0 }, (_, index) => beaconBlock(index + 1)),
  );
  for (const { slot, bytes } of blocks.unfinalizedBlocks()) deepEqual(bytes, beaconBlock(slot).bytes);

  const protection = new SlashingProtection(validator);
  ok((protection.attestationWatermark(publicKey)?.targetEpoch ?? -1) >= Math.max(-1, ...published.votes));
  ok((protection.blockWatermark(publicKey)?.slot ?? -1) >= Math.max(-1, ...published.blocks));
}

/** The execution side is sent what it lacks from the consensus store, then the node lives on to the end. */
async function mustGoOn(disks: Disks, chain: readonly Proposal[], published: Published): Promise<void> {
  const blocks = new ConsensusBlocks(disks.consensus);
  const stored = [...blocks.finalizedBlocks(1, SLOTS), ...blocks.unfinalizedBlocks()].map(({ slot }) => slot);
  const { port, chain: execution } = executionOf(disks);
  for (const slot of stored) {
    const { status } = await port.executePayload(chain[slot - 1]!);
    equal(status, "valid", `block ${slot} can be executed again`);
  }
  const last = stored.at(-1) ?? 0;
  equal(execution.canExtend(hashAt(chain, last)), true);
  await moveTo(last, disks, chain);
  await live(disks, chain, last + 1, published);
  equal(execution.merged().number, SLOTS - LAG);
  equal(execution.head().hash, hashAt(chain, SLOTS));
  deepEqual(verifyStoredState(disks.execution), []);
}

describe("storage: a power cut", () => {
  it("takes away, in these specs, what was committed but not flushed, and nothing else", async () => {
    const power = new PowerSupply(5);
    const database = new PoweredDatabase(power);
    const table = database.table("entries");
    const put = (value: number) => () => table.put(Uint8Array.of(1), Uint8Array.of(value));
    await database.commit(put(1));
    await database.flushed();
    await database.commit(put(2));
    await database.commit(put(3));
    await database.commit(put(4));
    await rejects(database.commit(put(5)), PowerCutError);
    await rejects(database.flushed(), PowerCutError);
    const found = database.survivors().map((state) => {
      return new PoweredDatabase(new PowerSupply(), state).table("entries").get(Uint8Array.of(1))?.[0];
    });
    deepEqual(found, [1, 2, 3, 4]);
  });

  it("at any write, whatever of the last commits reached the disks, leaves a node that goes on", async function () {
    this.timeout(60_000);
    const chain = await wholeChain();
    const counting = new PowerSupply();
    await live(disksOn(counting), chain, 1, { votes: [], blocks: [], wanted: hashOf(1) });
    let cases = 0;
    for (let cut = 1; cut <= counting.writes + 1; cut++) {
      const before = disksOn(new PowerSupply(cut));
      const published: Published = { votes: [], blocks: [], wanted: hashOf(1) };
      if (cut <= counting.writes) await rejects(live(before, chain, 1, published), PowerCutError);
      else await live(before, chain, 1, published);
      for (const consensus of before.consensus.survivors()) {
        for (const execution of before.execution.survivors()) {
          for (const validator of before.validator.survivors()) {
            const after = disksOn(new PowerSupply(), [consensus, execution, validator]);
            const known = { votes: [...published.votes], blocks: [...published.blocks], wanted: hashOf(2) };
            mustBeWhole(after, known);
            await mustGoOn(after, chain, known);
            equal(new Set(known.votes).size, known.votes.length, "no target is signed twice");
            equal(new Set(known.blocks).size, known.blocks.length, "no slot is proposed twice");
            cases++;
          }
        }
      }
    }
    notEqual(cases, counting.writes + 1, "some cuts leave more than one disk");
  });

  it("would lose a signature whose record was only committed", async () => {
    const database = new PoweredDatabase(new PowerSupply());
    const careless = new PoweredDatabase(new PowerSupply());
    careless.flushed = async () => undefined;
    for (const [disk, expected] of [
      [database, [5]],
      [careless, [undefined, 5]],
    ] as const) {
      await new SlashingProtection(disk).checkAndInsertBlock({ publicKey, slot: 5, signingRoot: hashOf(5) });
      const slots = disk.survivors().map((state) => {
        const left = new PoweredDatabase(new PowerSupply(), state);
        return new SlashingProtection(left).blockWatermark(publicKey)?.slot;
      });
      deepEqual(slots, expected);
    }
  });
});
