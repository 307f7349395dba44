/** Broken rules of transactions in the words clients match on. See specs/node/mempool.md#rejections. */
import { TransactionRejected } from "../../rpc/chain-view.ts";
import { INVALID_TRANSACTION_TEXT } from "../../vm/outcome-text.ts";
import { TransactionError, type TransactionErrorDetail } from "../../vm/transaction-codec.ts";
import { type InvalidTransactionDetail, InvalidTransactionError } from "../../vm/transaction-rules.ts";

/** The rejection that stands for `error`, or `error` itself when it is no broken rule of a transaction. */
export function toRejection(error: unknown): unknown {
  if (error instanceof TransactionError) return fromCodec(error.detail);
  if (error instanceof InvalidTransactionError) return fromRules(error.detail);
  return error;
}

function fromCodec(detail: TransactionErrorDetail): TransactionRejected {
  switch (detail.code) {
    case "TRANSACTION_TOO_LARGE":
      return new TransactionRejected(
        "oversized data",
        `transaction size ${detail.size}, limit ${detail.limit}`,
      );
    case "TRANSACTION_TYPE_NOT_SUPPORTED":
      return new TransactionRejected("transaction type not supported", `type ${detail.type}`);
    case "TRANSACTION_MALFORMED":
      return new TransactionRejected("undecodable transaction", detail.reason);
    case "TRANSACTION_SIGNATURE_INVALID":
      return new TransactionRejected(
        "invalid sender",
        `invalid transaction v, r, s values, ${detail.reason}`,
      );
  }
}

function fromRules(detail: InvalidTransactionDetail): TransactionRejected {
  return new TransactionRejected(INVALID_TRANSACTION_TEXT[detail.code], figuresOf(detail));
}

/** The figures after the colon, where geth gives some. */
function figuresOf(detail: InvalidTransactionDetail): string | undefined {
  switch (detail.code) {
    case "WRONG_CHAIN_ID":
      return `have ${detail.actual} want ${detail.expected}`;
    case "TIP_ABOVE_FEE":
      return `maxPriorityFeePerGas: ${detail.tip}, maxFeePerGas: ${detail.fee}`;
    case "INIT_CODE_TOO_LARGE":
      return `code size ${detail.size}, limit ${detail.limit}`;
    case "INTRINSIC_GAS_TOO_LOW":
      return `gas ${detail.gasLimit}, minimum needed ${detail.required}`;
    case "FEE_BELOW_BASE_FEE":
      return `maxFeePerGas: ${detail.fee}, baseFee: ${detail.baseFee}`;
    case "NONCE_TOO_LOW":
    case "NONCE_TOO_HIGH":
      return `next nonce ${detail.expected}, tx nonce ${detail.nonce}`;
    case "INSUFFICIENT_FUNDS":
      return `balance ${detail.balance}, tx cost ${detail.required}`;
    default:
      return undefined;
  }
}
