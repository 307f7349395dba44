/** Proofs of an account and its slots as clients see them (EIP-1186). See specs/rpc/objects.md. */
import { type Address, toHex } from "../primitives/bytes.ts";
import type { AccountProof } from "./chain-view.ts";
import type { JsonObject } from "./json.ts";
import { toQuantity } from "./schema.ts";

/** `keys` are the slots as the client wrote them; without them they are written in full. */
export function encodeAccountProof(
  address: Address,
  { account, accountProof, storageProof }: AccountProof,
  keys: readonly string[] = [],
): JsonObject {
  return {
    address,
    balance: toQuantity(account.balance),
    nonce: toQuantity(account.nonce),
    codeHash: account.codeHash,
    storageHash: account.storageRoot,
    accountProof: accountProof.map(toHex),
    storageProof: storageProof.map((entry, index) => ({
      key: keys[index] ?? entry.slot,
      value: toQuantity(entry.value),
      proof: entry.proof.map(toHex),
    })),
  };
}
