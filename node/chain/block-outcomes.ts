/** Lets sync wait until the engine has processed a block it was given. */
import type { Hash } from "../../primitives/bytes.ts";
import type { ImportOutcome } from "../sync/sync-port.ts";

export type BlockOutcomes = {
  /** Resolves at the next `settle` of this root. */
  wait(root: Hash): Promise<ImportOutcome>;
  settle(root: Hash, outcome: ImportOutcome): void;
};

/** At most as many roots wait as sync has blocks under way. */
export function createBlockOutcomes(): BlockOutcomes {
  const waiting = new Map<Hash, ((outcome: ImportOutcome) => void)[]>();
  return {
    wait: (root) =>
      new Promise((resolve) => {
        waiting.set(root, [...(waiting.get(root) ?? []), resolve]);
      }),
    settle(root, outcome) {
      for (const resolve of waiting.get(root) ?? []) resolve(outcome);
      waiting.delete(root);
    },
  };
}
