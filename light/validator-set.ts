/** Who voted with what stake in a period, and the root that stands for it. See specs/light/light-client.md#the-validator-set. */
import { concatBytes } from "../primitives/bytes.ts";
import { bytesRoot, containerRoot, hashPair, listRoot, uint64Chunk } from "./merkle-root.ts";

/** What never changes on a chain and a verifier must know. */
export type LightChain = {
  /** In every signing domain. */
  readonly genesisValidatorsRoot: Uint8Array;
  readonly periodSlots: number;
  /** Length of the state's ring of weight snapshots. */
  readonly snapshotsLength: number;
  /** Slots for which a validator that left can still be slashed. */
  readonly withdrawabilityDelaySlots: number;
};

export type LightValidator = {
  /** 48 bytes. */
  readonly publicKey: Uint8Array;
  /** Increments of stake in the period's snapshot; 0 for who does not count. */
  readonly weight: number;
};

/** All validators of the registry when the period began, by index. */
export type ValidatorSet = LightChain & {
  readonly period: number;
  readonly validators: readonly LightValidator[];
};

/** As the registry's. */
const VALIDATORS_LIMIT = 2 ** 40;

/**
 * hash_tree_root of the set: all that a light client has to know to believe a certificate.
 * Cost: five hashes per validator.
 */
export function validatorSetRoot(set: ValidatorSet): Uint8Array {
  const validators = set.validators.map(({ publicKey, weight }) =>
    hashPair(bytesRoot(publicKey), uint64Chunk(weight)),
  );
  return containerRoot([
    set.genesisValidatorsRoot,
    uint64Chunk(set.periodSlots),
    uint64Chunk(set.snapshotsLength),
    uint64Chunk(set.withdrawabilityDelaySlots),
    uint64Chunk(set.period),
    listRoot(validators, VALIDATORS_LIMIT, validators.length),
  ]);
}

export function totalWeight({ validators }: ValidatorSet): bigint {
  return validators.reduce((sum, { weight }) => sum + BigInt(weight), 0n);
}

/** First four bytes of a domain for votes (DOMAIN_BEACON_ATTESTER). */
const ATTESTER_DOMAIN = Uint8Array.of(1, 0, 0, 0);

/** @see consensus-specs v1.5.0, phase0/beacon-chain.md, compute_domain */
export function attesterDomain(forkVersion: Uint8Array, { genesisValidatorsRoot }: LightChain): Uint8Array {
  const forkData = containerRoot([bytesRoot(forkVersion), genesisValidatorsRoot]);
  return concatBytes(ATTESTER_DOMAIN, forkData.subarray(0, 28));
}
