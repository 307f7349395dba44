/** Why a block is invalid: one code per rule. See specs/consensus/state-transition.md. */
import type { Hex } from "../primitives/bytes.ts";
import { CodedError } from "../primitives/errors.ts";
import type { AttestationFault } from "./attestation-rules.ts";
import type { ValidatorIndex } from "./containers.ts";
import type { ExitFault, SlashingFault } from "./operation-rules.ts";
import type { Slot } from "./time.ts";

export type BlockErrorDetail =
  | { readonly code: "BLOCK_NOT_AFTER_PARENT"; readonly slot: Slot; readonly parentSlot: Slot }
  | {
      readonly code: "BLOCK_WRONG_PROPOSER";
      readonly expected: ValidatorIndex | undefined;
      readonly actual: ValidatorIndex;
    }
  | { readonly code: "BLOCK_PROPOSER_SLASHED"; readonly proposerIndex: ValidatorIndex }
  | { readonly code: "BLOCK_PARENT_ROOT_MISMATCH"; readonly expected: Hex; readonly actual: Hex }
  | { readonly code: "BLOCK_STATE_ROOT_MISMATCH"; readonly expected: Hex; readonly actual: Hex }
  | {
      readonly code: "BLOCK_INVALID_PROPOSER_SLASHING" | "BLOCK_INVALID_ATTESTER_SLASHING";
      readonly index: number;
      readonly fault: SlashingFault;
    }
  | { readonly code: "BLOCK_INVALID_VOLUNTARY_EXIT"; readonly index: number; readonly fault: ExitFault }
  | { readonly code: "BLOCK_TOO_MANY_OLD_EPOCHS"; readonly limit: number }
  | { readonly code: "BLOCK_INVALID_ATTESTATION"; readonly index: number; readonly fault: AttestationFault }
  | { readonly code: "PAYLOAD_PARENT_HASH_MISMATCH"; readonly expected: Hex; readonly actual: Hex }
  | { readonly code: "PAYLOAD_WRONG_TIMESTAMP"; readonly expected: number; readonly actual: number }
  | { readonly code: "PAYLOAD_WRONG_PREV_RANDAO"; readonly expected: Hex; readonly actual: Hex }
  | { readonly code: "PAYLOAD_TOO_LARGE"; readonly limitBytes: number; readonly actualBytes: number }
  /** Roots of the lists. */
  | { readonly code: "PAYLOAD_WRONG_WITHDRAWALS"; readonly expected: Hex; readonly actual: Hex };

/** A block the protocol rejects. Whoever signed it is at fault. */
export class BlockError extends CodedError<BlockErrorDetail> {}
