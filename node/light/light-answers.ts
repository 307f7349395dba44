/** What a light client is told, as JSON: the same over the beacon API and over JSON-RPC. See specs/light/light-client.md#serving. */
import type { ConsensusState } from "../../consensus/state.ts";
import { getState } from "../../consensus/state-cache.ts";
import { computePeriodAtSlot } from "../../consensus/time.ts";
import type { FinalizedBlock } from "../../light/light-client.ts";
import { type ValidatorSet, validatorSetRoot } from "../../light/validator-set.ts";
import { encodeFinalizedBlock, encodeSetProof, encodeValidatorSet } from "../../light/wire.ts";
import { type Hash, toHex } from "../../primitives/bytes.ts";
import type { Json, JsonObject } from "../../rpc/json.ts";
import type { LightQuestion } from "../execution/port.ts";
import { loadBlock } from "../rest/find-block.ts";
import { notFound, RestError } from "../rest/rest-error.ts";
import type { RestView } from "../rest/view.ts";
import { buildFinalizedBlock, buildSetProof, hasSnapshot, validatorSetOf } from "./light-server.ts";

/** @throws RestError 404 for a period that is not kept, 503 while there is no proof. */
export function answerLight(view: RestView, { about, period }: LightQuestion): JsonObject {
  const set = setOf(view, finalizedState(view), period);
  switch (about) {
    case "validatorSet":
      return { root: toHex(validatorSetRoot(set)), set: encodeValidatorSet(set) as Json };
    case "finalizedBlock":
      return encodeFinalizedBlock(provenBlock(view, set)) as JsonObject;
    case "setChange": {
      const block = provenBlock(view, set);
      const state = postStateOf(view, toHex(block.certificate.source.root));
      const proof = encodeSetProof(buildSetProof(state, view.params)) as Json;
      return { block: encodeFinalizedBlock(block) as JsonObject, proof };
    }
  }
}

function finalizedState(view: RestView): ConsensusState {
  return postStateOf(view, view.engine.settled.root);
}

function postStateOf({ engine, genesis }: RestView, root: Hash): ConsensusState {
  const state = root === engine.chain.genesisRoot ? genesis.state : getState(engine.states, root);
  if (state === undefined) throw unavailable("the finalized state is being rebuilt");
  return state;
}

/** Of the period a client says it trusts; of the finalized block's when it says nothing. */
function setOf({ params }: RestView, state: ConsensusState, period?: number): ValidatorSet {
  const asked = period ?? computePeriodAtSlot(state.slot, params);
  if (!hasSnapshot(state, asked, params)) {
    throw notFound(`Validator set not found: those of ${params.randaoMixesLength} periods are kept`);
  }
  return validatorSetOf(state, asked, params);
}

function provenBlock(view: RestView, set: ValidatorSet): FinalizedBlock {
  const block = buildFinalizedBlock(view.engine, set, (root) => loadBlock(view, root)?.block.message);
  if (block === undefined) {
    throw unavailable(
      "two thirds of that set have not voted from the finalized checkpoint to the next one yet",
    );
  }
  return block;
}

function unavailable(reason: string): RestError {
  return new RestError(503, `Not available in this moment: ${reason}`);
}
