/** Slashings and exits from gossip, and evidence of our own. See specs/consensus/gossip-rules.md#operations. */
import type { SignatureSet } from "../primitives/bls.ts";
import { getStateInPeriod } from "./advanced-state.ts";
import type { AttesterSlashing } from "./chain-containers.ts";
import type { EngineEvent, Evidence } from "./engine-events.ts";
import { type Engine, emit, openJob } from "./engine-state.ts";
import { onEquivocation } from "./fork-choice.ts";
import { addOperation, isPooled, type Operation } from "./operation-pool.ts";
import {
  type ExitFault,
  findAttesterSlashingFault,
  findExitFault,
  findProposerSlashingFault,
  type SlashingFault,
} from "./operation-rules.ts";
import type { ChainParams } from "./params.ts";
import {
  attesterSlashingSignatureSets,
  exitSignatureSet,
  proposerSlashingSignatureSets,
} from "./signature-sets.ts";
import { equivocatorsOf } from "./slashability.ts";
import type { ConsensusState } from "./state.ts";

/** Faults of the message itself; the others may be right on the sender's chain, or were right a moment ago. */
const REJECTED: ReadonlySet<SlashingFault | ExitFault> = new Set(["NO_OFFENCE", "INVALID_INDICES"]);

export function onOperationReceived(
  engine: Engine,
  { operation, messageId }: EngineEvent & { type: "operationReceived" },
): void {
  const { store, chain } = engine;
  if (isPooled(engine.operationPool, operation)) {
    emit(engine, { type: "gossipVerdict", messageId, verdict: "ignore", reason: "OPERATION_ALREADY_KNOWN" });
    return;
  }
  const state = getStateInPeriod(engine, store.headRoot, store.nowSlot);
  if (state === undefined) {
    emit(engine, { type: "gossipVerdict", messageId, verdict: "ignore", reason: "OPERATION_STATE_NOT_KEPT" });
    return;
  }
  const fault = findFault(state, operation, chain.params);
  if (fault !== undefined && !(fault === "NOBODY_SLASHABLE" && silencesSomebody(engine, operation))) {
    const verdict = REJECTED.has(fault) ? "reject" : "ignore";
    emit(engine, { type: "gossipVerdict", messageId, verdict, reason: `OPERATION_${fault}` });
    return;
  }
  const id = openJob(engine, { kind: "operation", operation, messageId });
  emit(engine, {
    type: "verifySignatures",
    id,
    sets: setsOf(state, operation, chain.params),
    urgency: "vote",
  });
}

/**
 * Whether a vote that still weighs in fork choice is to be left out for a pair of votes, although its validator was slashed for something else.
 * @see consensus-specs v1.5.0, phase0/fork-choice.md, on_attester_slashing, which asks for the offence alone
 */
function silencesSomebody({ store }: Engine, operation: Operation): boolean {
  if (operation.kind !== "attesterSlashing") return false;
  return equivocatorsOf(operation.slashing).some(
    (index) => store.votes.equivocating[index] !== 1 && (store.balances[index] ?? 0) > 0,
  );
}

function findFault(
  state: ConsensusState,
  operation: Operation,
  params: ChainParams,
): SlashingFault | ExitFault | undefined {
  if (operation.kind === "proposerSlashing") {
    return findProposerSlashingFault(state, operation.slashing, params);
  }
  if (operation.kind === "attesterSlashing") {
    return findAttesterSlashingFault(state, operation.slashing, params);
  }
  return findExitFault(state, operation.exit.message, params);
}

function setsOf(state: ConsensusState, operation: Operation, params: ChainParams): readonly SignatureSet[] {
  if (operation.kind === "proposerSlashing") {
    return proposerSlashingSignatureSets(state, operation.slashing, params);
  }
  if (operation.kind === "attesterSlashing") {
    return attesterSlashingSignatureSets(state, operation.slashing, params);
  }
  return [exitSignatureSet(state, operation.exit, params)];
}

export function onOperationVerified(
  engine: Engine,
  operation: Operation,
  messageId: string,
  valid: readonly boolean[],
): void {
  if (!valid.every(Boolean)) {
    emit(engine, {
      type: "gossipVerdict",
      messageId,
      verdict: "reject",
      reason: "OPERATION_WRONG_SIGNATURE",
    });
    return;
  }
  addOperation(engine.operationPool, operation);
  if (operation.kind === "attesterSlashing") onEquivocation(engine.store, equivocatorsOf(operation.slashing));
  emit(engine, { type: "gossipVerdict", messageId, verdict: "accept", reason: "OPERATION_ACCEPTED" });
}

/** Two conflicting messages with good signatures were seen here: kept for our next block, and told to everyone. */
export function giveEvidence(engine: Engine, evidence: Evidence): void {
  addOperation(engine.operationPool, evidence);
  emit(engine, { type: "slashingEvidence", evidence });
}

/** A pair of votes the slasher found: used when it is of use on the head's chain, as evidence of our own. */
export function onEvidenceFound(engine: Engine, slashing: AttesterSlashing): void {
  const { store, chain, operationPool } = engine;
  const evidence = { kind: "attesterSlashing", slashing } as const;
  onEquivocation(store, equivocatorsOf(slashing));
  const state = getStateInPeriod(engine, store.headRoot, store.nowSlot);
  const isUseless =
    state === undefined || findAttesterSlashingFault(state, slashing, chain.params) !== undefined;
  if (!isUseless && !isPooled(operationPool, evidence)) giveEvidence(engine, evidence);
}
