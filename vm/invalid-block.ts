/** Why a block is refused: one code for each kind of broken rule. See specs/vm/execute-block.md#validity. */
import type { Address } from "../primitives/bytes.ts";
import { CodedError } from "../primitives/errors.ts";
import type { Header } from "./block.ts";
import type { Outcome } from "./message.ts";
import type { InvalidTransactionDetail } from "./transaction-rules.ts";

export type InvalidBlockDetail =
  /** A header field that is not what the parent, the body or the execution make it. */
  | {
      readonly code: "BLOCK_WRONG_FIELD";
      readonly field: keyof Header;
      readonly expected: string;
      readonly actual: string;
    }
  | { readonly code: "BLOCK_TIMESTAMP_NOT_AFTER_PARENT"; readonly timestamp: number; readonly parent: number }
  | { readonly code: "BLOCK_GAS_LIMIT_OUT_OF_BOUNDS"; readonly gasLimit: bigint }
  | { readonly code: "BLOCK_GAS_LIMIT_MOVED_TOO_FAR"; readonly gasLimit: bigint; readonly parent: bigint }
  | { readonly code: "BLOCK_EXTRA_DATA_TOO_LONG"; readonly size: number }
  | {
      readonly code: "BLOCK_TRANSACTION_INVALID";
      readonly index: number;
      readonly reason: InvalidTransactionDetail["code"];
    }
  | { readonly code: "BLOCK_SYSTEM_CALL_FAILED"; readonly contract: Address; readonly outcome: Outcome }
  | { readonly code: "BLOCK_SYSTEM_CONTRACT_MISSING"; readonly contract: Address }
  | { readonly code: "BLOCK_DEPOSIT_LOG_INVALID" };

/** A block that breaks a rule of execution. Whoever proposed it is at fault. */
export class InvalidBlockError extends CodedError<InvalidBlockDetail> {}
