/** Registry indices of the keys this node holds, kept up as their validators join. See specs/node/validator-keys.md#indices. */
import type { EngineEvent } from "../../consensus/engine-events.ts";
import type { ConsensusState } from "../../consensus/state.ts";
import { toHex } from "../../primitives/bytes.ts";
import type { Keyring } from "./keyring.ts";

/** Indices at or above `from` whose keys are among these. */
export function indicesOfKeys(
  state: ConsensusState,
  keyring: Pick<Keyring, "has">,
  from = 0,
): readonly number[] {
  const indices: number[] = [];
  for (let index = from; index < state.validators.length; index++) {
    if (keyring.has(toHex(state.validators.getReadonly(index).pubkey))) indices.push(index);
  }
  return indices;
}

/**
 * Told each finalized state, tells the engine of validators that joined. A validator is active only after its place
 * in the registry is final, so none comes too late.
 */
export function createKeyWatch(
  keyring: Keyring,
  submit: (event: EngineEvent) => void,
): (finalized: ConsensusState) => void {
  let known = 0;
  return (finalized) => {
    if (finalized.validators.length === known) return;
    const validatorIndices = indicesOfKeys(finalized, keyring, known);
    known = finalized.validators.length;
    if (validatorIndices.length > 0) submit({ type: "localValidatorsJoined", validatorIndices });
  };
}
