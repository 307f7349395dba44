/** specs/consensus/gossip-rules.md, one broken message for each rule. */
import { deepEqual, equal, ok } from "node:assert/strict";
import type { AttestationData } from "../../consensus/containers.ts";
import { step } from "../../consensus/engine.ts";
import type { Effect } from "../../consensus/engine-events.ts";
import type { Engine } from "../../consensus/engine-state.ts";
import { TREE_BLOCKS_LIMIT } from "../../consensus/gossip-rules.ts";
import { UNVERIFIED_BLOCKS_LIMIT } from "../../consensus/on-block.ts";
import { isSlashableAttestationData, isSlashableProposal } from "../../consensus/slashability.ts";
import { WAITING_MESSAGES_LIMIT } from "../../consensus/waiting-votes.ts";
import { fromHex } from "../../primitives/bytes.ts";
import {
  createWorkbench,
  FROM_SYNC,
  importAll,
  type MadeBlock,
  makeBlock,
  ofType,
  receiveBlock,
  receiveVotes,
  SLOT_MS,
  settle,
  signVote,
  snapshot,
  startEngine,
  tick,
  voteData,
  votedChain,
} from "../support/lone-engine.ts";

const bench = createWorkbench(8);
const { genesis } = bench;
const b1 = makeBlock(bench, genesis, 1);
const b2 = makeBlock(bench, b1, 2);

function engineWith(blocks: readonly MadeBlock[], slot: number): Engine {
  const engine = startEngine(bench);
  tick(engine, slot);
  importAll(engine, blocks);
  return engine;
}

/** What the sender of the one gossip message is told. */
function verdictOf(effects: readonly Effect[]): readonly [string, string] {
  const verdicts = ofType(effects, "gossipVerdict");
  equal(verdicts.length, 1, "one verdict for one message");
  return [verdicts[0]!.verdict, verdicts[0]!.reason];
}

function spoiled(
  parent: MadeBlock,
  slot: number,
  change: Partial<MadeBlock["signed"]["message"]>,
): MadeBlock {
  return makeBlock(bench, parent, slot, { spoil: (message) => ({ ...message, ...change }) });
}

