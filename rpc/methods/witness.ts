/** jurat_getWitness: a call, and all of the state it reads, with proofs. See specs/light/witness.md#the-method. */
import { toHex } from "../../primitives/bytes.ts";
import { blockParameter, requireBlock } from "../block-parameter.ts";
import { callParameter, checkCall } from "../call-request.ts";
import { encodeAccountProof } from "../encode-account-proof.ts";
import type { JsonObject } from "../json.ts";
import { arrayOf, HEX, record, ref } from "../json-schema.ts";
import { method } from "../method.ts";
import { ERROR_CODES, prunedHistory, RpcError } from "../rpc-errors.ts";
import { asJson, toQuantity } from "../schema.ts";

/** What one answer proves at most: a proof is a few kilobytes. */
const ACCOUNTS_LIMIT = 256;
const SLOTS_LIMIT = 2048;

export const getWitness = method({
  name: "jurat_getWitness",
  summary:
    "Runs a call and answers its result with every account, slot and code it read, proven against the state root.",
  params: { transaction: callParameter, block: blockParameter },
  result: asJson<JsonObject>(
    "a witness",
    record({
      blockHash: HEX.hash,
      outcome: { type: "string" },
      output: HEX.data,
      gasUsed: HEX.quantity,
      accounts: arrayOf(ref("AccountProof")),
      codes: arrayOf(HEX.data),
    }),
  ),
  async handle({ chain }, { transaction, block }) {
    checkCall(transaction, chain.chainId);
    const site = requireBlock(chain, block);
    const { call, accounts, codes } = await chain.witness(transaction, site);
    const slotCount = accounts.reduce((count, { slots }) => count + slots.length, 0);
    if (accounts.length > ACCOUNTS_LIMIT || slotCount > SLOTS_LIMIT) {
      throw new RpcError(
        ERROR_CODES.limitExceeded,
        `the call reads more than ${ACCOUNTS_LIMIT} accounts or ${SLOTS_LIMIT} slots`,
      );
    }
    const proofs = accounts.map(({ address, slots }) => {
      const proof = chain.proof(site.hash, address, slots);
      if (proof === undefined) throw prunedHistory("state", site.header.number, chain.oldestState());
      return encodeAccountProof(address, proof);
    });
    return {
      blockHash: site.hash,
      outcome: call.outcome,
      output: toHex(call.output),
      gasUsed: toQuantity(call.gasUsed),
      accounts: proofs,
      codes: codes.map(toHex),
    };
  },
});
