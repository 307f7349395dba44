import { deepEqual, equal, ok } from "node:assert/strict";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { containersOf } from "../../consensus/chain-containers.ts";
import { step } from "../../consensus/engine.ts";
import type { EngineEvent } from "../../consensus/engine-events.ts";
import { equivocatorsOf } from "../../consensus/slashability.ts";
import { createBlockCodec } from "../../node/chain/block-codec.ts";
import { openSafetyFaultRecord } from "../../node/chain/safety-fault.ts";
import { toHex } from "../../primitives/bytes.ts";
import {
  createWorkbench,
  FROM_SYNC,
  importAll,
  type MadeBlock,
  makeBlock,
  ofType,
  receiveBlock,
  SLOT_MS,
  settle,
  snapshot,
  startEngine,
  tick,
  votedChain,
} from "../support/lone-engine.ts";
import { withScratchDirectory } from "../support/scratch-directory.ts";

describe("safety fault", () => {
  // genesis - a1 - a2 - … - a6     everyone votes for both chains, slot by slot
  //              \ b2 - … - b6
  const bench = createWorkbench(4);
  const trunk = [bench.genesis, makeBlock(bench, bench.genesis, 1)];
  const ours = votedChain(bench, trunk, 6).slice(2);
  const fork = makeBlock(bench, trunk[1]!, 2, { graffiti: "the other chain" });
  const theirs = votedChain(bench, [...trunk, fork], 6).slice(2);

  function engineOn(chain: readonly MadeBlock[]) {
    const engine = startEngine(bench, {
      nowMs: 7 * SLOT_MS,
      localValidators: [0, 1, 2, 3],
      isSingleNode: true,
    });
    importAll(engine, [trunk[1]!, ...chain]);
    return engine;
  }
  const tell = (engine: ReturnType<typeof engineOn>, event: EngineEvent) =>
    settle(engine, step(engine, event));
  const receiveAll = (engine: ReturnType<typeof engineOn>, chain: readonly MadeBlock[]) =>
    chain.flatMap(({ signed }) => settle(engine, receiveBlock(engine, signed, FROM_SYNC)));

  it("is raised by a branch in the tree that finalizes otherwise", () => {
    const engine = engineOn([...ours.slice(0, 3), ...theirs.slice(0, 3)]);
    const effects = receiveAll(engine, [ours[3]!, ours[4]!, theirs[3]!, theirs[4]!]);
    equal(ofType(effects, "safetyFault").length, 1);
    ok(engine.isFaulted);
  });

  it("is raised by a branch that was pruned, in whatever order its blocks come", () => {
    for (const seen of [0, 1, 2, 3]) {
      const engine = engineOn(theirs.slice(0, seen));
      const before = receiveAll(engine, ours);
      deepEqual(ofType(before, "safetyFault"), []);
      const { finalized, headRoot } = engine.store;
      ok(finalized.epoch >= 3);
      const effects = receiveAll(engine, theirs.slice(seen));
      const [fault, ...more] = ofType(effects, "safetyFault");
      deepEqual(more, []);
      deepEqual(fault?.ours, finalized);
      const { epoch, root } = fault!.conflicting;
      ok(theirs.some((block) => block.root === root && block.signed.message.slot === epoch - 1));
      deepEqual([engine.store.finalized, engine.store.headRoot], [finalized, headRoot]);
      const evidence = ofType([...before, ...effects], "slashingEvidence").map(
        ({ evidence: found }) => found,
      );
      const slashed = evidence.flatMap((found) =>
        found.kind === "attesterSlashing" ? equivocatorsOf(found.slashing) : [],
      );
      deepEqual([...new Set(slashed)].sort(), [0, 1, 2, 3], "everyone voted twice");
    }
  });

  it("is looked for on the chain of a peer whose finality is not ours, from below our own", () => {
    const engine = engineOn(ours);
    const theirHead = theirs.at(-1)!;
    const conflicting = { epoch: engine.store.finalized.epoch, root: theirs[0]!.root };
    const status = {
      ...{ finalized: conflicting, justified: conflicting, justifiedProofRoot: theirHead.root },
      ...{ headRoot: theirHead.root, headSlot: theirHead.signed.message.slot },
    };
    const [range] = ofType(tell(engine, { type: "peerStatus", peer: "other", status }), "startRangeSync");
    equal(range?.fromSlot, 1, "after genesis, the oldest block whose state is kept");
    receiveAll(engine, theirs);
    ok(engine.isFaulted);
    tell(engine, { type: "rangeSyncEnded", peer: "other", outcome: "done" });
    const again = tell(engine, { type: "peerStatus", peer: "other", status });
    deepEqual(ofType(again, "startRangeSync", "requestBlock"), [], "once seen it is not fetched again");
  });

  it("is looked for last on a chain that joins ours nowhere above finality", () => {
    const engine = engineOn(ours);
    const theirHead = theirs.at(-1)!;
    const ahead = { epoch: engine.store.finalized.epoch + 1, root: theirs[2]!.root };
    const status = {
      ...{ finalized: ahead, justified: ahead, justifiedProofRoot: theirHead.root },
      ...{ headRoot: theirHead.root, headSlot: theirHead.signed.message.slot + 8 },
    };
    const event = { type: "peerStatus", peer: "other", status } as const;
    const [first] = ofType(tell(engine, event), "startRangeSync");
    ok(first!.fromSlot > 1);
    const ended = { type: "rangeSyncEnded", peer: "other", outcome: "unlinked" } as const;
    deepEqual(
      ofType(tell(engine, ended), "startRangeSync").map(({ fromSlot }) => fromSlot),
      [1],
    );
    const effects = tell(engine, ended);
    deepEqual(ofType(effects, "startRangeSync"), []);
    deepEqual(
      ofType(effects, "penalizePeer").map(({ fault }) => fault),
      ["lie"],
    );
  });

  it("ends all duties", () => {
    const engine = engineOn(ours);
    receiveAll(engine, theirs);
    for (const moment of [0, 500, 999]) {
      const effects = tick(engine, 8, moment);
      deepEqual(ofType(effects, "signAttestation", "signRandao", "buildPayload"), []);
    }
    const restarted = startEngine(bench, { nowMs: 0, localValidators: [0, 1, 2, 3], isFaulted: true });
    deepEqual(
      ofType([...tick(restarted, 1), ...tick(restarted, 1, 500)], "signRandao", "signAttestation"),
      [],
    );
  });

  it("is no fault when a pruned branch goes on without finality, nor by a forged vote", () => {
    const engine = engineOn(ours);
    const quiet = makeBlock(bench, fork, 5, { graffiti: "nobody votes" });
    receiveAll(engine, [fork]);
    const before = snapshot(engine);
    const effects = receiveAll(engine, [quiet]);
    deepEqual(ofType(effects, "safetyFault"), []);
    equal(ofType(effects, "blockProcessed")[0]?.reason, "BLOCK_ON_ABANDONED_BRANCH");

    const forged = theirs[1]!.signed.message.body.attestations.map((attestation) => ({
      ...attestation,
      signature: new Uint8Array(96),
    }));
    const liar = makeBlock(bench, fork, 3, { attestations: forged });
    const refused = receiveAll(engine, [liar]);
    equal(ofType(refused, "blockProcessed")[0]?.reason, "BLOCK_WRONG_BODY_SIGNATURE");
    ok(!engine.isFaulted);
    deepEqual(snapshot(engine), before);
  });

  it("is written down, and found at the next start until somebody moves it away", () =>
    withScratchDirectory(async (dir) => {
      const codec = createBlockCodec(containersOf(bench.params));
      const fatal: string[] = [];
      const log = { fatal: (_fields: unknown, message: string) => fatal.push(message) };
      const record = openSafetyFaultRecord(dir, codec, log);
      equal(record.isFaulted(), false);
      const fault = {
        type: "safetyFault",
        ours: { epoch: 3, root: "0x01" },
        block: ours[0]!.signed,
      } as const;
      record.record({ ...fault, conflicting: { epoch: 4, root: "0x02" } });
      const path = join(dir, "safety-fault.json");
      const { block, ...rest } = JSON.parse(readFileSync(path, "utf8"));
      deepEqual(rest, { ours: { epoch: 3, root: "0x01" }, conflicting: { epoch: 4, root: "0x02" } });
      equal(block, toHex(codec.encode(ours[0]!.signed)));
      equal(openSafetyFaultRecord(dir, codec, log).isFaulted(), true);
      rmSync(path);
      equal(openSafetyFaultRecord(dir, codec, log).isFaulted(), false);
      equal(fatal.length, 2);
    }));
});