describe("gossip rules: blocks", () => {
  it("accept a good block once its proposer's signature is checked, before its transition and payload", () => {
    const engine = engineWith([], 1);
    const received = receiveBlock(engine, b1.signed);
    const wish = ofType(received, "verifySignatures")[0]!;
    const effects = step(engine, { type: "signaturesVerified", id: wish.id, valid: [true] });
    deepEqual(
      effects.map(({ type }) => type),
      ["gossipVerdict", "verifySignatures", "executePayload"],
    );
    deepEqual(verdictOf(effects), ["accept", "BLOCK_ACCEPTED"]);
  });

  /** Receives the block; the verdict must be this one, and nothing but the caches may change. */
  function expectRefusal(engine: Engine, block: MadeBlock, verdict: readonly [string, string]): void {
    const before = snapshot(engine);
    deepEqual(verdictOf(settle(engine, receiveBlock(engine, block.signed))), verdict);
    deepEqual(snapshot(engine), before);
  }

  it("ignore a block that is known, or on its way", () => {
    const engine = engineWith([b1], 2);
    expectRefusal(engine, b1, ["ignore", "BLOCK_ALREADY_KNOWN"]);
    receiveBlock(engine, b2.signed, FROM_SYNC);
    deepEqual(verdictOf(receiveBlock(engine, b2.signed)), ["ignore", "BLOCK_ALREADY_PENDING"]);
  });

  it("ignore a block more than a quarter slot early, and keep one that is less early for its slot", () => {
    const engine = startEngine(bench);
    tick(engine, 0, SLOT_MS * 0.75 - 1);
    expectRefusal(engine, b1, ["ignore", "BLOCK_FROM_FUTURE"]);
    tick(engine, 0, SLOT_MS * 0.75);
    deepEqual(receiveBlock(engine, b1.signed), []);
    const effects = settle(engine, tick(engine, 1));
    deepEqual(verdictOf(effects), ["accept", "BLOCK_ACCEPTED"]);
    equal(engine.store.headRoot, b1.root);
  });

  it("ignore what finality decided against", () => {
    const { engine, chain } = finalizedEngine();
    const finalizedSlot = engine.blocks.get(engine.store.finalized.root)!.slot;
    ok(finalizedSlot >= 2);
    const stale = spoiled(b1, 2, { parentRoot: new Uint8Array(32).fill(7), slot: 1 });
    expectRefusal(engine, stale, ["ignore", "BLOCK_BEHIND_FINALITY"]);
    const late = makeBlock(bench, chain[0]!, 9, { graffiti: "late" });
    settle(engine, receiveBlock(engine, late.signed));
    ok(!engine.store.tree.indices.has(late.root));
  });

  it("ignore blocks on a branch that was pruned", () => {
    const side = makeBlock(bench, b1, 2, { graffiti: "side" });
    const { engine } = finalizedEngine([side]);
    const child = makeBlock(bench, side, 9);
    expectRefusal(engine, child, ["ignore", "BLOCK_ON_ABANDONED_BRANCH"]);
  });

  it("ignore a proposer's second block for a slot, and hand out the evidence once", () => {
    const engine = engineWith([], 1);
    settle(engine, receiveBlock(engine, b1.signed));
    const second = makeBlock(bench, genesis, 1, { graffiti: "second" });
    const before = snapshot(engine);
    const effects = settle(engine, receiveBlock(engine, second.signed));
    deepEqual(verdictOf(effects), ["ignore", "BLOCK_PROPOSAL_SEEN"]);
    const [evidence] = ofType(effects, "slashingEvidence");
    ok(evidence?.evidence.kind === "proposerSlashing" && isSlashableProposal(evidence.evidence.slashing));
    deepEqual(snapshot(engine), before);

    const third = makeBlock(bench, genesis, 1, { graffiti: "third" });
    const again = settle(engine, receiveBlock(engine, third.signed));
    deepEqual(verdictOf(again), ["ignore", "BLOCK_PROPOSAL_SEEN"]);
    deepEqual(ofType(again, "slashingEvidence", "verifySignatures"), []);
  });

  it("ignore blocks of unknown parents beyond the limit", () => {
    const engine = engineWith([], 3);
    for (let i = 0; i < UNVERIFIED_BLOCKS_LIMIT; i++) {
      const orphan = spoiled(b1, 2, { parentRoot: new Uint8Array(32).fill(i + 1) });
      deepEqual(ofType(receiveBlock(engine, orphan.signed), "gossipVerdict"), []);
    }
    const oneMore = spoiled(b1, 2, { parentRoot: new Uint8Array(32).fill(255) });
    expectRefusal(engine, oneMore, ["ignore", "BLOCK_QUEUE_FULL"]);
  });

  it("ignore blocks beside the head while the tree is full", () => {
    const engine = engineWith([b1, b2], 3);
    const { tree } = engine.store;
    const { length } = tree;
    tree.length = TREE_BLOCKS_LIMIT;
    const beside = makeBlock(bench, b1, 3);
    deepEqual(verdictOf(receiveBlock(engine, beside.signed)), ["ignore", "BLOCK_TREE_FULL"]);
    const onHead = makeBlock(bench, b2, 3);
    const taken = receiveBlock(engine, onHead.signed);
    tree.length = length;
    deepEqual(verdictOf(settle(engine, taken)), ["accept", "BLOCK_ACCEPTED"]);
  });

  it("reject a block that is not after its parent", () => {
    const engine = engineWith([b1, b2], 3);
    expectRefusal(engine, spoiled(b2, 3, { slot: 2 }), ["reject", "BLOCK_NOT_AFTER_PARENT"]);
  });

  it("reject a block of another proposer than the look-ahead's", () => {
    const engine = engineWith([], 1);
    const { proposerIndex } = b1.signed.message;
    const wrong = spoiled(genesis, 1, { proposerIndex: (proposerIndex + 1) % 8 });
    expectRefusal(engine, wrong, ["reject", "BLOCK_WRONG_PROPOSER"]);
  });

  it("reject a block its proposer did not sign, and take the same block with a good signature", () => {
    const engine = engineWith([], 1);
    const unsigned = { ...b1, signed: { ...b1.signed, signature: new Uint8Array(96) } };
    expectRefusal(engine, unsigned, ["reject", "BLOCK_WRONG_SIGNATURE"]);
    deepEqual(verdictOf(settle(engine, receiveBlock(engine, b1.signed))), ["accept", "BLOCK_ACCEPTED"]);
    equal(engine.store.headRoot, b1.root);
  });

  it("remember an invalid block, and reject it and its children from then on", () => {
    const engine = engineWith([], 3);
    const invalid = spoiled(genesis, 1, { stateRoot: new Uint8Array(32) });
    const before = snapshot(engine);
    const first = settle(engine, receiveBlock(engine, invalid.signed));
    deepEqual(verdictOf(first), ["accept", "BLOCK_ACCEPTED"]);
    equal(ofType(first, "blockProcessed")[0]!.reason, "BLOCK_STATE_ROOT_MISMATCH");
    deepEqual(snapshot(engine), before);
    expectRefusal(engine, invalid, ["reject", "BLOCK_KNOWN_INVALID"]);
    const child = spoiled(b1, 2, { parentRoot: fromHex(invalid.root) });
    expectRefusal(engine, child, ["reject", "BLOCK_PARENT_INVALID"]);
  });

  it("blame the sender of an invalid block only when it came by sync", () => {
    const invalid = spoiled(genesis, 1, { stateRoot: new Uint8Array(32) });
    const engine = engineWith([], 1);
    const effects = settle(engine, receiveBlock(engine, invalid.signed, FROM_SYNC));
    deepEqual(ofType(effects, "penalizePeer"), [
      { type: "penalizePeer", peer: "peer", fault: "lie", reason: "BLOCK_STATE_ROOT_MISMATCH" },
    ]);
    const gossiped = engineWith([], 1);
    deepEqual(ofType(settle(gossiped, receiveBlock(gossiped, invalid.signed)), "penalizePeer"), []);
  });
});

