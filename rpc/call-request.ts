/** The transaction object of eth_call and eth_estimateGas, and state overrides. See specs/rpc/calls.md. */
import { type Address, EMPTY_BYTES, equalBytes, type Hash, ZERO_ADDRESS } from "../primitives/bytes.ts";
import type { AccessListEntry } from "../vm/transaction.ts";
import type { CallRequest, StateOverride } from "./chain-view.ts";
import { isJsonObject, type Json } from "./json.ts";
import { invalidParams, serverError } from "./rpc-errors.ts";
import {
  address,
  data,
  hash,
  listOf,
  mapOf,
  objectOf,
  optional,
  quantity,
  type Schema,
  SchemaError,
  storageSlot,
} from "./schema.ts";

/** Entries of an access list, and keys of one entry, in a call. */
const ACCESS_LIST_LIMIT = 1000;
/** Accounts, and slots of one account, a call may override. */
const OVERRIDES = { limit: 1000 };

const accessList: Schema<readonly AccessListEntry[]> = listOf(
  objectOf("an access list entry", { address, storageKeys: listOf(hash, ACCESS_LIST_LIMIT) }),
  ACCESS_LIST_LIMIT,
);

const fields = objectOf("a transaction object", {
  from: optional(address, ZERO_ADDRESS),
  to: optional(address),
  gas: optional(quantity),
  gasPrice: optional(quantity),
  maxFeePerGas: optional(quantity),
  maxPriorityFeePerGas: optional(quantity),
  value: optional(quantity, 0n),
  nonce: optional(quantity),
  data: optional(data),
  input: optional(data),
  accessList: optional(accessList, []),
  chainId: optional(quantity),
});

/** A call as the client sent it: the chain id is checked by the method, which knows ours. */
export type CallParameter = CallRequest & { readonly chainId: bigint | undefined };

export const callParameter: Schema<CallParameter> = {
  expects: fields.expects,
  shape: fields.shape,
  read(json, at) {
    const { data: dataField, input, ...rest } = fields.read(json, at);
    if (isJsonObject(json)) refuseOtherTypes(json, at);
    if (dataField !== undefined && input !== undefined && !equalBytes(dataField, input)) {
      throw new SchemaError(
        at,
        'both "data" and "input" are set and not equal. Please use "input" to pass transaction call data',
      );
    }
    return { ...rest, data: input ?? dataField ?? EMPTY_BYTES };
  },
  write(call) {
    const json = fields.write({ ...call, input: call.data, data: undefined });
    return isJsonObject(json) ? (Object.fromEntries(Object.entries(json).filter(isPresent)) as Json) : json;
  },
};

function isPresent([, value]: [string, unknown]): boolean {
  return value !== null;
}

/** Blob and set-code transactions do not exist on this chain. */
function refuseOtherTypes(json: { readonly [name: string]: unknown }, at: string): void {
  for (const name of ["blobVersionedHashes", "maxFeePerBlobGas", "authorizationList"]) {
    const value = json[name];
    if (value === undefined || value === null) continue;
    throw new SchemaError(`${at}.${name}`, "transaction type not supported");
  }
}

/**
 * What a schema cannot see: the chain id, and fees that contradict each other.
 * @throws RpcError in geth's words.
 */
export function checkCall(call: CallParameter, chainId: number): void {
  const { gasPrice, maxFeePerGas, maxPriorityFeePerGas } = call;
  if (call.chainId !== undefined && call.chainId !== BigInt(chainId)) {
    throw invalidParams(`chainId does not match node's (have=${call.chainId}, want=${chainId})`);
  }
  if (gasPrice !== undefined && (maxFeePerGas !== undefined || maxPriorityFeePerGas !== undefined)) {
    throw invalidParams("both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified");
  }
  if (
    maxFeePerGas !== undefined &&
    maxPriorityFeePerGas !== undefined &&
    maxPriorityFeePerGas > maxFeePerGas
  ) {
    throw serverError("max priority fee per gas higher than max fee per gas");
  }
}

const overrideFields = objectOf("a state override", {
  balance: optional(quantity),
  nonce: optional(quantity),
  code: optional(data),
  state: optional(slotMap()),
  stateDiff: optional(slotMap()),
});

/** As optional fields may be there or not. @throws SchemaError when both kinds of storage are given. */
function readOverride(json: unknown, at: string): StateOverride {
  const read = overrideFields.read(json, at);
  if (read.state !== undefined && read.stateDiff !== undefined) {
    throw new SchemaError(at, "account has both 'state' and 'stateDiff'");
  }
  return withoutUndefined(read);
}

function writeOverride(value: StateOverride): Json {
  const { balance, nonce, code, state, stateDiff } = value;
  return overrideFields.write({ balance, nonce, code, state, stateDiff });
}

const override: Schema<StateOverride> = {
  expects: overrideFields.expects,
  shape: overrideFields.shape,
  read: readOverride,
  write: writeOverride,
};

/** By address. `state` replaces the whole storage, `stateDiff` single slots. */
export const stateOverrides: Schema<ReadonlyMap<Address, StateOverride>> = optional(
  mapOf("state overrides by address", address, override, OVERRIDES),
  new Map(),
);

/** Of eth_simulateV1: a precompile may also be had at another address. */
export type SimulatedOverride = StateOverride & { readonly movePrecompileToAddress?: Address };

const moveField = optional(address);
const simulatedOverride: Schema<SimulatedOverride> = {
  expects: overrideFields.expects,
  shape: { allOf: [overrideFields.shape, { properties: { movePrecompileToAddress: moveField.shape } }] },
  read(json, at) {
    const read = override.read(json, at);
    const given = isJsonObject(json) ? json["movePrecompileToAddress"] : undefined;
    const movePrecompileToAddress = moveField.read(given, `${at}.movePrecompileToAddress`);
    return movePrecompileToAddress === undefined ? read : { ...read, movePrecompileToAddress };
  },
  write: writeOverride,
};

export const simulatedOverrides: Schema<ReadonlyMap<Address, SimulatedOverride>> = optional(
  mapOf("state overrides by address", address, simulatedOverride, OVERRIDES),
  new Map(),
);

type Override<T> = { -readonly [K in keyof T]?: Exclude<T[K], undefined> };

function withoutUndefined<T extends object>(values: T): Override<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Override<T>;
}

function slotMap(): Schema<ReadonlyMap<Hash, bigint>> {
  const word: Schema<bigint> = {
    expects: hash.expects,
    shape: hash.shape,
    read: (json, at) => BigInt(hash.read(json, at)),
    write: (value) => `0x${value.toString(16).padStart(64, "0")}`,
  };
  return mapOf("words by storage slot", storageSlot, word, OVERRIDES);
}
