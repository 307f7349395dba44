import { deepEqual, equal, notDeepEqual } from "node:assert/strict";
import { BitArray } from "@chainsafe/ssz";
import { type Attestation, type BeaconBlock, containersOf } from "../../consensus/chain-containers.ts";
import type { AttestationData } from "../../consensus/containers.ts";
import type { ChainParams } from "../../consensus/params.ts";
import { createParams, TESTNET_PARAMS } from "../../consensus/presets.ts";
import { processSlots } from "../../consensus/process-slots.ts";
import {
  type ConsensusState,
  forkState,
  getBlockRootAtSlot,
  getCheckpointRoot,
  getLatestBlockRoot,
  getProposerIndex,
  getRandaoMix,
  getStateRoot,
} from "../../consensus/state.ts";
import { stateTransition } from "../../consensus/state-transition.ts";
import { toHex } from "../../primitives/bytes.ts";
import { sha256 } from "../../primitives/hash.ts";
import {
  advanced,
  equalStakes,
  extend,
  GENESIS_TIME,
  genesisWith,
  honestData,
  refusal as refusalOf,
  seal,
  unsealedBlock,
  voteOf,
} from "./hand-made-chain.ts";

const params = TESTNET_PARAMS;
const ALL = [0, 1, 2, 3];
const hexOf = (byte: number) => toHex(new Uint8Array(32).fill(byte));

/** Blocks at slots 1..5, each with all votes of the slot before. */
function fiveBlocks(): ConsensusState {
  let { state } = genesisWith(params, equalStakes(4));
  for (let slot = 1; slot <= 5; slot++) state = extend(state, slot, votesFor(state, slot), params);
  return state;
}

function votesFor(parent: ConsensusState, slot: number): Attestation[] {
  if (slot < 2) return [];
  const state = advanced(parent, slot, params);
  return [voteOf(state, honestData(state, slot - 1, params), ALL, params)];
}

const refusal = (pre: ConsensusState, block: BeaconBlock, chainParams: ChainParams = params) =>
  refusalOf(pre, block, chainParams);

