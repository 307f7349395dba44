/** Accounts and storage, proven against the state root of a proven block (EIP-1186). See specs/light/verified.md#accounts. */
import type { Address, Hash } from "../../primitives/bytes.ts";
import { data } from "../../rpc/schema.ts";
import type { Account } from "../../vm/state/account.ts";
import { NO_ACCOUNT } from "../../vm/state/account-codec.ts";
import { verifyAccountProof, verifyStorageProof } from "../../vm/state/proof.ts";
import { type AskNode, proven, readAnswer, readList, readObject } from "./node-answers.ts";
import type { ProvenHeader } from "./proven-block.ts";

/** Nodes of a proof: one per nibble of a hash and its end. */
const PROOF_NODES_LIMIT = 65;

export type ProvenAccount = {
  /** Undefined where the proof shows that there is none. */
  readonly account: Account | undefined;
  /** One word per slot asked for. */
  readonly words: readonly bigint[];
};

/** @throws LightError */
export async function fetchAccount(
  ask: AskNode,
  { hash: blockHash, header }: ProvenHeader,
  address: Address,
  slots: readonly Hash[],
): Promise<ProvenAccount> {
  return verifyAccount(
    await ask("eth_getProof", [address, slots, { blockHash }]),
    header.stateRoot,
    address,
    slots,
  );
}

/** Only the proofs in the answer are looked at: what it claims beside them is of no use. @throws LightError */
export function verifyAccount(
  answer: unknown,
  stateRoot: Hash,
  address: Address,
  slots: readonly Hash[],
): ProvenAccount {
  const { accountProof, storageProof } = readObject(answer, "proof");
  const nodes = readProof(accountProof, "accountProof");
  const account = proven("account", () => verifyAccountProof(stateRoot, address, nodes));
  const proofs = readList(storageProof, "storageProof", slots.length);
  const { storageRoot } = account ?? NO_ACCOUNT;
  const words = slots.map((slot, index) => {
    const proof = readProof(readObject(proofs[index], "storageProof")["proof"], "storageProof.proof");
    return proven("storage", () => verifyStorageProof(storageRoot, slot, proof));
  });
  return { account, words };
}

function readProof(json: unknown, at: string): Uint8Array[] {
  return readList(json, at, PROOF_NODES_LIMIT).map((node) => readAnswer(data, node, at));
}
