/** One invalid block for each rule of the state transition; a new rule without one does not compile. */
import { deepEqual, equal } from "node:assert/strict";
import { BitArray } from "@chainsafe/ssz";
import type { AttestationFault } from "../../consensus/attestation-rules.ts";
import type { BlockErrorDetail } from "../../consensus/block-errors.ts";
import { type Attestation, type BeaconBlock, containersOf } from "../../consensus/chain-containers.ts";
import type { AttestationData, Validator } from "../../consensus/containers.ts";
import type { ExitFault, SlashingFault } from "../../consensus/operation-rules.ts";
import type { ChainParams } from "../../consensus/params.ts";
import { type ConsensusState, forkState } from "../../consensus/state.ts";
import { FAR_FUTURE_EPOCH } from "../../consensus/time.ts";
import {
  advanced,
  equalStakes,
  extend,
  genesisWith,
  honestData,
  refusal,
  unsealedBlock,
  voteOf,
} from "./hand-made-chain.ts";
import { smallStakingParams } from "./small-staking-params.ts";

type CodeWith<Fault> = Extract<BlockErrorDetail, { readonly fault: Fault }>["code"];
/** A code, and the fault inside it where it has one. */
type Rule =
  | Exclude<
      BlockErrorDetail["code"],
      CodeWith<AttestationFault> | CodeWith<SlashingFault> | CodeWith<ExitFault>
    >
  | `BLOCK_INVALID_ATTESTATION ${AttestationFault}`
  | `BLOCK_INVALID_PROPOSER_SLASHING ${Exclude<SlashingFault, "INVALID_INDICES">}`
  | `BLOCK_INVALID_ATTESTER_SLASHING ${SlashingFault}`
  | `BLOCK_INVALID_VOLUNTARY_EXIT ${ExitFault}`;

type Example = { readonly parent?: ConsensusState; readonly block: BeaconBlock };

const params: ChainParams = smallStakingParams(1);
const { maxCommitteesPerSlot, slotsPerHistoricalRoot, maxTransactionBytesPerBlock } = params;
const EVERYONE = [0, 1, 2, 3, 4, 5];
const ROOT = new Uint8Array(32).fill(7);
const SIGNATURE = new Uint8Array(96);

/** Blocks at slots 1 to 5, each with all votes of the slot before. */
function fiveBlocks(): ConsensusState {
  let { state } = genesisWith(params, equalStakes(6));
  for (let slot = 1; slot <= 5; slot++)
    state = extend(state, slot, slot < 2 ? [] : votes(state, slot), params);
  return state;
}

function votes(parent: ConsensusState, slot: number): Attestation[] {
  const state = advanced(parent, slot, params);
  return [voteOf(state, honestData(state, slot - 1, params), EVERYONE, params)];
}

const pre = fiveBlocks();
const data = honestData(advanced(pre, 6, params), 5, params);

const good = (attestations: readonly Attestation[] = [], slot = 6) =>
  unsealedBlock(pre, slot, attestations, params);
const withBody = (changes: Partial<BeaconBlock["body"]>, parent = pre): Example => {
  const block = unsealedBlock(parent, 6, [], params);
  return { parent, block: { ...block, body: { ...block.body, ...changes } } };
};
const withPayload = (changes: Partial<BeaconBlock["body"]["executionPayload"]>) =>
  withBody({ executionPayload: { ...good().body.executionPayload, ...changes } });
const changed = (index: number, change: Partial<Validator>, base = pre) => {
  const state = forkState(base);
  state.validators.set(index, { ...state.validators.getReadonly(index), ...change });
  state.commit();
  return state;
};

const vote = (changes: Partial<AttestationData> = {}, slot = 6): Example => ({
  block: good([voteOf(pre, { ...data, ...changes }, EVERYONE, params)], slot),
});
const aggregate = (changes: Partial<Attestation>): Example => ({
  block: good([{ ...voteOf(pre, data, EVERYONE, params), ...changes }]),
});
const committees = (...indices: number[]) => {
  const bits = BitArray.fromBitLen(maxCommitteesPerSlot);
  for (const index of indices) bits.set(index, true);
  return bits;
};