describe("state transition: a block", () => {
  let pre: ConsensusState;
  let valid: BeaconBlock;
  before(() => {
    pre = fiveBlocks();
    valid = seal(pre, unsealedBlock(pre, 6, votesFor(pre, 6), params), params).block;
  });

  const payloadWith = (changes: Partial<BeaconBlock["body"]["executionPayload"]>) =>
    bodyWith({ executionPayload: { ...valid.body.executionPayload, ...changes } });
  const bodyWith = (changes: Partial<BeaconBlock["body"]>) => ({
    ...valid,
    body: { ...valid.body, ...changes },
  });

  it("leads to the state it commits to, and leaves the pre-state as it was", () => {
    const before = pre.serialize();
    const post = stateTransition(pre, valid, params);
    equal(toHex(getStateRoot(post)), toHex(valid.stateRoot));
    equal(post.slot, 6);
    deepEqual(pre.serialize(), before);
  });

  it("leads to the same state from a pre-state advanced over empty slots", () => {
    const post = stateTransition(advanced(pre, 6, params), valid, params);
    equal(toHex(getStateRoot(post)), toHex(valid.stateRoot));
  });

  it("leads to the same state from a pre-state read from bytes", () => {
    const reread = containersOf(params).BeaconState.deserializeToViewDU(pre.serialize());
    equal(toHex(getStateRoot(stateTransition(reread, valid, params))), toHex(valid.stateRoot));
  });

  it("is known by the root of its header, which the next state fills in", () => {
    const post = stateTransition(pre, valid, params);
    const root = toHex(containersOf(params).BeaconBlock.hashTreeRoot(valid));
    equal(toHex(getLatestBlockRoot(post)), root);
    equal(toHex(getLatestBlockRoot(advanced(post, 9, params))), root);
    equal(toHex(getBlockRootAtSlot(advanced(post, 9, params), 8, params)), root);
  });

  it("comes after its parent", () => {
    deepEqual(refusal(pre, { ...valid, slot: 5 }), {
      code: "BLOCK_NOT_AFTER_PARENT",
      slot: 5,
      parentSlot: 5,
    });
    deepEqual(refusal(advanced(pre, 8, params), valid), {
      code: "BLOCK_NOT_AFTER_PARENT",
      slot: 6,
      parentSlot: 5,
    });
  });

  it("is from the proposer of its slot", () => {
    const expected = getProposerIndex(pre, 6, params)!;
    deepEqual(refusal(pre, { ...valid, proposerIndex: expected + 1 }), {
      code: "BLOCK_WRONG_PROPOSER",
      expected,
      actual: expected + 1,
    });
  });

  it("is not from a slashed proposer", () => {
    const slashed = forkState(pre);
    const proposerIndex = valid.proposerIndex;
    const validator = slashed.validators.get(proposerIndex);
    slashed.validators.set(proposerIndex, { ...validator, slashed: true });
    slashed.commit();
    deepEqual(refusal(slashed, valid), { code: "BLOCK_PROPOSER_SLASHED", proposerIndex });
  });

  it("names its parent", () => {
    deepEqual(refusal(pre, { ...valid, parentRoot: new Uint8Array(32).fill(1) }), {
      code: "BLOCK_PARENT_ROOT_MISMATCH",
      expected: toHex(getLatestBlockRoot(pre)),
      actual: hexOf(1),
    });
  });

  it("commits to the state after it", () => {
    deepEqual(refusal(pre, { ...valid, stateRoot: new Uint8Array(32) }), {
      code: "BLOCK_STATE_ROOT_MISMATCH",
      expected: toHex(valid.stateRoot),
      actual: hexOf(0),
    });
  });

  it("carries a payload that continues the last one", () => {
    deepEqual(refusal(pre, payloadWith({ parentHash: new Uint8Array(32).fill(2) })), {
      code: "PAYLOAD_PARENT_HASH_MISMATCH",
      expected: toHex(pre.latestExecutionPayloadHeader.blockHash),
      actual: hexOf(2),
    });
  });

  it("carries a payload with the period's randomness", () => {
    deepEqual(refusal(pre, payloadWith({ prevRandao: new Uint8Array(32).fill(3) })), {
      code: "PAYLOAD_WRONG_PREV_RANDAO",
      expected: toHex(getRandaoMix(pre, 0, params)),
      actual: hexOf(3),
    });
  });

  it("carries a payload with the time of its slot", () => {
    deepEqual(refusal(pre, payloadWith({ timestamp: GENESIS_TIME + 7 })), {
      code: "PAYLOAD_WRONG_TIMESTAMP",
      expected: GENESIS_TIME + 6,
      actual: GENESIS_TIME + 7,
    });
  });

  it("carries at most 2 MiB of transactions", () => {
    const limitBytes = 2 * 1024 * 1024;
    const transaction = new Uint8Array(131_072);
    const full = new Array<Uint8Array>(16).fill(transaction);
    deepEqual(refusal(pre, payloadWith({ transactions: [...full, new Uint8Array(1)] })), {
      code: "PAYLOAD_TOO_LARGE",
      limitBytes,
      actualBytes: limitBytes + 1,
    });
    equal(refusal(pre, payloadWith({ transactions: full })).code, "BLOCK_STATE_ROOT_MISMATCH");
  });

  it("mixes its reveal into the period's randomness", () => {
    const post = stateTransition(pre, valid, params);
    const mixed = getRandaoMix(pre, 0, params).map(
      (byte, index) => byte ^ sha256(valid.body.randaoReveal)[index]!,
    );
    deepEqual(getRandaoMix(post, 0, params), mixed);
  });
});

