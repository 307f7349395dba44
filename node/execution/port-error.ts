/** Calls over the execution port that do not come back with a result. See specs/node/execution.md#the-port. */
import type { Hash } from "../../primitives/bytes.ts";
import { CodedError } from "../../primitives/errors.ts";

export type PortErrorDetail =
  | { readonly code: "PORT_CLOSED"; readonly reason: string }
  | { readonly code: "PARENT_UNKNOWN"; readonly parentHash: Hash }
  /** The execution side broke: it is about to say `fatal`. */
  | { readonly code: "PORT_CALL_FAILED"; readonly method: string; readonly reason: string };

export class PortError extends CodedError<PortErrorDetail> {}
