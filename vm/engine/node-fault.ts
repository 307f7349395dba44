/** This machine can no longer be trusted to compute what the others compute. specs/vm/engine/engine.md#outcomes */
import { InvariantError } from "../../primitives/errors.ts";

/**
 * An unexpected trap, an abort of the C code, or exhaustion of the host's own stack. Never a result of a
 * transaction: whoever sees it lets it stop the process.
 */
export class NodeFault extends InvariantError {
  constructor(statement: string, cause?: unknown) {
    super(`node fault: ${statement}`, { cause });
  }
}
