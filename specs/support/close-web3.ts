/** Ends the WebSocket of a web3.js client. */
import type { Web3 } from "web3";

/** Resolves when it is closed on both sides: cut off in between, web3.js would connect again. */
export function closeWeb3({ currentProvider }: Web3): Promise<void> {
  return new Promise((resolve) => {
    currentProvider?.on("disconnect", () => resolve());
    currentProvider?.disconnect();
  });
}
