/** What must be signed, by whom: claims the caller verifies in one batch. See specs/consensus/selection.md#signing. */
import type { SignatureSet } from "../primitives/bls.ts";
import { fromHex, type Hash } from "../primitives/bytes.ts";
import { Uint53 } from "../primitives/ssz-types.ts";
import {
  type AggregateAndProof,
  type Attestation,
  type AttesterSlashing,
  type BeaconBlock,
  containersOf,
  type SignedAggregateAndProof,
  type SignedBeaconBlock,
} from "./chain-containers.ts";
import {
  AttestationData,
  BeaconBlockHeader,
  type ProposerSlashing,
  type PublicKey,
  type SignedBeaconBlockHeader,
  type SignedVoluntaryExit,
  type SingleAttestation,
  type ValidatorIndex,
  VoluntaryExit,
} from "./containers.ts";
import { getAttestingIndices } from "./indexed-attestation.ts";
import type { ChainParams } from "./params.ts";
import { getRegistry } from "./registry.ts";
import {
  computeSigningRoot,
  DOMAIN_AGGREGATE_AND_PROOF,
  DOMAIN_BEACON_ATTESTER,
  DOMAIN_BEACON_PROPOSER,
  DOMAIN_RANDAO,
  DOMAIN_SELECTION_PROOF,
  DOMAIN_VOLUNTARY_EXIT,
  getDomain,
  signingRootOf,
} from "./signing-root.ts";
import type { ConsensusState } from "./state.ts";
import { computeEpochAtSlot, type Epoch, type Slot } from "./time.ts";

/** The header's signature, which is the block's: the same root is signed. Any state with the proposer will do. */
export function headerSignatureSet(
  state: ConsensusState,
  { message, signature }: SignedBeaconBlockHeader,
  params: ChainParams,
): SignatureSet {
  const root = headerSigningRoot(state, message, params);
  return { publicKeys: keysOf(state, [message.proposerIndex], params), message: root, signature };
}

/** What a proposer signs, told by its block's header: a header has the root of its block. */
export function headerSigningRoot(
  state: ConsensusState,
  header: BeaconBlockHeader,
  params: ChainParams,
): Uint8Array {
  const domain = domainAt(state, DOMAIN_BEACON_PROPOSER, computeEpochAtSlot(header.slot, params), params);
  return computeSigningRoot(BeaconBlockHeader, header, domain);
}

/**
 * What a block's proposer signed, the block and its randao reveal, told without the state the block builds on: whether
 * it may propose is not asked.
 *
 * @param root of the block.
 */
export function proposerSignatureSets(
  state: ConsensusState,
  { message, signature }: SignedBeaconBlock,
  root: Hash,
  params: ChainParams,
): readonly [SignatureSet, SignatureSet] {
  const { slot, proposerIndex, body } = message;
  const publicKeys = keysOf(state, [proposerIndex], params);
  const domain = domainAt(state, DOMAIN_BEACON_PROPOSER, computeEpochAtSlot(slot, params), params);
  return [
    { publicKeys, message: signingRootOf(fromHex(root), domain), signature },
    { publicKeys, message: randaoSigningRoot(state, slot, params), signature: body.randaoReveal },
  ];
}

/**
 * The signatures inside a block: the randao reveal, and those of each slashing, attestation and exit.
 *
 * @param state the block's post-state, so that committees and indices are known to be right.
 */
export function bodySignatureSets(
  state: ConsensusState,
  { slot, proposerIndex, body }: BeaconBlock,
  params: ChainParams,
): SignatureSet[] {
  const reveal = {
    publicKeys: keysOf(state, [proposerIndex], params),
    message: randaoSigningRoot(state, slot, params),
    signature: body.randaoReveal,
  };
  const votes = body.attestations.map((attestation) => attestationSignatureSet(state, attestation, params));
  const operations = [
    ...body.proposerSlashings.flatMap((slashing) => proposerSlashingSignatureSets(state, slashing, params)),
    ...body.attesterSlashings.flatMap((slashing) => attesterSlashingSignatureSets(state, slashing, params)),
    ...body.voluntaryExits.map((exit) => exitSignatureSet(state, exit, params)),
  ];
  return [reveal, ...votes, ...operations];
}

/** Both of the proposer's signatures. */
export function proposerSlashingSignatureSets(
  state: ConsensusState,
  { signedHeader1, signedHeader2 }: ProposerSlashing,
  params: ChainParams,
): SignatureSet[] {
  return [signedHeader1, signedHeader2].map((header) => headerSignatureSet(state, header, params));
}

/** Both votes' signatures, each an aggregate of all who signed it. */
export function attesterSlashingSignatureSets(
  state: ConsensusState,
  { attestation1, attestation2 }: AttesterSlashing,
  params: ChainParams,
): SignatureSet[] {
  return [attestation1, attestation2].map(({ attestingIndices, data, signature }) => ({
    publicKeys: keysOf(state, attestingIndices, params),
    message: attestationSigningRoot(state, data, params),
    signature,
  }));
}