const header = (proposerIndex: number, graffiti: number) => ({
  message: {
    slot: 3,
    proposerIndex,
    parentRoot: ROOT,
    stateRoot: ROOT,
    bodyRoot: new Uint8Array(32).fill(graffiti),
  },
  signature: SIGNATURE,
});
const proposals = (proposerIndex: number, second = 2, parent = pre) =>
  withBody(
    {
      proposerSlashings: [
        { signedHeader1: header(proposerIndex, 1), signedHeader2: header(proposerIndex, second) },
      ],
    },
    parent,
  );
const indexed = (attestingIndices: readonly number[], source: number, target: number, root = ROOT) => ({
  ...{ attestingIndices: [...attestingIndices], signature: SIGNATURE },
  data: { ...data, source: { epoch: source, root: ROOT }, target: { epoch: target, root } },
});
const twice = (first: readonly number[], second: readonly number[], sources = [1, 2], targets = [4, 4]) =>
  withBody({
    attesterSlashings: [
      {
        attestation1: indexed(first, sources[0]!, targets[0]!),
        attestation2: indexed(second, sources[1]!, targets[1]!),
      },
    ],
  });
const exit = (validatorIndex: number, epoch = 0, parent = pre) =>
  withBody({ voluntaryExits: [{ message: { validatorIndex, epoch }, signature: SIGNATURE }] }, parent);

function pendingPart(): ConsensusState {
  const state = forkState(pre);
  state.pendingPartialWithdrawals.push({ validatorIndex: 1, amount: 1n, withdrawableEpoch: 50 });
  state.commit();
  return state;
}
const leaving = { exitEpoch: 16, withdrawableEpoch: 46 };
const lastTwo = () => [2, 3, 4, 5].reduce((state, index) => changed(index, leaving, state), pre);

/** Votes of more slots than old epochs fit into a block, none of them timely. */
function tooManyOldEpochs(): Example {
  const first = 6;
  const slot = first + params.oldEpochsPerBlock + 1 + params.timelyTargetSlots + 1;
  const state = advanced(pre, slot, params);
  const old = Array.from({ length: params.oldEpochsPerBlock + 1 }, (_, i) =>
    voteOf(state, honestData(state, first + i, params), EVERYONE, params),
  );
  return { block: good(old, slot) };
}

