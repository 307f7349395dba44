/** Executes payloads, and first those of ancestors that the execution side does not know yet. */
import type { SignedBeaconBlock } from "../../consensus/chain-containers.ts";
import { type Hash, toHex } from "../../primitives/bytes.ts";
import type { ExecutionPort, PayloadToExecute, PayloadVerdict } from "../execution/port.ts";

/**
 * The execution side may lag behind the consensus side, after kill -9 by what was not yet final there. Then it
 * answers `syncing`, and the blocks in between are fed from the consensus store, oldest first.
 *
 * @param blockByRoot a stored beacon block.
 * @returns `syncing` only when an ancestor is not stored: there is nothing to catch up with.
 */
export async function executeWithAncestors(
  execution: Pick<ExecutionPort, "executePayload">,
  blockByRoot: (root: Hash) => SignedBeaconBlock | undefined,
  request: PayloadToExecute,
): Promise<PayloadVerdict> {
  const waiting: PayloadToExecute[] = [request];
  for (;;) {
    const next = waiting.at(-1);
    if (next === undefined) return { status: "valid" };
    const verdict = await execution.executePayload(next);
    if (verdict.status === "valid") {
      waiting.pop();
      continue;
    }
    const parent = verdict.status === "syncing" ? blockByRoot(next.parentBeaconBlockRoot) : undefined;
    if (parent === undefined) return verdict;
    waiting.push(payloadOf(parent));
  }
}

/** What a beacon block asks the execution side to execute. */
export function payloadOf({ message }: SignedBeaconBlock): PayloadToExecute {
  return {
    payload: message.body.executionPayload,
    requests: message.body.executionRequests,
    parentBeaconBlockRoot: toHex(message.parentRoot),
  };
}
