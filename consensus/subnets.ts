/** Which gossip subnet carries a committee's votes. See specs/consensus/aggregation.md#subnets. */
import type { ChainParams } from "./params.ts";
import { forkAtSlot, type Slot } from "./time.ts";

/** Ethereum's number: one for each committee a slot can have (phase0/p2p-interface.md, ATTESTATION_SUBNET_COUNT). */
export const ATTESTATION_SUBNETS = 64;

/**
 * The subnet of a committee; neighbouring slots of an epoch use different ones while there are few committees.
 *
 * @param committees how many committees the slot has.
 * @see consensus-specs v1.5.0, phase0/validator.md, compute_subnet_for_attestation
 */
export function computeSubnet(
  slot: Slot,
  committeeIndex: number,
  committees: number,
  params: ChainParams,
): number {
  const { firstSlot, slotsPerEpoch } = forkAtSlot(slot, params);
  const slotOfEpoch = (slot - firstSlot) % slotsPerEpoch;
  return (committees * slotOfEpoch + committeeIndex) % ATTESTATION_SUBNETS;
}
