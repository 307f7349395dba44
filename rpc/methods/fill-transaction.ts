/** eth_fillTransaction: a transaction made complete, ready to be signed. See specs/rpc/calls.md#filling-in. */

import { toHex } from "../../primitives/bytes.ts";
import { keccak256Hex } from "../../primitives/hash.ts";
import { encodeTransaction as encodeRaw, type UnsignedTransaction } from "../../vm/transaction-codec.ts";
import { LATEST, requireBlock } from "../block-parameter.ts";
import { type CallParameter, callParameter, checkCall } from "../call-request.ts";
import type { ChainView } from "../chain-view.ts";
import { encodeTransaction } from "../encode-transaction.ts";
import { suggestTip } from "../fee-oracle.ts";
import type { JsonObject } from "../json.ts";
import { HEX, record, ref } from "../json-schema.ts";
import { method } from "../method.ts";
import { callError } from "../revert-reason.ts";
import { invalidParams } from "../rpc-errors.ts";
import { asJson } from "../schema.ts";

/** The fee cap covers a base fee this many times today's: six full blocks in a row; geth's. */
const BASE_FEE_FACTOR = 2n;
/** The signature of a transaction that has none yet. */
const UNSIGNED = { yParity: 0, r: 0n, s: 0n } as const;

export const fillTransaction = method({
  name: "eth_fillTransaction",
  summary: "The transaction with nonce, gas and fees filled in, and its encoding without a signature.",
  params: { transaction: callParameter },
  result: asJson<JsonObject>(
    "an unsigned transaction and its bytes",
    record({ raw: HEX.data, tx: ref("Transaction") }),
  ),
  async handle({ chain }, params) {
    checkCall(params.transaction, chain.chainId);
    if (params.transaction.to === undefined && params.transaction.data.length === 0) {
      throw invalidParams("contract creation without any data provided");
    }
    const transaction = { ...(await fillIn(chain, params.transaction)), ...UNSIGNED };
    const raw = encodeRaw(transaction);
    const recovered = { transaction, hash: keccak256Hex(raw), sender: params.transaction.from, raw };
    return { raw: toHex(raw), tx: encodeTransaction(recovered, undefined) };
  },
});

/**
 * What the client left out is chosen as a wallet would: the next nonce, the estimate, today's fees.
 * @throws RpcError when the gas is to be estimated and the transaction would fail.
 */
export async function fillIn(chain: ChainView, call: CallParameter): Promise<UnsignedTransaction> {
  const fees = feesOf(chain, call);
  const { from, to, value, data, accessList } = call;
  const rest = {
    chainId: BigInt(chain.chainId),
    nonce: call.nonce ?? chain.pendingNonce(from),
    gasLimit: call.gas ?? (await estimate(chain, { ...call, ...fees })),
    to,
    value,
    data,
  };
  if ("maxFeePerGas" in fees) return { ...rest, ...fees, type: 2, accessList };
  return accessList.length === 0 ? { ...rest, ...fees, type: 0 } : { ...rest, ...fees, type: 1, accessList };
}

type Fees =
  | { readonly gasPrice: bigint }
  | { readonly maxFeePerGas: bigint; readonly maxPriorityFeePerGas: bigint };

/** A fee cap below the suggested tip is all the client wants to pay: then the tip is as much. */
function feesOf(chain: ChainView, call: CallParameter): Fees {
  if (call.gasPrice !== undefined) return { gasPrice: call.gasPrice };
  const cap = call.maxFeePerGas;
  const suggested = suggestTip(chain);
  const tip = call.maxPriorityFeePerGas ?? (cap !== undefined && cap < suggested ? cap : suggested);
  return { maxFeePerGas: cap ?? tip + BASE_FEE_FACTOR * chain.nextBaseFee(), maxPriorityFeePerGas: tip };
}

async function estimate(chain: ChainView, call: CallParameter): Promise<bigint> {
  const estimated = await chain.estimateGas(call, requireBlock(chain, LATEST), new Map());
  if ("failed" in estimated) throw callError(estimated.failed);
  return estimated.gas;
}
