/** Which pairs of signed messages cost their signer its stake: Ethereum's rules. See specs/consensus/finality.md#slashable-votes. */
import type { AttesterSlashing } from "./chain-containers.ts";
import {
  AttestationData,
  BeaconBlockHeader,
  type ProposerSlashing,
  type Validator,
  type ValidatorIndex,
} from "./containers.ts";
import type { Epoch } from "./time.ts";

/**
 * A double vote (two data for one target epoch) or a surround vote (the first around the second).
 * @see consensus-specs v1.5.0, phase0/beacon-chain.md, is_slashable_attestation_data
 */
export function isSlashableAttestationData(first: AttestationData, second: AttestationData): boolean {
  return isDoubleVote(first, second) || isSurroundVote(first, second);
}

function isDoubleVote(first: AttestationData, second: AttestationData): boolean {
  return first.target.epoch === second.target.epoch && !AttestationData.equals(first, second);
}

function isSurroundVote(outer: AttestationData, inner: AttestationData): boolean {
  return outer.source.epoch < inner.source.epoch && inner.target.epoch < outer.target.epoch;
}

/** Two different headers of one proposer for one slot. Signatures are checked elsewhere. */
export function isSlashableProposal({ signedHeader1, signedHeader2 }: ProposerSlashing): boolean {
  const first = signedHeader1.message;
  const second = signedHeader2.message;
  return (
    first.slot === second.slot &&
    first.proposerIndex === second.proposerIndex &&
    !BeaconBlockHeader.equals(first, second)
  );
}

/** Not slashed yet, and its stake still here. @see is_slashable_validator */
export function isSlashableValidator(validator: Validator, epoch: Epoch): boolean {
  return !validator.slashed && validator.activationEpoch <= epoch && epoch < validator.withdrawableEpoch;
}

/** Validators that signed both votes, ascending. */
export function equivocatorsOf({ attestation1, attestation2 }: AttesterSlashing): ValidatorIndex[] {
  const second = new Set(attestation2.attestingIndices);
  return attestation1.attestingIndices.filter((index) => second.has(index));
}
