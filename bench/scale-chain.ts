/** Chains of many validators, and full blocks for them, for the consensus benchmark. */
import { BitArray } from "@chainsafe/ssz";
import { type Attestation, type BeaconBlock, containersOf } from "../consensus/chain-containers.ts";
import type { AttestationData } from "../consensus/containers.ts";
import { createGenesis } from "../consensus/genesis.ts";
import type { ChainParams } from "../consensus/params.ts";
import { createParams, type PresetName } from "../consensus/presets.ts";
import { toPayloadHeader } from "../consensus/process-payload.ts";
import { processSlots } from "../consensus/process-slots.ts";
import { getExpectedWithdrawals } from "../consensus/process-withdrawals.ts";
import { getCommittees } from "../consensus/selection.ts";
import { attestationSigningRoot, blockSigningRoot, randaoSigningRoot } from "../consensus/signature-sets.ts";
import {
  type ConsensusState,
  forkState,
  getCurrentRandaoMix,
  getLatestBlockRoot,
  getProposerIndex,
  getStateRoot,
  ZERO_ROOT,
} from "../consensus/state.ts";
import { applyBlock } from "../consensus/state-transition.ts";
import { computeCheckpointSlot, computeEpochAtSlot, computeTimestampAtSlot } from "../consensus/time.ts";
import { blsPublicKey, blsSign } from "../primitives/bls.ts";
import { bigIntToBytes, bytesToBigInt, toHex } from "../primitives/bytes.ts";
import { interopSecretKey } from "../primitives/interop-keys.ts";
import { buildCheaply } from "../specs/support/consensus-stand-ins.ts";

const GENESIS_TIME = 1_800_000_000;
/** Order of the group BLS keys belong to. */
const CURVE_ORDER = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001n;
/** Native transfers that fill 30 M gas, and the bytes of one. */
const TRANSACTIONS = 1428;
const TRANSACTION_BYTES = 112;

export type ScaleChain = {
  readonly params: ChainParams;
  readonly secretKeys: readonly Uint8Array[];
  readonly genesis: ConsensusState;
  readonly genesisRoot: `0x${string}`;
  /** The first slot in which validators vote: there is no duty in epoch 0. */
  readonly firstVoteSlot: number;
};

/** A chain with a preset's parameters, `validators` keys and epochs of `slotsPerEpoch`. */
export function createScaleChain(
  validators: number,
  slotsPerEpoch: number,
  preset: PresetName = "public",
): ScaleChain {
  const params = createParams(preset, {
    forks: [{ version: "0x6a000003", firstSlot: 0, firstEpoch: 0, slotsPerEpoch }],
  });
  const secretKeys = Array.from({ length: validators }, (_, index) => interopSecretKey(index));
  const genesis = createGenesis({
    ...{ params, genesisTime: GENESIS_TIME },
    executionHeader: toPayloadHeader(containersOf(params).ExecutionPayload.defaultValue(), params),
    validators: secretKeys.map((secretKey) => ({
      pubkey: blsPublicKey(secretKey),
      withdrawalCredentials: new Uint8Array(32).fill(1, 0, 1),
      amount: 32n * 10n ** 9n,
    })),
  });
  return {
    params,
    secretKeys,
    genesis: genesis.state,
    genesisRoot: toHex(genesis.blockRoot),
    firstVoteSlot: slotsPerEpoch,
  };
}

/** Signs for all of `signers` at once: an aggregate of one message is the signature of the sum of the keys. */
export function signTogether(
  { secretKeys }: ScaleChain,
  signers: Iterable<number>,
  message: Uint8Array,
): Uint8Array {
  let sum = 0n;
  for (const signer of signers) sum += bytesToBigInt(secretKeys[signer] ?? message);
  return blsSign(bigIntToBytes(sum % CURVE_ORDER, 32), message);
}

/** What everyone votes for in `slot`, seen from a state of that slot or later whose chain has no gaps. */
export function voteDataOf({ params }: ScaleChain, state: ConsensusState, slot: number): AttestationData {
  const epoch = computeEpochAtSlot(slot, params);
  const rootAt = (at: number) =>
    at === state.latestBlockHeader.slot
      ? getLatestBlockRoot(state)
      : state.blockRoots.get(at % params.slotsPerHistoricalRoot);
  return {
    ...{ slot, index: 0, beaconBlockRoot: rootAt(slot), source: lastJustifiedBelow(state, epoch) },
    target: { epoch, root: rootAt(computeCheckpointSlot(epoch, params)) },
  };
}

function lastJustifiedBelow({ justifiedRing }: ConsensusState, epoch: number): AttestationData["source"] {
  let index = justifiedRing.length - 1;
  while (index > 0 && justifiedRing.get(index).epoch >= epoch) index--;
  return justifiedRing.get(index);
}

/** Everyone's votes of a slot in one attestation. */
export function wholeSlot(chain: ScaleChain, state: ConsensusState, data: AttestationData): Attestation {
  const { params } = chain;
  const committees = getCommittees(state, data.slot, params);
  const committeeBits = BitArray.fromBitLen(params.maxCommitteesPerSlot);
  for (const index of committees.keys()) committeeBits.set(index, true);
  const voters = committees.flatMap((committee) => [...committee]);
  return {
    ...{ data, committeeBits },
    aggregationBits: BitArray.fromBoolArray(voters.map(() => true)),
    signature: signTogether(chain, voters, attestationSigningRoot(state, data, params)),
  };
}

export type ScaleBlock = {
  readonly block: BeaconBlock;
  readonly signature: Uint8Array;
  readonly postState: ConsensusState;
};

/** A block with these votes and, if it is to be full, a payload of thirty million gas. */
export function makeScaleBlock(
  chain: ScaleChain,
  parent: ConsensusState,
  slot: number,
  attestations: readonly Attestation[],
  isPayloadFull = false,
): ScaleBlock {
  const { params } = chain;
  const { BeaconBlockBody, ExecutionPayload } = containersOf(params);
  const state = forkState(parent);
  processSlots(state, slot, params);
  const proposerIndex = getProposerIndex(state, slot, params) ?? 0;
  const payload = buildCheaply(ExecutionPayload.defaultValue(), {
    parentHash: toHex(state.latestExecutionPayloadHeader.blockHash),
    timestamp: computeTimestampAtSlot(GENESIS_TIME, slot, params),
    prevRandao: toHex(getCurrentRandaoMix(state, params)),
    withdrawals: getExpectedWithdrawals(state, params).withdrawals,
  });
  const transactions = Array.from({ length: isPayloadFull ? TRANSACTIONS : 0 }, (_, i) =>
    new Uint8Array(TRANSACTION_BYTES).fill(i & 255),
  );
  const body = {
    ...BeaconBlockBody.defaultValue(),
    randaoReveal: signTogether(chain, [proposerIndex], randaoSigningRoot(state, slot, params)),
    attestations: [...attestations],
    executionPayload: { ...payload, transactions },
  };
  const draft = { slot, proposerIndex, parentRoot: getLatestBlockRoot(state), stateRoot: ZERO_ROOT, body };
  const postState = applyBlock(parent, draft, params);
  const block = { ...draft, stateRoot: getStateRoot(postState) };
  const signature = signTogether(chain, [proposerIndex], blockSigningRoot(state, block, params));
  return { block, signature, postState };
}
