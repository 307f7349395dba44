/** eth_sendRawTransactionSync (EIP-7966). See specs/rpc/methods.md#transactions. */
import { keccak256Hex } from "../../primitives/hash.ts";
import type { JsonObject } from "../json.ts";
import { ref } from "../json-schema.ts";
import { method } from "../method.ts";
import { ERROR_CODES, RpcError } from "../rpc-errors.ts";
import { asJson, data, numberOrCount, optional } from "../schema.ts";
import { findReceipt } from "./transactions.ts";

export const sendRawTransactionSync = method({
  name: "eth_sendRawTransactionSync",
  summary: "Admits a signed transaction and answers its receipt as soon as a block holds it.",
  params: { transaction: data, timeoutMs: optional(numberOrCount("a number of milliseconds")) },
  result: asJson<JsonObject>("a receipt", ref("Receipt")),
  async handle({ chain, receiptWaits, limits }, params) {
    const asked = params.timeoutMs ?? limits.receiptTimeoutMs;
    const timeoutMs = Math.min(asked, limits.receiptTimeoutMaximumMs);
    const hash = keccak256Hex(params.transaction);
    const wait = receiptWaits.begin(hash, timeoutMs);
    try {
      await chain.submitTransaction(params.transaction);
      await wait.ended;
    } finally {
      wait.cancel();
    }
    const receipt = findReceipt(chain, hash);
    if (receipt !== null) return receipt;
    const text = `The transaction was added to the transaction pool but wasn't processed in ${timeoutMs / 1000}s`;
    throw new RpcError(ERROR_CODES.notIncludedInTime, text, hash);
  },
});