const EXAMPLES = {
  BLOCK_NOT_AFTER_PARENT: () => ({ block: { ...good(), slot: 5 } }),
  BLOCK_WRONG_PROPOSER: () => ({ block: { ...good(), proposerIndex: (good().proposerIndex + 1) % 6 } }),
  BLOCK_PROPOSER_SLASHED: () => ({ parent: changed(good().proposerIndex, { slashed: true }), block: good() }),
  BLOCK_PARENT_ROOT_MISMATCH: () => ({ block: { ...good(), parentRoot: ROOT } }),
  BLOCK_STATE_ROOT_MISMATCH: () => ({ block: { ...good(), stateRoot: ROOT } }),
  BLOCK_TOO_MANY_OLD_EPOCHS: tooManyOldEpochs,
  PAYLOAD_PARENT_HASH_MISMATCH: () => withPayload({ parentHash: ROOT }),
  PAYLOAD_WRONG_TIMESTAMP: () => withPayload({ timestamp: 1 }),
  PAYLOAD_WRONG_PREV_RANDAO: () => withPayload({ prevRandao: ROOT }),
  PAYLOAD_TOO_LARGE: () => {
    const full = new Array<Uint8Array>(maxTransactionBytesPerBlock / 131_072).fill(new Uint8Array(131_072));
    return withPayload({ transactions: [...full, new Uint8Array(1)] });
  },
  PAYLOAD_WRONG_WITHDRAWALS: () =>
    withPayload({ withdrawals: [{ index: 0, validatorIndex: 0, address: new Uint8Array(20), amount: 1n }] }),

  "BLOCK_INVALID_ATTESTATION NOT_BEFORE_BLOCK": () => vote({ slot: 6, target: { epoch: 6, root: ROOT } }),
  "BLOCK_INVALID_ATTESTATION TARGET_NOT_OF_SLOT": () => vote({ target: { epoch: 4, root: ROOT } }),
  "BLOCK_INVALID_ATTESTATION SOURCE_NOT_BEFORE_TARGET": () => vote({ source: { epoch: 5, root: ROOT } }),
  "BLOCK_INVALID_ATTESTATION TOO_OLD": () => vote({}, 5 + slotsPerHistoricalRoot),
  "BLOCK_INVALID_ATTESTATION SOURCE_NOT_JUSTIFIED": () => vote({ source: { ...data.source, root: ROOT } }),
  "BLOCK_INVALID_ATTESTATION INDEX_NOT_ZERO": () => vote({ index: 1 }),
  "BLOCK_INVALID_ATTESTATION NO_COMMITTEE": () => aggregate({ committeeBits: committees() }),
  "BLOCK_INVALID_ATTESTATION UNKNOWN_COMMITTEE": () => aggregate({ committeeBits: committees(0, 1) }),
  "BLOCK_INVALID_ATTESTATION WRONG_LENGTH": () => aggregate({ aggregationBits: BitArray.fromBitLen(7) }),
  "BLOCK_INVALID_ATTESTATION EMPTY_COMMITTEE": () => aggregate({ aggregationBits: BitArray.fromBitLen(6) }),

  "BLOCK_INVALID_PROPOSER_SLASHING NO_OFFENCE": () => proposals(1, 1),
  "BLOCK_INVALID_PROPOSER_SLASHING UNKNOWN_VALIDATOR": () => proposals(6),
  "BLOCK_INVALID_PROPOSER_SLASHING NOBODY_SLASHABLE": () =>
    proposals(1, 2, changed(1, { activationEpoch: FAR_FUTURE_EPOCH })),
  "BLOCK_INVALID_ATTESTER_SLASHING NO_OFFENCE": () => twice([1], [1], [1, 1], [3, 4]),
  "BLOCK_INVALID_ATTESTER_SLASHING INVALID_INDICES": () => twice([2, 1], [1]),
  "BLOCK_INVALID_ATTESTER_SLASHING UNKNOWN_VALIDATOR": () => twice([1, 6], [1]),
  "BLOCK_INVALID_ATTESTER_SLASHING NOBODY_SLASHABLE": () => twice([1], [2]),

  "BLOCK_INVALID_VOLUNTARY_EXIT UNKNOWN_VALIDATOR": () => exit(6),
  "BLOCK_INVALID_VOLUNTARY_EXIT NOT_ACTIVE": () => exit(1, 0, changed(1, { activationEpoch: 16 })),
  "BLOCK_INVALID_VOLUNTARY_EXIT ALREADY_LEAVING": () => exit(1, 0, changed(1, leaving)),
  "BLOCK_INVALID_VOLUNTARY_EXIT FROM_FUTURE": () => exit(1, 7),
  "BLOCK_INVALID_VOLUNTARY_EXIT WITHDRAWAL_PENDING": () => exit(1, 0, pendingPart()),
  "BLOCK_INVALID_VOLUNTARY_EXIT LAST_VALIDATOR": () => exit(1, 0, changed(0, leaving, lastTwo())),
} as const satisfies Record<Rule, () => Example>;

describe("state transition: every rule refuses a block that breaks it, and leaves the pre-state as it was", () => {
  for (const [rule, example] of Object.entries(EXAMPLES)) {
    it(rule, () => {
      const { parent = pre, block }: Example = example();
      const detail = refusal(parent, block, params);
      equal("fault" in detail ? `${detail.code} ${detail.fault}` : detail.code, rule);
    });
  }

  it("and the block they are made from is refused for its missing state root alone", () => {
    deepEqual(refusal(pre, good(), params).code, "BLOCK_STATE_ROOT_MISMATCH");
    equal(containersOf(params).BeaconBlock.serialize(good()).length > 0, true);
  });
});
