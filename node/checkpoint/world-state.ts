/** The world state of a checkpoint: from entries as they travel to accounts, slots and trie nodes. See specs/node/checkpoint-sync.md#the-world-state. */
import { type Address, bytesToBigInt, type Hash, toHex } from "../../primitives/bytes.ts";
import { CodedError, InvariantError } from "../../primitives/errors.ts";
import { keccak256Hex } from "../../primitives/hash.ts";
import type { Account, StateDiff } from "../../vm/state/account.ts";
import { EMPTY_CODE_HASH } from "../../vm/state/account-codec.ts";
import type { AccountChange } from "../../vm/state/journal.ts";
import { computeStateDiff } from "../../vm/state/state-diff.ts";
import { noNodes } from "../../vm/state/trie.ts";
import type { StateEntries } from "../execution/port.ts";
import { decodeAccount } from "../storage/state-codec.ts";
import { type Checkpoint, CheckpointError, unreadable } from "./checkpoint.ts";

const ADDRESS_BYTES = 20;
const SLOT_KEY_BYTES = 52;

/**
 * Builds every trie anew. The result's state root proves all accounts and slots at once: they are right, and
 * complete, exactly when it is the block's.
 *
 * @throws CheckpointError when entries cannot be read, or a contract's code is missing.
 */
export function stateDiffOf({
  accounts,
  storage,
  codes,
}: Pick<Checkpoint, "accounts" | "storage" | "codes">): StateDiff {
  const slots = slotsByAddress(storage);
  const codeByHash = new Map(codes.map((code) => [keccak256Hex(code), code]));
  const changes = new Map<Address, AccountChange>();
  for (const [key, value] of accounts) {
    if (key.length !== ADDRESS_BYTES) throw unreadable("accounts", "an address has 20 bytes");
    const address = toHex(key);
    const { nonce, balance, codeHash } = readAccount(value);
    if (codeHash !== EMPTY_CODE_HASH && !codeByHash.has(codeHash)) {
      throw new CheckpointError({
        code: "CHECKPOINT_WRONG",
        part: `code of ${address}`,
        expected: codeHash,
        actual: "none with this hash",
      });
    }
    changes.set(address, {
      before: undefined,
      after: { nonce, balance, codeHash },
      slots: slots.get(address) ?? new Map(),
    });
  }
  return computeStateDiff({ accounts: changes, codes: codeByHash }, { trieNode: (_, path) => noNodes(path) });
}

function slotsByAddress(storage: StateEntries): ReadonlyMap<Address, ReadonlyMap<Hash, bigint>> {
  const slots = new Map<Address, Map<Hash, bigint>>();
  for (const [key, value] of storage) {
    if (key.length !== SLOT_KEY_BYTES || value.length === 0 || value.length > 32) {
      throw unreadable("storage", "a slot has an address, a key and a word that is not zero");
    }
    const address = toHex(key.subarray(0, ADDRESS_BYTES));
    const known = slots.get(address) ?? new Map<Hash, bigint>();
    slots.set(address, known);
    known.set(toHex(key.subarray(ADDRESS_BYTES)), bytesToBigInt(value));
  }
  return slots;
}

/** The codec is for our own disk: what it takes for a broken invariant is a broken rule here. */
function readAccount(bytes: Uint8Array): Account {
  try {
    return decodeAccount(bytes);
  } catch (cause) {
    if (!(cause instanceof CodedError || cause instanceof InvariantError)) throw cause;
    throw unreadable("accounts", cause.message, cause);
  }
}