describe("state transition: attestations", () => {
  let pre: ConsensusState;
  let data: AttestationData;
  before(() => {
    pre = fiveBlocks();
    data = honestData(advanced(pre, 6, params), 5, params);
  });

  const faultOf = (slot: number, attestation: Attestation) => {
    const detail = refusal(pre, unsealedBlock(pre, slot, [attestation], params));
    return detail.code === "BLOCK_INVALID_ATTESTATION" ? detail.fault : detail.code;
  };
  const voteWith = (changes: Partial<AttestationData>) => voteOf(pre, { ...data, ...changes }, ALL, params);

  it("are of a slot before the block", () => {
    equal(faultOf(6, voteWith({ slot: 6, target: { ...data.target, epoch: 6 } })), "NOT_BEFORE_BLOCK");
  });

  it("target the epoch of their slot", () => {
    equal(faultOf(6, voteWith({ target: { ...data.target, epoch: 4 } })), "TARGET_NOT_OF_SLOT");
  });

  it("come from a source before their target", () => {
    equal(faultOf(6, voteWith({ source: { ...data.source, epoch: 5 } })), "SOURCE_NOT_BEFORE_TARGET");
    equal(
      faultOf(6, voteWith({ slot: 0, target: { ...data.target, epoch: 0 } })),
      "SOURCE_NOT_BEFORE_TARGET",
    );
  });

  it("name their committees by bits", () => {
    equal(faultOf(6, voteWith({ index: 1 })), "INDEX_NOT_ZERO");
    const vote = voteWith({});
    const named = (...committees: number[]) => {
      const committeeBits = BitArray.fromBitLen(64);
      for (const committee of committees) committeeBits.set(committee, true);
      return { ...vote, committeeBits };
    };
    equal(faultOf(6, named()), "NO_COMMITTEE");
    equal(faultOf(6, named(0, 1)), "UNKNOWN_COMMITTEE");
  });

  it("have as many bits as their committees have members, and a vote from each", () => {
    const vote = voteWith({});
    for (const length of [0, 3, 5]) {
      equal(faultOf(6, { ...vote, aggregationBits: BitArray.fromBitLen(length) }), "WRONG_LENGTH");
    }
    equal(faultOf(6, voteOf(pre, data, [], params)), "EMPTY_COMMITTEE");
  });

  it("come from a justified source, epoch and root", () => {
    const { source } = data;
    equal(faultOf(6, voteWith({ source: { ...source, root: new Uint8Array(32) } })), "SOURCE_NOT_JUSTIFIED");
    // Epoch 3 is justified on this chain; its root under another epoch is not.
    equal(faultOf(6, voteWith({ source: { ...source, epoch: source.epoch - 1 } })), "SOURCE_NOT_JUSTIFIED");
  });

  it("are at most SPHR slots older than their checkpoint, to the slot", () => {
    const last = 4 + params.slotsPerHistoricalRoot;
    equal(faultOf(last, voteWith({})), "BLOCK_STATE_ROOT_MISMATCH");
    equal(faultOf(last + 1, voteWith({})), "TOO_OLD");
  });

  it("name their place in the block when they are refused", () => {
    const block = unsealedBlock(pre, 6, [voteWith({}), voteWith({ index: 1 })], params);
    deepEqual(refusal(pre, block), { code: "BLOCK_INVALID_ATTESTATION", index: 1, fault: "INDEX_NOT_ZERO" });
  });

  it("may have a wrong head or target, for less", () => {
    const zero = new Uint8Array(32);
    const hits = (changes: Partial<AttestationData>, slot = 6) => {
      const post = extend(pre, slot, [voteWith(changes)], params);
      const count = (list: ConsensusState["hitsTarget"]) =>
        list.getAll().map((hit, i) => hit - pre.hitsTarget.get(i));
      return { target: count(post.hitsTarget)[0], head: post.hitsHead.get(0) - pre.hitsHead.get(0) };
    };
    deepEqual(hits({}), { target: 1, head: 1 });
    deepEqual(hits({ beaconBlockRoot: zero }), { target: 1, head: 0 });
    deepEqual(hits({ target: { ...data.target, root: zero } }), { target: 0, head: 1 });
    deepEqual(hits({}, 7), { target: 1, head: 0 });
    deepEqual(hits({}, 13), { target: 1, head: 0 });
    deepEqual(hits({}, 14), { target: 0, head: 0 });
  });

  it("pay once: a voter seen for an epoch is not credited again, whatever it voted for first", () => {
    const wrong = voteOf(pre, { ...data, target: { ...data.target, root: new Uint8Array(32) } }, [1], params);
    const right = voteWith({});
    const post = extend(pre, 6, [wrong, right, right], params);
    deepEqual(
      post.hitsTarget.getAll().map((hits, index) => hits - pre.hitsTarget.get(index)),
      [1, 0, 1, 1],
    );
    const later = extend(post, 7, [right], params);
    deepEqual(later.hitsTarget.getAll(), post.hitsTarget.getAll());
  });

  it("are credited at most once per duty of a period", () => {
    // A period of 32 slots at K = 1 has 32 duties.
    const full = forkState(advanced(pre, 36, params));
    full.hitsTarget.set(0, 31);
    full.commit();
    const votes = [34, 35].map((slot) => voteOf(full, { ...honestData(full, slot, params) }, ALL, params));
    const post = extend(full, 36, votes, params);
    deepEqual(post.hitsTarget.getAll(), [32, 2, 2, 2]);
  });

  it("of at most so many old epochs fit into a block", () => {
    const state = advanced(pre, 40, params);
    const votes = Array.from({ length: 16 }, (_, index) =>
      voteOf(state, { ...honestData(state, 10 + index, params) }, ALL, params),
    );
    const few = createParams("testnet", { oldEpochsPerBlock: 15, maxAttestations: 17 });
    const { state: genesis } = genesisWith(few, equalStakes(4));
    const own = advanced(genesis, 40, few);
    const ownVotes = votes.map(({ data: { slot } }) => voteOf(own, honestData(own, slot, few), ALL, few));
    deepEqual(refusal(genesis, unsealedBlock(genesis, 40, ownVotes, few), few), {
      code: "BLOCK_TOO_MANY_OLD_EPOCHS",
      limit: 15,
    });
    const timely = voteOf(own, honestData(own, 32, few), ALL, few);
    equal(
      refusal(genesis, unsealedBlock(genesis, 40, [...ownVotes.slice(0, 15), timely], few), few).code,
      "BLOCK_STATE_ROOT_MISMATCH",
    );
    equal(refusal(pre, unsealedBlock(pre, 40, votes, params)).code, "BLOCK_STATE_ROOT_MISMATCH");
  });
});

