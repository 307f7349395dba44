/** `/eth/v1/beacon/states/…` but for the registry. See specs/node/rest.md#states. */
import { Fork } from "../../consensus/containers.ts";
import type { ChainParams } from "../../consensus/params.ts";
import { getCommittees } from "../../consensus/selection.ts";
import { type ConsensusState, getRandaoMix, getStateRoot } from "../../consensus/state.ts";
import {
  computeEpochAtSlot,
  computePeriodAtEpoch,
  computePeriodAtSlot,
  computeStartSlotAtEpoch,
  forkAtEpoch,
} from "../../consensus/time.ts";
import { toHex } from "../../primitives/bytes.ts";
import type { Json, JsonObject } from "../../rpc/json.ts";
import { type FoundState, findState } from "./find-state.ts";
import { badRequest } from "./rest-error.ts";
import { get, json, numberOf, type RestRequest, type Route } from "./route.ts";
import type { RestView } from "./view.ts";

const STATE = "/eth/v1/beacon/states/{state_id}";

export function stateRoutes(view: RestView): readonly Route[] {
  const about = (name: string, data: (state: ConsensusState, request: RestRequest) => Json) =>
    get(`${STATE}/${name}`, (request) => {
      const found = findState(view, request.path["state_id"] ?? "");
      return json({ ...provenance(found), data: data(found.state, request) });
    });
  return [
    about("root", (state) => ({ root: toHex(getStateRoot(state)) })),
    about("fork", (state) => Fork.toJson(state.fork) as Json),
    about("finality_checkpoints", finalityCheckpoints),
    about("randao", (state, { query }) => ({ randao: toHex(randao(view, state, query)) })),
    get(`${STATE}/committees`, ({ path, query }) => {
      const found = findState(view, path["state_id"] ?? "");
      return { kind: "list", head: provenance(found), items: committees(view, found.state, query) };
    }),
  ];
}

/** Every block is executed before it is in the tree, so nothing is ever optimistic. */
export function provenance({ isFinalized }: FoundState): JsonObject {
  return { execution_optimistic: false, finalized: isFinalized };
}

/** The newest justified checkpoint, the justified one before it, and the finalized one. */
function finalityCheckpoints(state: ConsensusState): Json {
  const { finalized, justified, justifiedRing } = state;
  let last = justifiedRing.length - 1;
  while (last >= 0 && justifiedRing.get(last).epoch >= justified.epoch) last -= 1;
  return {
    previous_justified: checkpointJson(last < 0 ? finalized : justifiedRing.get(last)),
    current_justified: checkpointJson(justified),
    finalized: checkpointJson(finalized),
  };
}

function checkpointJson({ epoch, root }: { readonly epoch: number; readonly root: Uint8Array }): Json {
  return { epoch: String(epoch), root: toHex(root) };
}

/** One mix per period: an epoch has that of its period. */
function randao({ params }: RestView, state: ConsensusState, query: URLSearchParams): Uint8Array {
  const epoch = numberOf(query, "epoch") ?? computeEpochAtSlot(state.slot, params);
  const newest = computePeriodAtSlot(state.slot, params);
  const period = computePeriodAtEpoch(epoch, params);
  if (period > newest || period <= newest - params.randaoMixesLength) {
    throw badRequest("Epoch is out of range for the `randao_mixes` of the state");
  }
  return getRandaoMix(state, period, params);
}

/** Checked before the first committee is made, because an answer that has begun cannot be refused. */
function committees(
  { params }: RestView,
  state: ConsensusState,
  query: URLSearchParams,
): Iterable<JsonObject> {
  const now = computeEpochAtSlot(state.slot, params);
  const slot = numberOf(query, "slot");
  const index = numberOf(query, "index");
  const epoch = numberOf(query, "epoch") ?? (slot === undefined ? now : computeEpochAtSlot(slot, params));
  if (slot !== undefined && computeEpochAtSlot(slot, params) !== epoch) {
    throw badRequest("Slot does not belong in epoch");
  }
  const first = computeStartSlotAtEpoch(epoch, params);
  const isNear =
    first + params.slotsPerHistoricalRoot > state.slot && first <= state.slot + params.periodSlots;
  if (!isNear) throw badRequest(`Invalid epoch: ${epoch} is too far from the state's epoch ${now}`);
  const count = forkAtEpoch(epoch, params).slotsPerEpoch;
  const slots = slot === undefined ? Array.from({ length: count }, (_, offset) => first + offset) : [slot];
  return committeesOf(state, slots, index, params);
}

function* committeesOf(
  state: ConsensusState,
  slots: readonly number[],
  wanted: number | undefined,
  params: ChainParams,
): Generator<JsonObject> {
  for (const slot of slots) {
    for (const [index, members] of getCommittees(state, slot, params).entries()) {
      if (wanted !== undefined && index !== wanted) continue;
      yield { index: String(index), slot: String(slot), validators: [...members].map(String) };
    }
  }
}
