/** Finds slashable pairs of votes in the whole weak-subjectivity window: --slasher. See specs/consensus/slasher.md. */
import type {
  AttesterSlashing,
  ChainContainers,
  IndexedAttestation,
} from "../../consensus/chain-containers.ts";
import { findCrossing } from "../../consensus/link-index.ts";
import type { ChainParams } from "../../consensus/params.ts";
import { equivocatorsOf, isSlashableAttestationData } from "../../consensus/slashability.ts";
import { computeEpochAtSlot } from "../../consensus/time.ts";
import type { SignedVote } from "../../consensus/vote-records.ts";
import type { Database } from "../storage/database.ts";
import { VoteArchive } from "./vote-archive.ts";

export type Slasher = {
  /** Compares a verified vote with all that were seen, then remembers it. @returns evidence, each offender once. */
  onVote(vote: SignedVote): readonly AttesterSlashing[];
  /** Once a slot. Resolves when what has settled is in the database. */
  onSlot(slot: number): Promise<void>;
};

export type SlasherParts = {
  readonly database: Database;
  readonly containers: ChainContainers;
  readonly params: ChainParams;
};

export function openSlasher({ database, containers, params }: SlasherParts): Slasher {
  const archive = new VoteArchive(database, containers);
  const reported = new Set<number>();
  const windowEpochs = computeSlasherWindow(params);
  let lastEpoch = 0;
  return {
    onVote(vote) {
      const found = findOffences(archive, vote, reported);
      archive.add(vote);
      return found;
    },
    async onSlot(slot) {
      const epoch = computeEpochAtSlot(slot, params);
      if (epoch === lastEpoch) return;
      lastEpoch = epoch;
      await archive.onEpoch(epoch, windowEpochs);
    },
  };
}

/**
 * Epochs in which a vote can still cost its stake: stake is slashable until it is free, and as long as a node may start
 * from a checkpoint.
 */
export function computeSlasherWindow(params: ChainParams): number {
  const shortestEpoch = Math.min(...params.forks.map(({ slotsPerEpoch }) => slotsPerEpoch));
  return Math.ceil((params.minWithdrawabilityDelaySlots + params.slotsPerHistoricalRoot) / shortestEpoch);
}

function findOffences(
  archive: VoteArchive,
  { data, validatorIndices, signature }: SignedVote,
  reported: Set<number>,
): readonly AttesterSlashing[] {
  const vote: IndexedAttestation = { attestingIndices: [...validatorIndices], data, signature };
  const found: AttesterSlashing[] = [];
  for (const link of findCrossing(archive.links, { source: data.source.epoch, target: data.target.epoch })) {
    for (const other of archive.votesOn(link)) {
      const slashing = pairOf(vote, other);
      if (slashing === undefined) continue;
      const offenders = equivocatorsOf(slashing).filter((index) => !reported.has(index));
      if (offenders.length === 0) continue;
      for (const index of offenders) reported.add(index);
      found.push(slashing);
    }
  }
  return found;
}

/** The pair in the order evidence wants: the surrounding vote first. Undefined when it is no offence. */
function pairOf(a: IndexedAttestation, b: IndexedAttestation): AttesterSlashing | undefined {
  if (isSlashableAttestationData(a.data, b.data)) return { attestation1: a, attestation2: b };
  return isSlashableAttestationData(b.data, a.data) ? { attestation1: b, attestation2: a } : undefined;
}