/** Eight validators vote for every block until some are final; `extra` blocks are imported on the way. */
function finalizedEngine(extra: readonly MadeBlock[] = []): { engine: Engine; chain: MadeBlock[] } {
  const chain = votedChain(bench, [b1], 8);
  const engine = startEngine(bench);
  tick(engine, 9);
  importAll(engine, [chain[0]!, ...extra.filter(({ parent }) => parent === b1), ...chain.slice(1)]);
  return { engine, chain };
}

describe("gossip rules: votes", () => {
  const good = voteData(bench, b2, 3);

  function expectVerdict(
    data: AttestationData,
    verdict: readonly [string, string],
    engine = engineWith([b1, b2], 3),
  ): void {
    const before = snapshot(engine);
    deepEqual(verdictOf(settle(engine, receiveVotes(engine, [signVote(bench, data, 0)]))), verdict);
    if (verdict[0] !== "accept") deepEqual(snapshot(engine), before);
  }

  it("accept a good vote once verified, count it and keep it for a block", () => {
    const engine = engineWith([b1, b2], 3);
    expectVerdict(good, ["accept", "VOTES_ACCEPTED"], engine);
    equal(engine.votePool.size, 1);
    tick(engine, 4);
    equal(engine.store.votes.slots[0], 3);
  });

  it("reject malformed data", () => {
    expectVerdict({ ...good, index: 1 }, ["reject", "VOTE_INDEX_NOT_ZERO"]);
    const wrongEpoch = { ...good, target: { ...good.target, epoch: 4 } };
    expectVerdict(wrongEpoch, ["reject", "VOTE_TARGET_NOT_OF_SLOT"]);
    const lateSource = { ...good, source: { epoch: 3, root: good.target.root } };
    expectVerdict(lateSource, ["reject", "VOTE_SOURCE_NOT_BEFORE_TARGET"]);
  });

  it("ignore votes outside of the window", () => {
    const engine = engineWith([b1, b2], 3);
    expectVerdict(voteData(bench, b2, 4), ["ignore", "VOTE_FROM_FUTURE"], engine);
    tick(engine, 3 + 33);
    expectVerdict(good, ["ignore", "VOTE_TOO_OLD"], engine);
  });

  it("reject a vote before its head, and one whose target is not on the head's chain", () => {
    expectVerdict({ ...voteData(bench, b2, 1) }, ["reject", "VOTE_BEFORE_ITS_HEAD"]);
    const wrongTarget = { ...good, target: { epoch: 3, root: new Uint8Array(32).fill(7) } };
    expectVerdict(wrongTarget, ["reject", "VOTE_TARGET_NOT_ON_CHAIN"]);
  });

  it("reject a vote for an invalid block", () => {
    const engine = engineWith([b1], 3);
    const invalid = spoiled(b1, 2, { stateRoot: new Uint8Array(32) });
    settle(engine, receiveBlock(engine, invalid.signed));
    expectVerdict(voteData(bench, invalid, 3), ["reject", "VOTE_FOR_INVALID_BLOCK"], engine);
  });

  it("ignore votes finality decided against", () => {
    const side = makeBlock(bench, b1, 2, { graffiti: "side" });
    const { engine } = finalizedEngine([side]);
    expectVerdict(voteData(bench, side, 3), ["ignore", "VOTE_ON_ABANDONED_BRANCH"], engine);
    const finalRoot = engine.store.finalized.root;
    const finalBlock = engine.blocks.get(finalRoot)!;
    const data = { ...good, slot: finalBlock.slot, beaconBlockRoot: fromHex(finalRoot) };
    const behind = { ...data, target: { epoch: finalBlock.slot, root: good.target.root } };
    expectVerdict(behind, ["ignore", "VOTE_BEHIND_FINALITY"], engine);
  });

  it("reject a voter without duty in the slot", () => {
    const engine = engineWith([b1, b2], 3);
    const stranger = { ...signVote(bench, good, 0), attesterIndex: 8 };
    deepEqual(verdictOf(receiveVotes(engine, [stranger])), ["reject", "VOTE_NOT_IN_COMMITTEE"]);
    const elsewhere = { ...signVote(bench, good, 0), committeeIndex: 1 };
    deepEqual(verdictOf(receiveVotes(engine, [elsewhere])), ["reject", "VOTE_COMMITTEE_UNKNOWN"]);
  });

  it("ignore a vote that was seen, and an empty message", () => {
    const engine = engineWith([b1, b2], 3);
    expectVerdict(good, ["accept", "VOTES_ACCEPTED"], engine);
    expectVerdict(good, ["ignore", "VOTE_ALREADY_SEEN"], engine);
    deepEqual(verdictOf(receiveVotes(engine, [])), ["ignore", "VOTE_MESSAGE_EMPTY"]);
  });

  it("reject a message with one wrong signature, but count the votes beside it", () => {
    const engine = engineWith([b1, b2], 3);
    const forged = { ...signVote(bench, good, 1), signature: new Uint8Array(96) };
    const effects = settle(engine, receiveVotes(engine, [signVote(bench, good, 0), forged]));
    deepEqual(verdictOf(effects), ["reject", "VOTE_WRONG_SIGNATURE"]);
    deepEqual([...[...engine.votePool.values()][0]!.signatures.keys()], [0]);
  });

  it("turn a second, different vote for one epoch into evidence; its validator weighs nothing any more", () => {
    const engine = engineWith([b1, b2], 3);
    settle(engine, receiveVotes(engine, [signVote(bench, good, 0)]));
    const other = voteData(bench, b1, 3);
    const effects = settle(engine, receiveVotes(engine, [signVote(bench, other, 0)]));
    deepEqual(verdictOf(effects), ["accept", "VOTES_ACCEPTED"]);
    const [evidence] = ofType(effects, "slashingEvidence");
    ok(evidence?.evidence.kind === "attesterSlashing");
    const { attestation1, attestation2 } = evidence.evidence.slashing;
    ok(isSlashableAttestationData(attestation1.data, attestation2.data));
    deepEqual([attestation1.attestingIndices, attestation2.attestingIndices], [[0], [0]]);
    equal(engine.store.votes.equivocating[0], 1);
    equal(engine.votePool.size, 1);
    expectVerdict(other, ["ignore", "VOTE_OF_EQUIVOCATOR"], engine);
  });

  it("never drop a vote for its unknown source: it counts, and waits to be packed", () => {
    const engine = engineWith([b1, b2], 3);
    const unknown = { ...good, source: { epoch: 2, root: new Uint8Array(32).fill(9) } };
    expectVerdict(unknown, ["accept", "VOTES_ACCEPTED"], engine);
    tick(engine, 4);
    equal(engine.store.votes.slots[0], 3);
  });

  it("hold votes for an unknown head for a slot, ask for the block, and count them when it comes", () => {
    const engine = engineWith([b1], 3);
    const held = receiveVotes(engine, [signVote(bench, good, 0)]);
    deepEqual(held, [{ type: "requestBlock", root: b2.root, peer: "peer" }]);
    const effects = settle(engine, receiveBlock(engine, b2.signed, FROM_SYNC));
    deepEqual(verdictOf(effects), ["accept", "VOTES_ACCEPTED"]);
  });

  it("let votes for an unknown head go after a slot, and beyond the limit at once", () => {
    const engine = engineWith([b1], 3);
    for (let i = 0; i < WAITING_MESSAGES_LIMIT; i++) {
      deepEqual(ofType(receiveVotes(engine, [signVote(bench, good, 0)]), "gossipVerdict"), []);
    }
    expectVerdict(good, ["ignore", "VOTE_QUEUE_FULL"], engine);
    tick(engine, 4);
    const expired = ofType(tick(engine, 5), "gossipVerdict");
    equal(expired.length, WAITING_MESSAGES_LIMIT);
    ok(expired.every(({ verdict, reason }) => verdict === "ignore" && reason === "VOTE_HEAD_UNKNOWN"));
    equal(engine.pendingVotes.size, 0);
  });
});
