/** specs/consensus/slasher.md */
import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { containersOf } from "../../consensus/chain-containers.ts";
import type { AttestationData } from "../../consensus/containers.ts";
import { step } from "../../consensus/engine.ts";
import { addLink, createLinkIndex, dropLinksBelow, findCrossing } from "../../consensus/link-index.ts";
import { createParams } from "../../consensus/presets.ts";
import { equivocatorsOf, isSlashableAttestationData } from "../../consensus/slashability.ts";
import { type SignedVote, voteKey } from "../../consensus/vote-records.ts";
import { computeSlasherWindow, openSlasher } from "../../node/slasher/slasher.ts";
import {
  createWorkbench,
  importAll,
  makeBlock,
  ofType,
  receiveVotes,
  SLOT_MS,
  settle,
  signVote,
  startEngine,
  voteData,
} from "../support/lone-engine.ts";
import { withScratchDatabase } from "../support/scratch-database.ts";

const params = createParams("testnet");
const containers = containersOf(params);

function voteOf(source: number, target: number, voters: readonly number[], head = 0): SignedVote {
  const root = new Uint8Array(32);
  const data: AttestationData = {
    ...{ slot: target, index: 0, beaconBlockRoot: new Uint8Array(32).fill(head) },
    ...{ source: { epoch: source, root }, target: { epoch: target, root } },
  };
  return {
    key: voteKey(data),
    data,
    validatorIndices: voters,
    signature: new Uint8Array(96).fill(voters.length),
  };
}

describe("slasher: links", () => {
  const link = fc
    .tuple(fc.nat({ max: 30 }), fc.integer({ min: 1, max: 10 }))
    .map(([source, span]) => ({ source, target: source + span }));

  it("that cross are those around, inside, and to the same target", () => {
    fc.assert(
      fc.property(fc.array(link), link, fc.nat({ max: 20 }), (known, asked, dropped) => {
        const index = createLinkIndex();
        for (const one of known) addLink(index, one);
        dropLinksBelow(index, dropped);
        const expected = known.filter(({ source, target }) => {
          const isAround = source < asked.source && target > asked.target;
          const isInside = source > asked.source && target < asked.target;
          return target >= dropped && (isAround || isInside || target === asked.target);
        });
        const found = findCrossing(index, asked).map(({ source, target }) => `${source} ${target}`);
        deepEqual(new Set(found), new Set(expected.map(({ source, target }) => `${source} ${target}`)));
      }),
    );
  });
});

describe("slasher: offences", () => {
  it("are found as by comparing every vote with every other, in memory and on disk", async () => {
    const vote = fc
      .record({
        source: fc.nat({ max: 90 }),
        span: fc.integer({ min: 1, max: 12 }),
        voters: fc.uniqueArray(fc.nat({ max: 5 }), { minLength: 1, maxLength: 3 }),
        head: fc.nat({ max: 1 }),
      })
      .map(({ source, span, voters, head }) =>
        voteOf(
          source,
          source + span,
          voters.sort((a, b) => a - b),
          head,
        ),
      );
    const histories = fc.sample(fc.array(vote, { minLength: 2, maxLength: 14 }), 25);
    for (const [run, votes] of histories.entries()) {
      await withScratchDatabase("consensus", async (database) => {
        let slasher = openSlasher({ database, containers, params });
        const found = new Set<number>();
        for (const [i, one] of votes.entries()) {
          for (const slashing of slasher.onVote(one)) {
            const { attestation1, attestation2 } = slashing;
            ok(isSlashableAttestationData(attestation1.data, attestation2.data));
            for (const offender of equivocatorsOf(slashing)) found.add(offender);
          }
          // Now and then everything goes to disk, and the node starts again.
          if ((run + i) % 3 === 0) {
            await slasher.onSlot(170 + i);
            slasher = openSlasher({ database, containers, params });
          }
        }
        const guilty = new Set<number>();
        for (const a of votes) {
          for (const b of votes) {
            if (!isSlashableAttestationData(a.data, b.data)) continue;
            for (const voter of a.validatorIndices) if (b.validatorIndices.includes(voter)) guilty.add(voter);
          }
        }
        deepEqual([...found].sort(), [...guilty].sort());
      });
    }
  });

  it("reach back the whole window, and no further", () =>
    withScratchDatabase("consensus", async (database) => {
      const window = computeSlasherWindow(params);
      equal(window, params.minWithdrawabilityDelaySlots + params.slotsPerHistoricalRoot);
      const slasher = openSlasher({ database, containers, params });
      slasher.onVote(voteOf(10, 11, [3]));
      await slasher.onSlot(100);
      await slasher.onSlot(11 + window);
      deepEqual(slasher.onVote(voteOf(9, 12, [4])), []);
      equal(slasher.onVote(voteOf(9, 12, [3])).length, 1);
      deepEqual(slasher.onVote(voteOf(8, 13, [3])), [], "reported once");
      await slasher.onSlot(13 + window);
      const later = openSlasher({ database, containers, params });
      deepEqual(later.onVote(voteOf(9, 14, [3])), [], "forgotten");
    }));

  it("of single votes that a block holds together take one record", () =>
    withScratchDatabase("consensus", async (database) => {
      const slasher = openSlasher({ database, containers, params });
      for (const voter of [0, 1, 2, 3]) slasher.onVote(voteOf(4, 5, [voter]));
      slasher.onVote(voteOf(4, 5, [0, 1, 2, 3]));
      slasher.onVote(voteOf(4, 5, [1]));
      await slasher.onSlot(20);
      equal([...database.table("slasher-votes").range({})].length, 1);
    }));
});

describe("slasher: with the engine", () => {
  const bench = createWorkbench(8);
  const b1 = makeBlock(bench, bench.genesis, 1);
  const b2 = makeBlock(bench, b1, 2);

  it("a surround vote becomes evidence, and only where somebody looks for it", () =>
    withScratchDatabase("consensus", async (database) => {
      const slasher = openSlasher({ database, containers: containersOf(bench.params), params: bench.params });
      for (const hasSlasher of [true, false]) {
        const engine = startEngine(bench, { nowMs: 5 * SLOT_MS, hasSlasher });
        importAll(engine, [b1, b2]);
        const inner = { ...voteData(bench, b2, 4), source: { epoch: 2, root: new Uint8Array(32).fill(1) } };
        const outer = { ...voteData(bench, b2, 5), source: { epoch: 1, root: new Uint8Array(32).fill(2) } };
        const effects = [inner, outer].flatMap((data) =>
          settle(engine, receiveVotes(engine, [signVote(bench, data, 6)])),
        );
        const seen = ofType(effects, "voteSeen");
        equal(seen.length, hasSlasher ? 2 : 0);
        const found = seen.flatMap(({ vote }) => slasher.onVote(vote));
        const answers = found.flatMap((slashing) => step(engine, { type: "evidenceFound", slashing }));
        const [evidence] = ofType(answers, "slashingEvidence");
        equal(evidence !== undefined, hasSlasher);
        equal(engine.store.votes.equivocating[6], hasSlasher ? 1 : 0);
        equal(engine.operationPool.attesterSlashings.size, hasSlasher ? 1 : 0);
      }
    }));
});
