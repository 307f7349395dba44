/** A witness: the part of a state that a call reads, proven, as a state of its own. See specs/light/witness.md#verifying. */
import type { Address, Hash } from "../../primitives/bytes.ts";
import { keccak256Hex } from "../../primitives/hash.ts";
import { address, data, hash } from "../../rpc/schema.ts";
import type { Account, StateReader } from "../../vm/state/account.ts";
import { EMPTY_CODE_HASH } from "../../vm/state/account-codec.ts";
import { LightError } from "../light-error.ts";
import { readAnswer, readList, readObject } from "./node-answers.ts";
import { verifyAccount } from "./proven-account.ts";

/** As many as a node may send; more is no witness but a burden. */
const ACCOUNTS_LIMIT = 256;
const SLOTS_LIMIT = 2048;
const CODES_LIMIT = 256;

type ProvenEntry = { readonly account: Account | undefined; readonly words: ReadonlyMap<Hash, bigint> };

/**
 * The state a witness proves. Whatever is read of it that is not in the witness throws: a node that leaves something
 * out must not be able to make it look empty.
 *
 * @throws LightError
 */
export function witnessState(answer: unknown, stateRoot: Hash): StateReader {
  const witness = readObject(answer, "witness");
  const entries = new Map<Address, ProvenEntry>();
  for (const item of readList(witness["accounts"], "accounts", ACCOUNTS_LIMIT)) {
    const [at, entry] = readEntry(item, stateRoot);
    entries.set(at, entry);
  }
  const codes = new Map<Hash, Uint8Array>();
  for (const item of readList(witness["codes"], "codes", CODES_LIMIT)) {
    const code = readAnswer(data, item, "codes");
    codes.set(keccak256Hex(code), code);
  }
  const entryAt = (at: Address): ProvenEntry => {
    const entry = entries.get(at);
    if (entry === undefined) throw new LightError({ code: "LIGHT_WITNESS_INCOMPLETE", lacks: at });
    return entry;
  };
  return {
    account: (at) => entryAt(at).account,
    storage(at, slot) {
      const word = entryAt(at).words.get(slot);
      if (word === undefined)
        throw new LightError({ code: "LIGHT_WITNESS_INCOMPLETE", lacks: `${at} ${slot}` });
      return word;
    },
    code(codeHash) {
      const code = codes.get(codeHash);
      if (code === undefined && codeHash !== EMPTY_CODE_HASH) {
        throw new LightError({ code: "LIGHT_WITNESS_INCOMPLETE", lacks: `code ${codeHash}` });
      }
      return code;
    },
  };
}

function readEntry(item: unknown, stateRoot: Hash): readonly [Address, ProvenEntry] {
  const proof = readObject(item, "accounts");
  const at = readAnswer(address, proof["address"], "address");
  const slots = readList(proof["storageProof"], "storageProof", SLOTS_LIMIT).map((entry) =>
    readAnswer(hash, readObject(entry, "storageProof")["key"], "key"),
  );
  const { account, words } = verifyAccount(item, stateRoot, at, slots);
  return [at, { account, words: new Map(slots.map((slot, index) => [slot, words[index] ?? 0n])) }];
}
