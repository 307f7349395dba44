/** specs/consensus/params.md#time: the length of an epoch changes at a fork, on a running network. */
import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import type { ForkParams } from "../../consensus/params.ts";
import { createParams } from "../../consensus/presets.ts";
import { isSlashableAttestationData } from "../../consensus/slashability.ts";
import {
  computeCheckpointSlot,
  computeEpochAtSlot,
  computePeriodAtEpoch,
  computePeriodAtSlot,
  computeStartSlotAtEpoch,
} from "../../consensus/time.ts";
import { createEngineNetwork, runSlots } from "../support/engine-network.ts";
import { createWorkbench, ofType } from "../support/lone-engine.ts";

/** Forks at these periods, each with epochs of that many slots. */
function schedule(...stretches: readonly (readonly [period: number, slotsPerEpoch: number])[]): ForkParams[] {
  const forks: ForkParams[] = [];
  for (const [i, [period, slotsPerEpoch]] of stretches.entries()) {
    const before = forks.at(-1);
    const firstSlot = 32 * period;
    const firstEpoch =
      before === undefined ? 0 : before.firstEpoch + (firstSlot - before.firstSlot) / before.slotsPerEpoch;
    forks.push({ version: `0x6a00000${i}`, firstSlot, firstEpoch, slotsPerEpoch });
  }
  return forks;
}

describe("fork schedule", () => {
  it("never turns epochs, checkpoints or periods back, whatever the lengths", () => {
    const lengths = fc.constantFrom(1, 2, 4, 8, 16, 32);
    const gaps = fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), lengths), { maxLength: 4 });
    fc.assert(
      fc.property(lengths, gaps, (first, later) => {
        let period = 0;
        const stretches = later.map(([gap, length]) => {
          period += gap;
          return [period, length] as const;
        });
        const params = createParams("testnet", { forks: schedule([0, first], ...stretches) });
        let before = { epoch: 0, checkpoint: 0 };
        for (let slot = 0; slot < 32 * (period + 2); slot++) {
          const epoch = computeEpochAtSlot(slot, params);
          const checkpoint = computeCheckpointSlot(epoch, params);
          ok(epoch === before.epoch || epoch === before.epoch + 1, `slot ${slot}`);
          ok(checkpoint >= before.checkpoint && checkpoint <= slot);
          const start = computeStartSlotAtEpoch(epoch, params);
          ok(start <= slot && computeEpochAtSlot(start, params) === epoch);
          equal(computePeriodAtEpoch(epoch, params), computePeriodAtSlot(slot, params));
          before = { epoch, checkpoint };
        }
      }),
      { numRuns: 60 },
    );
  });

  it("is gone through by a network in both directions: finality goes on, and nobody signs what is slashable", () => {
    const forks = schedule([0, 1], [1, 4], [2, 1]);
    const bench = createWorkbench(4, { forks });
    const network = createEngineNetwork(bench, 2);
    const finalized: number[] = [];
    runSlots(network, 0, 72, () => finalized.push(network.nodes[0]!.engine.store.finalized.epoch));
    // Slot 31 ends 32 epochs of one slot; 63 ends eight of four; 72 is the ninth after.
    equal(computeEpochAtSlot(72, bench.params), 48);
    equal(finalized[31], 29);
    ok(finalized[63]! >= 38, `final at slot 63: ${finalized[63]}`);
    equal(finalized[72], 46);
    deepEqual(
      finalized,
      finalized.toSorted((a, b) => a - b),
    );

    const wishes = network.nodes.flatMap((node) => node.wishes);
    deepEqual(
      ofType(wishes, "gossipVerdict").filter(({ verdict }) => verdict === "reject"),
      [],
    );
    for (const { wishes: own } of network.nodes) {
      const votes = ofType(own, "publishAttestations").flatMap(({ attestations }) => attestations);
      for (const a of votes) {
        for (const b of votes) {
          if (a.attesterIndex === b.attesterIndex) ok(!isSlashableAttestationData(a.data, b.data));
        }
      }
    }
    const versions = ofType(network.nodes[0]!.wishes, "finalized").map(
      ({ state }) => state.fork.currentVersion[3],
    );
    deepEqual([...new Set(versions)], [0, 1, 2]);
  });
});
