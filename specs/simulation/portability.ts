/** Whatever justified a checkpoint on one branch justifies it on every branch that contains it. See specs/simulation/invariants.md. */
import { findAttestationFault } from "../../consensus/attestation-rules.ts";
import type { Attestation } from "../../consensus/chain-containers.ts";
import type { Effect } from "../../consensus/engine-events.ts";
import { checkpointBlock } from "../../consensus/fork-choice-store.ts";
import { findJustified } from "../../consensus/justified-ring.ts";
import { processAttestations } from "../../consensus/process-attestations.ts";
import { processSlots } from "../../consensus/process-slots.ts";
import { forkState } from "../../consensus/state.ts";
import { getState } from "../../consensus/state-cache.ts";
import type { Hash } from "../../primitives/bytes.ts";
import type { SimulatedNode } from "./simulated-node.ts";
import { must } from "./violation.ts";

/** `prover` saw a checkpoint justified; could the branch that `other` follows adopt it? */
export function checkPortability(
  prover: SimulatedNode,
  other: SimulatedNode,
  { checkpoint, proofRoot }: Effect & { type: "justified" },
): void {
  const { engine } = other;
  const { store, chain } = engine;
  const { epoch, root } = checkpoint;
  if (checkpointBlock(store, store.headRoot, epoch) !== root) return;
  const votes = votesBelow(prover, proofRoot, store.headRoot);
  const state = getState(engine.states, store.headRoot);
  if (votes === undefined || state === undefined || findJustified(state, epoch) !== undefined) return;
  const draft = forkState(state);
  processSlots(draft, Math.max(draft.slot, store.nowSlot) + 1, chain.params);
  for (const vote of votes.filter(({ data }) => data.target.epoch <= epoch)) {
    const fault = findAttestationFault(draft, vote, chain.params);
    // Beyond that age a proof is not carried over; the valve goes to it.
    if (fault === "TOO_OLD") return;
    if (fault === undefined) processAttestations(draft, [vote], chain.params);
  }
  must(
    findJustified(draft, epoch) !== undefined,
    15,
    `what justified epoch ${epoch} does not on another branch`,
  );
}

/** Votes of the proof's branch, by target; undefined when the branch continues from `head` anyway. */
function votesBelow({ engine }: SimulatedNode, proofRoot: Hash, head: Hash): Attestation[] | undefined {
  const votes: Attestation[] = [];
  for (let at = engine.blocks.get(proofRoot); at !== undefined; at = engine.blocks.get(at.parentRoot)) {
    if (at.root === head) return undefined;
    votes.push(...at.attestations);
  }
  return votes.sort((a, b) => a.data.target.epoch - b.data.target.epoch);
}
