/** Listens for keys of ours with which somebody else signs, before we do. See specs/node/validator-keys.md#doppelgangers. */
import type { ValidatorIndex } from "../../consensus/containers.ts";
import type { Engine } from "../../consensus/engine-state.ts";
import { computeEpochAtSlot, type Slot } from "../../consensus/time.ts";
import { firstVote } from "../../consensus/vote-records.ts";

/** Periods of which every slot is listened to: a validator that is online has a duty in each epoch of them. */
export const LISTENING_PERIODS = 2;

/** The node stops: a key of its own is used by another process. */
export class DoppelgangerError extends Error {
  override readonly name = "DoppelgangerError";
}

export type Doppelganger = { readonly validatorIndex: ValidatorIndex; readonly slot: Slot };

export type DoppelgangerPorts = {
  /** Read only: votes and proposals in it have verified signatures. */
  readonly engine: Pick<Engine, "chain" | "voteRecords" | "seenProposals">;
  /** When this process began; what was signed up to then may be our own. Negative before genesis. */
  readonly startSlot: Slot;
  /** These may sign from now on. */
  admit(validatorIndices: readonly ValidatorIndex[]): void;
  /** Somebody else signs: nothing of ours may. */
  onFound(found: Doppelganger): void;
};

export type DoppelgangerWatch = {
  /**
   * Validators that want to sign; who waits or signs already is passed over.
   * @param since what was signed up to this slot was not signed by somebody else: by us, or where the key was before.
   */
  join(validatorIndices: readonly ValidatorIndex[], since?: Slot): void;
  /** Their keys are gone; should they come back, they are listened for again. */
  leave(validatorIndices: readonly ValidatorIndex[]): void;
  /** At the end of each slot. @param isSynced whether the node hears what is signed now. */
  onSlot(slot: Slot, isSynced: boolean): void;
};

/**
 * Nobody is listened for on a chain that has not begun: if all its validators listened, there would be no chain.
 * Slots in which the node is behind do not count, for it hears nothing.
 */
export function createDoppelgangerWatch(ports: DoppelgangerPorts): DoppelgangerWatch {
  const { engine, startSlot, admit, onFound } = ports;
  const waiting = new Map<ValidatorIndex, { readonly since: Slot; readonly slotsLeft: number }>();
  const known = new Set<ValidatorIndex>();
  const listeningSlots = LISTENING_PERIODS * engine.chain.params.periodSlots;
  return {
    join(validatorIndices, since = startSlot) {
      const joined = validatorIndices.filter((index) => !known.has(index));
      for (const index of joined) known.add(index);
      if (since < 0) admit(joined);
      else for (const index of joined) waiting.set(index, { since, slotsLeft: listeningSlots });
    },
    leave(validatorIndices) {
      for (const index of validatorIndices) {
        known.delete(index);
        waiting.delete(index);
      }
    },
    onSlot(slot, isSynced) {
      const admitted: ValidatorIndex[] = [];
      for (const [validatorIndex, { since, slotsLeft }] of waiting) {
        if (slot > since && hasSigned(engine, validatorIndex, slot, since)) {
          waiting.clear();
          onFound({ validatorIndex, slot });
          return;
        }
        if (!isSynced) continue;
        waiting.set(validatorIndex, { since, slotsLeft: slotsLeft - 1 });
        if (slotsLeft <= 1) admitted.push(validatorIndex);
      }
      for (const index of admitted) waiting.delete(index);
      if (admitted.length > 0) admit(admitted);
    },
  };
}

/** Whether a vote of this slot's epoch, or a block of the slot, was seen that was signed after `since`. */
function hasSigned(
  { chain, voteRecords, seenProposals }: DoppelgangerPorts["engine"],
  validatorIndex: ValidatorIndex,
  slot: Slot,
  since: Slot,
): boolean {
  const epoch = computeEpochAtSlot(slot, chain.params);
  const vote = firstVote(voteRecords, epoch, validatorIndex);
  if (vote !== undefined && vote.data.slot > since) return true;
  for (const seen of seenProposals.values()) {
    if (seen.proposerIndex === validatorIndex && seen.slot > since && seen.slot <= slot) return true;
  }
  return false;
}
