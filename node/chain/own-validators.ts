/** Which validators of this node's keys have duties, and from when. See specs/node/validator-keys.md#indices. */
import type { EngineEvent } from "../../consensus/engine-events.ts";
import type { Engine } from "../../consensus/engine-state.ts";
import type { ConsensusState } from "../../consensus/state.ts";
import { getState } from "../../consensus/state-cache.ts";
import type { Logger } from "../log.ts";
import { createDoppelgangerWatch } from "../validator/doppelganger.ts";
import { createKeyWatch, indicesOfKeys } from "../validator/key-indices.ts";
import type { Keyring } from "../validator/keyring.ts";

/** The node stops: a key of its own is used by another process. */
export class DoppelgangerError extends Error {
  override readonly name = "DoppelgangerError";
}

export type OwnValidatorsParts = {
  readonly engine: Engine;
  readonly keyring: Keyring;
  readonly submit: (event: EngineEvent) => void;
  /** Slot in which the process began; negative before genesis. */
  readonly startSlot: number;
  /** `--doppelganger`. */
  readonly listensFirst: boolean;
  readonly log: Logger;
  readonly fatal: (error: unknown) => void;
};

export type OwnValidators = {
  onFinalizedState(state: ConsensusState): void;
  onSlot(slot: number, isSynced: boolean): void;
};

/** With `listensFirst` the engine was opened without local validators: they get duties when nothing was heard. */
export function createOwnValidators(parts: OwnValidatorsParts): OwnValidators {
  const { engine, keyring, submit, listensFirst, log, fatal } = parts;
  if (!listensFirst) return { onFinalizedState: createKeyWatch(keyring, submit), onSlot: () => undefined };
  const watch = createDoppelgangerWatch({
    ...{ engine, startSlot: parts.startSlot },
    admit(validatorIndices) {
      log.info({ validators: validatorIndices.length }, "no doppelganger was heard: duties begin");
      submit({ type: "localValidatorsJoined", validatorIndices });
    },
    onFound({ validatorIndex, slot }) {
      fatal(
        new DoppelgangerError(
          `validator ${validatorIndex} signs somewhere else (slot ${slot}): stop the other process, ` +
            "bring its slashing protection here, and start again",
        ),
      );
    },
  });
  const anchor = getState(engine.states, engine.store.finalized.root);
  if (anchor !== undefined) watch.join(indicesOfKeys(anchor, keyring));
  const keyWatch = createKeyWatch(keyring, (event) => {
    if (event.type === "localValidatorsJoined") watch.join(event.validatorIndices);
  });
  return { onFinalizedState: keyWatch, onSlot: (slot, isSynced) => watch.onSlot(slot, isSynced) };
}
