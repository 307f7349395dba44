/** `validators`, `validators/{id}`, `validator_balances`, `pending_deposits`, `pending_partial_withdrawals` of a state. See specs/node/rest.md#validators. */
import {
  PendingDeposit,
  PendingPartialWithdrawal,
  Validator,
  type ValidatorIndex,
} from "../../consensus/containers.ts";
import type { ChainParams } from "../../consensus/params.ts";
import { findValidator, getRegistry, type Registry } from "../../consensus/registry.ts";
import type { ConsensusState } from "../../consensus/state.ts";
import { computeEpochAtSlot } from "../../consensus/time.ts";
import { fromHex, toHex } from "../../primitives/bytes.ts";
import { isJsonObject, type Json, type JsonObject } from "../../rpc/json.ts";
import { findState } from "./find-state.ts";
import { badRequest, notFound, RestError } from "./rest-error.ts";
import { get, json, listOf, post, type RestAnswer, type RestRequest, type Route } from "./route.ts";
import { provenance } from "./state-routes.ts";
import { isStatusFilter, matchesStatus, validatorStatus } from "./validator-status.ts";
import type { RestView } from "./view.ts";

const STATE = "/eth/v1/beacon/states/{state_id}";
/** The API's own limit for a GET; a POST's is that of its body. */
const IDS_LIMIT = 64;

export function validatorRoutes(view: RestView): readonly Route[] {
  const balances = (request: RestRequest, ids: readonly string[]) =>
    answerList(view, request, ids, [], balanceJson);
  const validators = (request: RestRequest, ids: readonly string[], statuses: readonly string[]) =>
    answerList(view, request, ids, statuses, (state, index) => validatorJson(state, index, view.params));
  return [
    get(`${STATE}/validators`, (request) =>
      validators(request, idsOf(request.query), listOf(request.query, "status")),
    ),
    post(`${STATE}/validators`, (request) => {
      const body = request.body ?? {};
      if (!isJsonObject(body)) throw badRequest("Invalid request body: expected an object");
      return validators(request, textsOf(body["ids"], "ids"), textsOf(body["statuses"], "statuses"));
    }),
    get(`${STATE}/validators/{validator_id}`, ({ path }) => {
      const found = findState(view, path["state_id"] ?? "");
      const index = indexOf(found.state, path["validator_id"] ?? "", view.params);
      if (index === undefined) throw notFound("Validator not found");
      return json({ ...provenance(found), data: validatorJson(found.state, index, view.params) });
    }),
    get(`${STATE}/validator_balances`, (request) => balances(request, idsOf(request.query))),
    post(`${STATE}/validator_balances`, (request) => balances(request, textsOf(request.body, "body"))),
    get(`${STATE}/pending_deposits`, ({ path }) => {
      const found = findState(view, path["state_id"] ?? "");
      const head = { version: "electra", ...provenance(found) };
      return { kind: "list", head, items: pendingDeposits(found.state) };
    }),
    get(`${STATE}/pending_partial_withdrawals`, ({ path }) => {
      const found = findState(view, path["state_id"] ?? "");
      const head = { version: "electra", ...provenance(found) };
      return { kind: "list", head, items: pendingWithdrawals(found.state) };
    }),
  ];
}

function answerList(
  view: RestView,
  { path }: RestRequest,
  ids: readonly string[],
  statuses: readonly string[],
  describe: (state: ConsensusState, index: ValidatorIndex) => JsonObject,
): RestAnswer {
  const found = findState(view, path["state_id"] ?? "");
  const { state } = found;
  const wrong = statuses.find((status) => !isStatusFilter(status));
  if (wrong !== undefined) throw badRequest(`Invalid status: ${wrong.slice(0, 80)}`);
  const indices = ids.map((id) => indexOf(state, id, view.params, ids.length));
  const chosen =
    ids.length === 0 ? everyIndex(state) : new Set(indices.filter((index) => index !== undefined));
  const epoch = computeEpochAtSlot(state.slot, view.params);
  const isWanted = (index: ValidatorIndex): boolean => {
    if (statuses.length === 0) return true;
    const validator = state.validators.getReadonly(index);
    const status = validatorStatus(validator, state.balances.get(index), epoch);
    return statuses.some((filter) => matchesStatus(status, filter));
  };
  return { kind: "list", head: provenance(found), items: each(state, chosen, isWanted, describe) };
}

function* each(
  state: ConsensusState,
  indices: Iterable<ValidatorIndex>,
  isWanted: (index: ValidatorIndex) => boolean,
  describe: (state: ConsensusState, index: ValidatorIndex) => JsonObject,
): Generator<JsonObject> {
  for (const index of indices) if (isWanted(index)) yield describe(state, index);
}

function* everyIndex({ validators }: ConsensusState): Generator<ValidatorIndex> {
  for (let index = 0; index < validators.length; index++) yield index;
}

/** By key, made once per registry: a request may name thousands of keys. */
const indicesByKey = new WeakMap<Registry, ReadonlyMap<string, ValidatorIndex>>();

function keysOf(registry: Registry): ReadonlyMap<string, ValidatorIndex> {
  let indices = indicesByKey.get(registry);
  if (indices === undefined) {
    indices = new Map(registry.publicKeys.map((key, index) => [toHex(key), index]));
    indicesByKey.set(registry, indices);
  }
  return indices;
}

/** So many keys are sooner found one by one than the map of all is made. */
const FEW_KEYS = 64;

/**
 * By index or key; undefined when nobody has it.
 * @param among how many are looked for.
 * @throws RestError 400 when it is neither.
 */
export function indexOf(
  state: ConsensusState,
  id: string,
  params: ChainParams,
  among = 1,
): ValidatorIndex | undefined {
  if (/^0x[0-9a-fA-F]{96}$/.test(id)) {
    const registry = getRegistry(state, params);
    return among <= FEW_KEYS ? findValidator(registry, fromHex(id)) : keysOf(registry).get(id.toLowerCase());
  }
  if (!/^\d{1,15}$/.test(id)) throw badRequest(`Invalid validator ID: ${id.slice(0, 110)}`);
  return Number(id) < state.validators.length ? Number(id) : undefined;
}

function validatorJson(state: ConsensusState, index: ValidatorIndex, params: ChainParams): JsonObject {
  const validator = state.validators.getReadonly(index);
  const balance = state.balances.get(index);
  return {
    index: String(index),
    balance: String(balance),
    status: validatorStatus(validator, balance, computeEpochAtSlot(state.slot, params)),
    validator: Validator.toJson(validator) as Json,
  };
}

function balanceJson(state: ConsensusState, index: ValidatorIndex): JsonObject {
  return { index: String(index), balance: String(state.balances.get(index)) };
}

function* pendingDeposits({ pendingDeposits: deposits }: ConsensusState): Generator<Json> {
  for (let i = 0; i < deposits.length; i++) yield PendingDeposit.toJson(deposits.getReadonly(i)) as Json;
}

function* pendingWithdrawals({ pendingPartialWithdrawals: parts }: ConsensusState): Generator<Json> {
  for (let i = 0; i < parts.length; i++) {
    yield PendingPartialWithdrawal.toJson(parts.getReadonly(i)) as Json;
  }
}

function idsOf(query: URLSearchParams): readonly string[] {
  const ids = listOf(query, "id");
  if (ids.length > IDS_LIMIT) throw new RestError(414, "Too many validator IDs in request");
  return ids;
}

function textsOf(value: unknown, name: string): readonly string[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
  throw badRequest(`Invalid ${name}: expected an array of strings`);
}
