/** Mixes the proposer's reveal into the period's randomness. See specs/consensus/state-transition.md#randao. */
import { sha256 } from "../primitives/hash.ts";
import type { ChainParams } from "./params.ts";
import { type ConsensusState, getCurrentRandaoMix } from "./state.ts";
import { computePeriodAtSlot } from "./time.ts";

export function processRandao(state: ConsensusState, randaoReveal: Uint8Array, params: ChainParams): void {
  const hash = sha256(randaoReveal);
  const mix = getCurrentRandaoMix(state, params).map((byte, index) => byte ^ (hash[index] ?? 0));
  const period = computePeriodAtSlot(state.slot, params);
  state.randaoMixes.set(period % params.randaoMixesLength, mix);
}
