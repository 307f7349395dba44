import { deepEqual, equal } from "node:assert/strict";
import type { AttestationData } from "../../consensus/containers.ts";
import { createParams } from "../../consensus/presets.ts";
import { recordVote, type VoteRecords } from "../../consensus/vote-records.ts";
import {
  createDoppelgangerWatch,
  type Doppelganger,
  type DoppelgangerPorts,
  LISTENING_PERIODS,
} from "../../node/validator/doppelganger.ts";

const params = createParams("testnet");
const LISTENED = LISTENING_PERIODS * params.periodSlots;
const START = 100;

class World {
  readonly voteRecords: VoteRecords = new Map();
  readonly seenProposals: Map<string, unknown> = new Map();
  readonly admitted: number[] = [];
  readonly found: Doppelganger[] = [];

  watch(startSlot = START) {
    const { voteRecords, seenProposals } = this;
    return createDoppelgangerWatch({
      engine: { chain: { params }, voteRecords, seenProposals } as unknown as DoppelgangerPorts["engine"],
      startSlot,
      admit: (indices) => void this.admitted.push(...indices),
      onFound: (found) => void this.found.push(found),
    });
  }

  vote(validatorIndex: number, slot: number): void {
    const root = new Uint8Array(32);
    const target = { epoch: slot, root };
    const data: AttestationData = { slot, index: 0, beaconBlockRoot: root, source: target, target };
    const vote = { key: `0x${slot}` as const, data, validatorIndices: [validatorIndex], signature: root };
    recordVote(this.voteRecords, vote, validatorIndex);
  }

  propose(proposerIndex: number, slot: number): void {
    this.seenProposals.set(`${slot}`, { proposerIndex, slot });
  }
}

describe("doppelganger listening", () => {
  it("lets a validator sign once it was silent for two periods of slots that were heard", () => {
    const world = new World();
    const watch = world.watch();
    watch.join([3]);
    let slot = START;
    for (let heard = 0; heard < LISTENED - 1; heard++) {
      // Half of the time the node is behind and hears nothing: that does not count.
      watch.onSlot(++slot, false);
      watch.onSlot(++slot, true);
      deepEqual(world.admitted, []);
    }
    world.vote(4, slot + 1);
    watch.onSlot(slot + 1, true);
    deepEqual([world.admitted, world.found], [[3], []]);
    // Asked for again with the next finalized state, it is not listened for again.
    watch.join([3, 5]);
    for (let i = 0; i < LISTENED; i++) watch.onSlot(slot + 2 + i, true);
    deepEqual(world.admitted, [3, 5]);
  });

  it("finds a vote of the same key, also while the node is behind, and then lets nobody sign", () => {
    for (const isSynced of [true, false]) {
      const world = new World();
      const watch = world.watch();
      watch.join([3, 4]);
      watch.onSlot(START + 1, true);
      world.vote(4, START + 2);
      watch.onSlot(START + 2, isSynced);
      deepEqual(world.found, [{ validatorIndex: 4, slot: START + 2 }]);
      for (let i = 3; i < 2 * LISTENED; i++) watch.onSlot(START + i, true);
      deepEqual([world.admitted, world.found.length], [[], 1]);
    }
  });

  it("finds a block of the same key", () => {
    const world = new World();
    const watch = world.watch();
    watch.join([3]);
    world.propose(3, START + 9);
    watch.onSlot(START + 9, true);
    deepEqual(world.found, [{ validatorIndex: 3, slot: START + 9 }]);
  });

  it("takes what was signed up to the start for its own", () => {
    const world = new World();
    const watch = world.watch();
    watch.join([3]);
    world.vote(3, START);
    world.propose(3, START);
    for (let i = 0; i <= LISTENED; i++) watch.onSlot(START + i, true);
    deepEqual([world.admitted, world.found], [[3], []]);
  });

  it("takes what an imported key signed up to its import for what it signed where it came from", () => {
    for (const [signedAt, found] of [
      [START + 40, []],
      [START + 41, [{ validatorIndex: 7, slot: START + 41 }]],
    ] as const) {
      const world = new World();
      const watch = world.watch();
      for (let i = 1; i <= 40; i++) watch.onSlot(START + i, true);
      watch.join([7], START + 40);
      world.vote(7, signedAt);
      for (let i = 40; i <= 40 + LISTENED; i++) watch.onSlot(START + i, true);
      deepEqual([world.found, world.admitted], [found, found.length === 0 ? [7] : []]);
    }
  });

  it("forgets a key that left, and listens anew when it comes back", () => {
    const world = new World();
    const watch = world.watch();
    watch.join([3, 4]);
    watch.leave([3]);
    let slot = START;
    for (let heard = 0; heard < LISTENED; heard++) watch.onSlot(++slot, true);
    deepEqual(world.admitted, [4]);
    watch.join([3, 4], slot);
    watch.onSlot(++slot, true);
    deepEqual(world.admitted, [4]);
    for (let heard = 1; heard < LISTENED; heard++) watch.onSlot(++slot, true);
    deepEqual(world.admitted, [4, 3]);
  });

  it("does not listen before a chain begins", () => {
    const world = new World();
    world.watch(-1).join([1, 2]);
    deepEqual(world.admitted, [1, 2]);
    equal(world.found.length, 0);
  });
});