describe("state transition: slots without blocks", () => {
  it("write the last block's root, and nothing else before a period ends", () => {
    const pre = fiveBlocks();
    const post = advanced(pre, 31, params);
    for (let slot = 5; slot < 31; slot++) {
      equal(toHex(getBlockRootAtSlot(post, slot, params)), toHex(getLatestBlockRoot(pre)));
    }
    const withoutSlots = forkState(post);
    withoutSlots.slot = pre.slot;
    withoutSlots.blockRoots = forkState(pre).blockRoots;
    withoutSlots.latestBlockHeader = pre.latestBlockHeader;
    equal(toHex(getStateRoot(withoutSlots)), toHex(getStateRoot(pre)));
  });

  it("lead to one state, however the way is divided", () => {
    const pre = fiveBlocks();
    for (const slot of [32, 33, 95, 96, 8197, 8198, 9000]) {
      const stepwise = forkState(pre);
      for (const stop of [6, 7, 31, 32, 33, 64, 90, 8190, slot]) {
        if (stop <= slot && stop >= stepwise.slot) processSlots(stepwise, stop, params);
      }
      equal(toHex(getStateRoot(stepwise)), toHex(getStateRoot(advanced(pre, slot, params))), `slot ${slot}`);
    }
  });

  it("reset the hits, carry the mix, snapshot the weights and move the look-ahead at a period", () => {
    const pre = fiveBlocks();
    const before = advanced(pre, 31, params);
    const post = advanced(pre, 32, params);
    deepEqual(post.hitsTarget.getAll(), [0, 0, 0, 0]);
    notDeepEqual(pre.hitsTarget.getAll(), [0, 0, 0, 0]);
    deepEqual(getRandaoMix(post, 1, params), getRandaoMix(pre, 0, params));
    deepEqual(post.ffgWeights.get(1).getAll(), [32, 32, 32, 32]);
    deepEqual(
      Array.from({ length: 32 }, (_, offset) => getProposerIndex(post, 32 + offset, params)),
      Array.from({ length: 32 }, (_, offset) => getProposerIndex(before, 32 + offset, params)),
    );
    equal(getProposerIndex(post, 31, params), undefined);
    equal(getProposerIndex(before, 64, params), undefined);
  });

  it("are quick: 100 000 of them lead to a state that still accepts a block", () => {
    const pre = fiveBlocks();
    const post = extend(pre, 100_005, [], params);
    equal(post.slot, 100_005);
    equal(toHex(getCheckpointRoot(post, 100_000, params)), toHex(getLatestBlockRoot(pre)));
  });

  it("pass a fork: its version, and epochs of a new length", () => {
    const forks = [
      { version: "0x00000001", firstSlot: 0, firstEpoch: 0, slotsPerEpoch: 1 },
      { version: "0x00000002", firstSlot: 64, firstEpoch: 64, slotsPerEpoch: 4 },
    ] as const;
    const forked = createParams("testnet", { forks });
    const { state } = genesisWith(forked, equalStakes(4));
    deepEqual(advanced(state, 63, forked).fork.currentVersion, Uint8Array.of(0, 0, 0, 1));
    deepEqual(advanced(state, 100, forked).fork, {
      previousVersion: Uint8Array.of(0, 0, 0, 1),
      currentVersion: Uint8Array.of(0, 0, 0, 2),
      epoch: 64,
    });
  });
});
