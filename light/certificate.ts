/** Finality, proven by the votes alone. See specs/light/light-client.md#certificates. */
import { blsFastAggregateVerify } from "../primitives/bls.ts";
import { equalBytes, toHex } from "../primitives/bytes.ts";
import { LightError } from "./light-error.ts";
import { containerRoot, hashPair, uint64Chunk } from "./merkle-root.ts";
import { attesterDomain, totalWeight, type ValidatorSet, validatorSetRoot } from "./validator-set.ts";

export type LightCheckpoint = { readonly epoch: number; readonly root: Uint8Array };

/** Votes with equal data under one signature. Votes over one link may differ in slot and head. */
export type CertifiedVotes = {
  readonly slot: number;
  readonly beaconBlockRoot: Uint8Array;
  /** Ascending validator indices. */
  readonly participants: readonly number[];
  /** Aggregate of the participants' signatures, 96 bytes. */
  readonly signature: Uint8Array;
};

/** Votes from `source` to `target`, the next epoch: they make `source` final. */
export type FinalityCertificate = {
  /** Of the fork in force in the target's epoch. A wrong one makes the signatures wrong. */
  readonly forkVersion: Uint8Array;
  readonly source: LightCheckpoint;
  readonly target: LightCheckpoint;
  readonly votes: readonly CertifiedVotes[];
};

export type CertificateOptions = {
  /** Fork versions to believe; all when it is left out. For who follows one side of a split. */
  readonly forkVersions?: readonly Uint8Array[];
};

/**
 * Returns when at least two thirds of the set's stake signed for the link, and throws otherwise.
 *
 * @param set whose root is `trustedRoot`, or it is refused.
 * @throws LightError
 */
export function verifyCertificate(
  certificate: FinalityCertificate,
  set: ValidatorSet,
  trustedRoot: Uint8Array,
  { forkVersions }: CertificateOptions = {},
): void {
  const actual = validatorSetRoot(set);
  if (!equalBytes(actual, trustedRoot)) {
    throw new LightError({
      code: "LIGHT_OTHER_VALIDATOR_SET",
      expected: toHex(trustedRoot),
      actual: toHex(actual),
    });
  }
  const { source, target, forkVersion } = certificate;
  if (forkVersions?.some((version) => equalBytes(version, forkVersion)) === false) {
    throw new LightError({ code: "LIGHT_OTHER_FORK", version: toHex(forkVersion) });
  }
  // Over a longer link the source is final only when every epoch between is justified, which votes for it do not say.
  if (target.epoch !== source.epoch + 1) {
    throw new LightError({ code: "LIGHT_EPOCHS_NOT_ADJACENT", source: source.epoch, target: target.epoch });
  }
  checkAge(certificate, set);
  checkWeight(certificate, set);
  checkSignatures(certificate, set);
}

/** Stake that has left can no longer be slashed for what it signs. */
function checkAge({ votes }: FinalityCertificate, set: ValidatorSet): void {
  const lastSlot = set.period * set.periodSlots + set.withdrawabilityDelaySlots;
  for (const { slot } of votes) {
    if (slot > lastSlot) throw new LightError({ code: "LIGHT_SET_TOO_OLD", voteSlot: slot, lastSlot });
  }
}

function checkWeight({ votes }: FinalityCertificate, set: ValidatorSet): void {
  const counted = new Set<number>();
  let voted = 0n;
  for (const validatorIndex of votes.flatMap(({ participants }) => participants)) {
    const validator = set.validators[validatorIndex];
    if (validator === undefined) throw new LightError({ code: "LIGHT_UNKNOWN_VOTER", validatorIndex });
    if (counted.has(validatorIndex)) {
      throw new LightError({ code: "LIGHT_VOTER_COUNTED_TWICE", validatorIndex });
    }
    counted.add(validatorIndex);
    voted += BigInt(validator.weight);
  }
  const total = totalWeight(set);
  // Multiplied out: dividing would round the threshold down.
  if (total === 0n || 3n * voted < 2n * total) {
    throw new LightError({ code: "LIGHT_TOO_FEW_VOTES", voted, total });
  }
}

function checkSignatures(certificate: FinalityCertificate, set: ValidatorSet): void {
  const domain = attesterDomain(certificate.forkVersion, set);
  for (const [vote, votes] of certificate.votes.entries()) {
    const keys = votes.participants.map((index) => set.validators[index]?.publicKey ?? new Uint8Array(48));
    const signingRoot = hashPair(attestationDataRoot(certificate, votes), domain);
    if (!blsFastAggregateVerify(keys, signingRoot, votes.signature)) {
      throw new LightError({ code: "LIGHT_WRONG_SIGNATURE", vote });
    }
  }
}

/** hash_tree_root(AttestationData); `index` is 0 (EIP-7549). */
function attestationDataRoot(
  { source, target }: FinalityCertificate,
  { slot, beaconBlockRoot }: CertifiedVotes,
): Uint8Array {
  const fields = [uint64Chunk(slot), uint64Chunk(0), beaconBlockRoot];
  return containerRoot([...fields, checkpointRoot(source), checkpointRoot(target)]);
}

function checkpointRoot({ epoch, root }: LightCheckpoint): Uint8Array {
  return hashPair(uint64Chunk(epoch), root);
}
