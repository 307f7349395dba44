/** Why a light client does not believe what it was told. See specs/light/light-client.md#errors. */
import { CodedError } from "../primitives/errors.ts";

export type LightErrorDetail =
  /** What was sent is not what it should be; `at` names the field. */
  | { readonly code: "LIGHT_MALFORMED"; readonly at: string; readonly expected: string }
  | { readonly code: "LIGHT_OTHER_VALIDATOR_SET"; readonly expected: string; readonly actual: string }
  | { readonly code: "LIGHT_SET_TOO_OLD"; readonly voteSlot: number; readonly lastSlot: number }
  | { readonly code: "LIGHT_EPOCHS_NOT_ADJACENT"; readonly source: number; readonly target: number }
  | { readonly code: "LIGHT_UNKNOWN_VOTER"; readonly validatorIndex: number }
  | { readonly code: "LIGHT_VOTER_COUNTED_TWICE"; readonly validatorIndex: number }
  | { readonly code: "LIGHT_TOO_FEW_VOTES"; readonly voted: bigint; readonly total: bigint }
  | { readonly code: "LIGHT_WRONG_SIGNATURE"; readonly vote: number }
  | { readonly code: "LIGHT_OTHER_FORK"; readonly version: string }
  | { readonly code: "LIGHT_WRONG_HEADER"; readonly expected: string; readonly actual: string }
  | {
      readonly code: "LIGHT_WRONG_PROOF";
      readonly of: "execution" | "validators" | "weights" | "account" | "storage";
    }
  /** An execution block, or a part of it, is not what the proven hash says. */
  | { readonly code: "LIGHT_WRONG_BLOCK"; readonly of: string }
  /** History is proven as far back as the chain itself keeps it (EIP-2935). */
  | { readonly code: "LIGHT_TOO_OLD"; readonly number: number; readonly oldest: number }
  /** The call reads what the witness does not prove. */
  | { readonly code: "LIGHT_WITNESS_INCOMPLETE"; readonly lacks: string }
  /** The block asked for is not final: nothing is known of it. */
  | { readonly code: "LIGHT_NOT_FINAL" }
  /** The method has no proof: ask somebody you trust. */
  | { readonly code: "LIGHT_UNPROVABLE"; readonly method: string };

/** Whoever sent it is wrong or lies; what the client trusted before is still what it trusts. */
export class LightError extends CodedError<LightErrorDetail> {}
