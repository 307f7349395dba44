/** Whether a contract is being entered while it runs. See specs/contracts/calls.md#re-entrancy. */
import { fromHex } from "../../primitives/bytes.ts";
import type { Frame } from "../message.ts";
import { selectorOf } from "./abi-item.ts";

/** OpenZeppelin's name for it, so that tools decode it. */
export const REENTRANCY_DATA = fromHex(selectorOf({ name: "ReentrancyGuardReentrantCall", inputs: [] }));

/**
 * Whether some frame below acts on the storage this frame acts on. A delegatecall continues the frame that made
 * it, so that frame does not count; what is below it does.
 */
export function isReentry(frame: Frame): boolean {
  let current: Frame | undefined = frame;
  while (current?.kind === "delegatecall") current = current.parent;
  for (let below = current?.parent; below !== undefined; below = below.parent) {
    if (below.self === frame.self) return true;
  }
  return false;
}
