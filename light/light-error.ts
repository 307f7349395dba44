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
  | { readonly code: "LIGHT_WRONG_PROOF"; readonly of: "execution" | "validators" | "weights" };

/** Whoever sent it is wrong or lies; what the client trusted before is still what it trusts. */
export class LightError extends CodedError<LightErrorDetail> {}
