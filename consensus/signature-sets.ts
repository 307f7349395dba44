/** What must be signed, by whom: claims the caller verifies in one batch. See specs/consensus/selection.md#signing. */
import type { SignatureSet } from "../primitives/bls.ts";
import { Uint53 } from "../primitives/ssz-types.ts";
import {
  type Attestation,
  containersOf,
  type IndexedAttestation,
  type SignedBeaconBlock,
} from "./chain-containers.ts";
import {
  AttestationData,
  BeaconBlockHeader,
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
  DOMAIN_BEACON_ATTESTER,
  DOMAIN_BEACON_PROPOSER,
  DOMAIN_RANDAO,
  DOMAIN_VOLUNTARY_EXIT,
  getDomain,
} from "./signing-root.ts";
import type { ConsensusState } from "./state.ts";
import { computeEpochAtSlot, type Epoch, type Slot } from "./time.ts";

/**
 * Every signature of a block but those of operations: proposer, randao reveal, each attestation.
 *
 * @param state the block's post-state, so that committees and indices are known to be right.
 */
export function blockSignatureSets(
  state: ConsensusState,
  signedBlock: SignedBeaconBlock,
  params: ChainParams,
): SignatureSet[] {
  const { attestations } = signedBlock.message.body;
  return [
    proposerSignatureSet(state, signedBlock, params),
    randaoSignatureSet(state, signedBlock, params),
    ...attestations.map((attestation) => attestationSignatureSet(state, attestation, params)),
  ];
}

/** The proposer's signature; from any state in which the proposer is registered, such as the parent's. */
export function proposerSignatureSet(
  state: ConsensusState,
  { message, signature }: SignedBeaconBlock,
  params: ChainParams,
): SignatureSet {
  const root = blockSigningRoot(state, message, params);
  return { publicKeys: keysOf(state, [message.proposerIndex], params), message: root, signature };
}

export function randaoSignatureSet(
  state: ConsensusState,
  { message }: SignedBeaconBlock,
  params: ChainParams,
): SignatureSet {
  return {
    publicKeys: keysOf(state, [message.proposerIndex], params),
    message: randaoSigningRoot(state, message.slot, params),
    signature: message.body.randaoReveal,
  };
}

/** @param attestation without fault (findAttestationFault). */
export function attestationSignatureSet(
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

export function indexedAttestationSignatureSet(
  state: ConsensusState,
  { attestingIndices, data, signature }: IndexedAttestation,
  params: ChainParams,
): SignatureSet {
  const message = attestationSigningRoot(state, data, params);
  return { publicKeys: keysOf(state, attestingIndices, params), message, signature };
}

export function headerSignatureSet(
  state: ConsensusState,
  { message, signature }: SignedBeaconBlockHeader,
  params: ChainParams,
): SignatureSet {
  const domain = domainAt(state, DOMAIN_BEACON_PROPOSER, computeEpochAtSlot(message.slot, params), params);
  const root = computeSigningRoot(BeaconBlockHeader, message, domain);
  return { publicKeys: keysOf(state, [message.proposerIndex], params), message: root, signature };
}

export function voluntaryExitSignatureSet(
  state: ConsensusState,
  { message, signature }: SignedVoluntaryExit,
  params: ChainParams,
): SignatureSet {
  const domain = domainAt(state, DOMAIN_VOLUNTARY_EXIT, message.epoch, params);
  const root = computeSigningRoot(VoluntaryExit, message, domain);
  return { publicKeys: keysOf(state, [message.validatorIndex], params), message: root, signature };
}

/** What a proposer signs. */
export function blockSigningRoot(
  state: ConsensusState,
  block: SignedBeaconBlock["message"],
  params: ChainParams,
): Uint8Array {
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
