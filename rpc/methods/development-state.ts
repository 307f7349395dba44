/** Changing accounts of a development chain, and going back. See specs/rpc/development.md#state. */
import type { DevelopmentChain, StateEdit } from "../development-chain.ts";
import { isJsonObject } from "../json.ts";
import { type Method, method } from "../method.ts";
import {
  address,
  boolean,
  count,
  data,
  hash,
  optional,
  quantity,
  type Schema,
  SchemaError,
  storageSlot,
} from "../schema.ts";

/** The tools whose spelling of a method is answered. */
const TOOLS = ["anvil", "hardhat"] as const;

export function stateMethods(chain: DevelopmentChain): readonly Method[] {
  return [
    ...TOOLS.flatMap((tool) => [...editMethods(tool, chain), resetMethod(tool, chain)]),
    ...snapshotMethods(chain),
  ];
}

function editMethods(tool: string, chain: DevelopmentChain): readonly Method[] {
  const edit = async (change: StateEdit) => {
    await chain.edit(change);
    return true;
  };
  return [
    method({
      name: `${tool}_setBalance`,
      summary: "Gives an account a balance in wei.",
      params: { address, balance: quantity },
      result: boolean,
      handle: (_context, params) => edit({ kind: "balance", ...params }),
    }),
    method({
      name: `${tool}_setNonce`,
      summary: "Gives an account a nonce.",
      params: { address, nonce: quantity },
      result: boolean,
      handle: (_context, params) => edit({ kind: "nonce", ...params }),
    }),
    method({
      name: `${tool}_setCode`,
      summary: "Gives an account code: a container, or nothing.",
      params: { address, code: data },
      result: boolean,
      handle: (_context, params) => edit({ kind: "code", ...params }),
    }),
    method({
      name: `${tool}_setStorageAt`,
      summary: "Writes the 32-byte word in a storage slot.",
      params: { address, slot: storageSlot, value: hash },
      result: boolean,
      handle: (_context, params) => edit({ kind: "storage", ...params }),
    }),
  ];
}

/** Both tools fork another chain by this method; here it only goes back. */
const noForking: Schema<undefined> = optional({
  expects: "an object without forking",
  shape: { type: "object" },
  read(json, at) {
    if (isJsonObject(json) && isJsonObject(json["forking"]) && json["forking"]["jsonRpcUrl"] !== undefined) {
      throw new SchemaError(`${at}.forking`, "this chain forks no other");
    }
    return undefined;
  },
  write: () => null,
});

function resetMethod(tool: string, chain: DevelopmentChain): Method {
  return method({
    name: `${tool}_reset`,
    summary: "Goes back to genesis.",
    params: { options: noForking },
    result: boolean,
    async handle() {
      await chain.reset();
      return true;
    },
  });
}

function snapshotMethods(chain: DevelopmentChain): readonly Method[] {
  return [
    method({
      name: "evm_snapshot",
      summary: "Remembers the chain as it is; answers what evm_revert takes.",
      params: {},
      result: count,
      handle: () => chain.snapshot(),
    }),
    method({
      name: "evm_revert",
      summary: "Goes back to a snapshot, which is used up; false when there is no such snapshot.",
      params: { snapshot: count },
      result: boolean,
      handle: (_context, { snapshot }) => chain.revert(snapshot),
    }),
  ];
}
