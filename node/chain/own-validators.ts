/** Which validators of this node's keys have duties, and from when. See specs/node/validator-keys.md#indices. */
import type { EngineEvent } from "../../consensus/engine-events.ts";
import type { Engine } from "../../consensus/engine-state.ts";
import type { ConsensusState } from "../../consensus/state.ts";
import { getState } from "../../consensus/state-cache.ts";
import type { Hex } from "../../primitives/bytes.ts";
import type { Logger } from "../log.ts";
import { createDoppelgangerWatch, DoppelgangerError } from "../validator/doppelganger.ts";
import { createKeyWatch, indicesOfKeys } from "../validator/key-indices.ts";
import type { Keyring } from "../validator/keyring.ts";

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
  /** After the keyring got these keys: their validators have duties from now on, or listen first. */
  onKeysAdded(publicKeys: readonly Hex[]): void;
  /** After the keyring lost these keys. */
  onKeysRemoved(publicKeys: readonly Hex[]): void;
};

type Entry = Pick<OwnValidators, "onSlot"> & {
  join(validatorIndices: readonly number[], since?: number): void;
  leave(validatorIndices: readonly number[]): void;
};

/** With `listensFirst` the engine was opened without local validators: they get duties when nothing was heard. */
export function createOwnValidators(parts: OwnValidatorsParts): OwnValidators {
  const { engine, keyring, submit, listensFirst } = parts;
  const entry = listensFirst ? listeningEntry(parts) : openEntry(submit);
  let finalized = getState(engine.states, engine.store.finalized.root);
  const keyWatch = createKeyWatch(keyring, (event) => {
    if (event.type === "localValidatorsJoined") entry.join(event.validatorIndices);
  });
  const indicesOf = (publicKeys: readonly Hex[]) =>
    finalized === undefined ? [] : indicesOfKeys(finalized, new Set(publicKeys));
  return {
    onFinalizedState(state) {
      finalized = state;
      keyWatch(state);
    },
    onSlot: entry.onSlot,
    onKeysAdded(publicKeys) {
      const indices = indicesOf(publicKeys);
      if (indices.length > 0) entry.join(indices, engine.nowMs < 0 ? -1 : engine.store.nowSlot);
    },
    onKeysRemoved(publicKeys) {
      const validatorIndices = indicesOf(publicKeys);
      if (validatorIndices.length === 0) return;
      entry.leave(validatorIndices);
      submit({ type: "localValidatorsLeft", validatorIndices });
    },
  };
}

function openEntry(submit: OwnValidatorsParts["submit"]): Entry {
  return {
    join: (validatorIndices) => submit({ type: "localValidatorsJoined", validatorIndices }),
    leave: () => undefined,
    onSlot: () => undefined,
  };
}

function listeningEntry({ engine, keyring, submit, startSlot, log, fatal }: OwnValidatorsParts): Entry {
  const watch = createDoppelgangerWatch({
    ...{ engine, startSlot },
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
  return watch;
}
