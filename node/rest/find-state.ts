/** The state a client names: head, finalized, justified, genesis, a slot or a root. See specs/node/rest.md#identifiers. */
import { processSlots } from "../../consensus/process-slots.ts";
import { type ConsensusState, forkState, getStateRoot } from "../../consensus/state.ts";
import { getState } from "../../consensus/state-cache.ts";
import { equalBytes, fromHex, type Hash } from "../../primitives/bytes.ts";
import { canonicalBlockUpTo, isFinal } from "./find-block.ts";
import { badRequest, notFound } from "./rest-error.ts";
import type { RestView } from "./view.ts";

export type FoundState = { readonly state: ConsensusState; readonly isFinalized: boolean };

/** Empty slots a state is carried over for a question: one more costs about 0.1 ms. */
const ADVANCE_LIMIT_SLOTS = 64;

/**
 * A state is kept from the finalized block on; older ones are not rebuilt for a question.
 * @throws RestError 400 for what is no identifier, 404 for a state that is not kept.
 */
export function findState(view: RestView, id: string): FoundState {
  const { engine, genesis } = view;
  if (id === "head") return ofBlock(view, engine.store.headRoot);
  if (id === "finalized") return ofBlock(view, engine.settled.root);
  if (id === "justified") return ofBlock(view, engine.store.justified.root);
  if (id === "genesis" || id === "0") return { state: genesis.state, isFinalized: true };
  if (/^0x[0-9a-fA-F]{64}$/.test(id)) return ofRoot(view, id.toLowerCase() as Hash);
  if (/^\d{1,16}$/.test(id)) return ofSlot(view, Number(id));
  throw badRequest(`Invalid state ID: ${id.slice(0, 80)}`);
}

function ofBlock(view: RestView, root: Hash): FoundState {
  const { engine, genesis } = view;
  const state =
    root === engine.chain.genesisRoot && getState(engine.states, root) === undefined
      ? genesis.state
      : getState(engine.states, root);
  if (state === undefined) throw notKept(view);
  return { state, isFinalized: isFinal(view, state.slot) };
}

function ofRoot(view: RestView, root: Hash): FoundState {
  const wanted = fromHex(root);
  for (const { state } of view.engine.states.entries.values()) {
    if (equalBytes(getStateRoot(state), wanted)) return { state, isFinalized: isFinal(view, state.slot) };
  }
  if (equalBytes(getStateRoot(view.genesis.state), wanted)) {
    return { state: view.genesis.state, isFinalized: true };
  }
  throw notKept(view);
}

/** The post-state of the slot's block, or of the last one before it, carried on over the empty slots. */
function ofSlot(view: RestView, slot: number): FoundState {
  const { engine, params } = view;
  if (slot > engine.store.nowSlot) throw notFound("State not found: the slot lies in the future");
  const block = canonicalBlockUpTo(engine, slot);
  const state = block === undefined ? undefined : getState(engine.states, block.root);
  if (state === undefined) throw notKept(view);
  if (slot - state.slot > ADVANCE_LIMIT_SLOTS) {
    throw notFound(`State not found: the last block before slot ${slot} is of slot ${state.slot}`);
  }
  if (state.slot === slot) return { state, isFinalized: isFinal(view, slot) };
  const draft = forkState(state);
  processSlots(draft, slot, params);
  draft.commit();
  return { state: draft, isFinalized: isFinal(view, slot) };
}

function notKept({ blocks }: RestView) {
  return notFound(`State not found: states are kept from slot ${blocks.finality()?.slot ?? 0} on`);
}
