/** When a slashing or an exit may stand in a block: for the state transition, for gossip, for proposers. See specs/consensus/staking.md#operations. */
import type { AttesterSlashing } from "./chain-containers.ts";
import type { ProposerSlashing, ValidatorIndex, VoluntaryExit } from "./containers.ts";
import { doesAnotherStay } from "./exit-queue.ts";
import { hasAscendingIndices } from "./indexed-attestation.ts";
import type { ChainParams } from "./params.ts";
import { hasPendingPart } from "./process-withdrawals.ts";
import {
  equivocatorsOf,
  isSlashableAttestationData,
  isSlashableProposal,
  isSlashableValidator,
} from "./slashability.ts";
import type { ConsensusState } from "./state.ts";
import { computeEpochAtSlot, FAR_FUTURE_EPOCH } from "./time.ts";

/** What is wrong with the evidence itself, and what may be right on another chain or at another time. */
export type SlashingFault = "NO_OFFENCE" | "INVALID_INDICES" | "UNKNOWN_VALIDATOR" | "NOBODY_SLASHABLE";
export type ExitFault =
  | "UNKNOWN_VALIDATOR"
  | "NOT_ACTIVE"
  | "ALREADY_LEAVING"
  | "FROM_FUTURE"
  | "WITHDRAWAL_PENDING"
  | "LAST_VALIDATOR";

/** @see consensus-specs v1.5.0, phase0/beacon-chain.md, process_proposer_slashing */
export function findProposerSlashingFault(
  state: ConsensusState,
  slashing: ProposerSlashing,
  params: ChainParams,
): SlashingFault | undefined {
  if (!isSlashableProposal(slashing)) return "NO_OFFENCE";
  const { proposerIndex } = slashing.signedHeader1.message;
  if (proposerIndex >= state.validators.length) return "UNKNOWN_VALIDATOR";
  return isSlashable(state, proposerIndex, params) ? undefined : "NOBODY_SLASHABLE";
}

/** @see consensus-specs v1.5.0, phase0/beacon-chain.md, process_attester_slashing */
export function findAttesterSlashingFault(
  state: ConsensusState,
  slashing: AttesterSlashing,
  params: ChainParams,
): SlashingFault | undefined {
  const { attestation1, attestation2 } = slashing;
  const isOffence = isSlashableAttestationData(attestation1.data, attestation2.data);
  const isDouble = attestation1.data.target.epoch === attestation2.data.target.epoch;
  if (!isOffence || !(isDouble || params.rules.surroundVotesAreSlashable)) return "NO_OFFENCE";
  for (const attestation of [attestation1, attestation2]) {
    if (!hasAscendingIndices(attestation)) return "INVALID_INDICES";
    if ((attestation.attestingIndices.at(-1) ?? 0) >= state.validators.length) return "UNKNOWN_VALIDATOR";
  }
  return slashableEquivocators(state, slashing, params).length > 0 ? undefined : "NOBODY_SLASHABLE";
}

/** Who signed both and can still be slashed, ascending. */
export function slashableEquivocators(
  state: ConsensusState,
  slashing: AttesterSlashing,
  params: ChainParams,
): readonly ValidatorIndex[] {
  return equivocatorsOf(slashing).filter((index) => isSlashable(state, index, params));
}

function isSlashable(state: ConsensusState, index: ValidatorIndex, params: ChainParams): boolean {
  const validator = state.validators.getReadonly(index);
  return isSlashableValidator(validator, computeEpochAtSlot(state.slot, params));
}

/** @see consensus-specs v1.5.0, electra/beacon-chain.md, process_voluntary_exit */
export function findExitFault(
  state: ConsensusState,
  { epoch, validatorIndex }: VoluntaryExit,
  params: ChainParams,
): ExitFault | undefined {
  if (validatorIndex >= state.validators.length) return "UNKNOWN_VALIDATOR";
  const now = computeEpochAtSlot(state.slot, params);
  const { activationEpoch, exitEpoch } = state.validators.getReadonly(validatorIndex);
  if (exitEpoch !== FAR_FUTURE_EPOCH) return "ALREADY_LEAVING";
  if (activationEpoch > now) return "NOT_ACTIVE";
  if (epoch > now) return "FROM_FUTURE";
  if (hasPendingPart(state, validatorIndex)) return "WITHDRAWAL_PENDING";
  return doesAnotherStay(state, validatorIndex) ? undefined : "LAST_VALIDATOR";
}
