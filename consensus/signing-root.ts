/** Domains and signing roots: what a validator key signs. See specs/consensus/selection.md#signing. */
import type { Type } from "@chainsafe/ssz";
import { concatBytes, fromHex } from "../primitives/bytes.ts";
import { type Domain, type DomainType, ForkData, SigningData } from "./containers.ts";
import type { ChainParams } from "./params.ts";
import { type Epoch, forkAtEpoch } from "./time.ts";

export const DOMAIN_BEACON_PROPOSER: DomainType = fromHex("0x00000000");
export const DOMAIN_BEACON_ATTESTER: DomainType = fromHex("0x01000000");
export const DOMAIN_RANDAO: DomainType = fromHex("0x02000000");
export const DOMAIN_DEPOSIT: DomainType = fromHex("0x03000000");
export const DOMAIN_VOLUNTARY_EXIT: DomainType = fromHex("0x04000000");
export const DOMAIN_SELECTION_PROOF: DomainType = fromHex("0x05000000");
export const DOMAIN_AGGREGATE_AND_PROOF: DomainType = fromHex("0x06000000");

/**
 * Ties a signature to its kind, fork and chain.
 *
 * @param forkVersion four bytes.
 * @see consensus-specs v1.5.0, phase0/beacon-chain.md, compute_domain
 */
export function computeDomain(
  domainType: DomainType,
  forkVersion: Uint8Array,
  genesisValidatorsRoot: Uint8Array,
): Domain {
  return concatBytes(domainType, computeForkDataRoot(forkVersion, genesisValidatorsRoot).subarray(0, 28));
}

/** Root that tells forks and chains apart. */
export function computeForkDataRoot(forkVersion: Uint8Array, genesisValidatorsRoot: Uint8Array): Uint8Array {
  return ForkData.hashTreeRoot({ currentVersion: forkVersion, genesisValidatorsRoot });
}

/** First four bytes of the fork data root: names topics and tells peers of other chains apart. */
export function computeForkDigest(forkVersion: Uint8Array, genesisValidatorsRoot: Uint8Array): Uint8Array {
  return computeForkDataRoot(forkVersion, genesisValidatorsRoot).subarray(0, 4);
}

/** The domain for messages of `epoch`, by the fork in force then. */
export function getDomain(
  domainType: DomainType,
  epoch: Epoch,
  genesisValidatorsRoot: Uint8Array,
  params: ChainParams,
): Domain {
  return computeDomain(domainType, fromHex(forkAtEpoch(epoch, params).version), genesisValidatorsRoot);
}

/** The 32 bytes that are signed for `value`. */
export function computeSigningRoot<T>(type: Type<T>, value: T, domain: Domain): Uint8Array {
  return signingRootOf(type.hashTreeRoot(value), domain);
}

/** The same, for a value whose root is known. */
export function signingRootOf(objectRoot: Uint8Array, domain: Domain): Uint8Array {
  return SigningData.hashTreeRoot({ objectRoot, domain });
}