/** The leaving validator's signature, in the domain of the fork in force in the epoch it names. */
export function exitSignatureSet(
  state: ConsensusState,
  { message, signature }: SignedVoluntaryExit,
  params: ChainParams,
): SignatureSet {
  const publicKeys = keysOf(state, [message.validatorIndex], params);
  return { publicKeys, message: exitSigningRoot(state, message, params), signature };
}

/** What a validator signs to leave. */
export function exitSigningRoot(state: ConsensusState, exit: VoluntaryExit, params: ChainParams): Uint8Array {
  return computeSigningRoot(VoluntaryExit, exit, domainAt(state, DOMAIN_VOLUNTARY_EXIT, exit.epoch, params));
}

function attestationSignatureSet(
  state: ConsensusState,
  attestation: Attestation,
  params: ChainParams,
): SignatureSet {
  return {
    publicKeys: keysOf(state, getAttestingIndices(state, attestation, params), params),
    message: attestationSigningRoot(state, attestation.data, params),
    signature: attestation.signature,
  };
}

export function singleAttestationSignatureSet(
  state: ConsensusState,
  { attesterIndex, data, signature }: SingleAttestation,
  params: ChainParams,
): SignatureSet {
  const message = attestationSigningRoot(state, data, params);
  return { publicKeys: keysOf(state, [attesterIndex], params), message, signature };
}

/**
 * An aggregate's three signatures: the aggregator's for having been drawn, the aggregator's, and the voters'.
 *
 * @param voters whose bits are set.
 */
export function aggregateSignatureSets(
  state: ConsensusState,
  { message, signature }: SignedAggregateAndProof,
  voters: readonly ValidatorIndex[],
  params: ChainParams,
): SignatureSet[] {
  const { aggregate, aggregatorIndex, selectionProof } = message;
  const { data } = aggregate;
  const aggregator = keysOf(state, [aggregatorIndex], params);
  const selection = selectionSigningRoot(state, data.slot, params);
  return [
    { publicKeys: aggregator, message: selection, signature: selectionProof },
    { publicKeys: aggregator, message: aggregateSigningRoot(state, message, params), signature },
    {
      publicKeys: keysOf(state, voters, params),
      message: attestationSigningRoot(state, data, params),
      signature: aggregate.signature,
    },
  ];
}

/** What a committee's member signs to learn whether it aggregates: the slot, so that it has no choice. */
export function selectionSigningRoot(state: ConsensusState, slot: Slot, params: ChainParams): Uint8Array {
  const epoch = computeEpochAtSlot(slot, params);
  return computeSigningRoot(Uint53, slot, domainAt(state, DOMAIN_SELECTION_PROOF, epoch, params));
}

/** What an aggregator signs. */
export function aggregateSigningRoot(
  state: ConsensusState,
  message: AggregateAndProof,
  params: ChainParams,
): Uint8Array {
  const epoch = computeEpochAtSlot(message.aggregate.data.slot, params);
  const domain = domainAt(state, DOMAIN_AGGREGATE_AND_PROOF, epoch, params);
  return computeSigningRoot(containersOf(params).AggregateAndProof, message, domain);
}

/** What a proposer signs. */
export function blockSigningRoot(state: ConsensusState, block: BeaconBlock, params: ChainParams): Uint8Array {
  const domain = domainAt(state, DOMAIN_BEACON_PROPOSER, computeEpochAtSlot(block.slot, params), params);
  return computeSigningRoot(containersOf(params).BeaconBlock, block, domain);
}

/** What the proposer of `slot` signs as its randao reveal: the epoch, so that it has no choice. */
export function randaoSigningRoot(state: ConsensusState, slot: Slot, params: ChainParams): Uint8Array {
  const epoch = computeEpochAtSlot(slot, params);
  return computeSigningRoot(Uint53, epoch, domainAt(state, DOMAIN_RANDAO, epoch, params));
}

/** What an attester signs. */
export function attestationSigningRoot(
  state: ConsensusState,
  data: AttestationData,
  params: ChainParams,
): Uint8Array {
  return computeSigningRoot(
    AttestationData,
    data,
    domainAt(state, DOMAIN_BEACON_ATTESTER, data.target.epoch, params),
  );
}

function domainAt(state: ConsensusState, type: Uint8Array, epoch: Epoch, params: ChainParams): Uint8Array {
  return getDomain(type, epoch, state.genesisValidatorsRoot, params);
}

/** An index that is not registered has no key, so its set does not verify. */
function keysOf(
  state: ConsensusState,
  indices: readonly ValidatorIndex[],
  params: ChainParams,
): readonly PublicKey[] {
  const { publicKeys } = getRegistry(state, params);
  return indices.map((index) => publicKeys[index] ?? NO_KEY);
}

const NO_KEY: PublicKey = new Uint8Array(48);
