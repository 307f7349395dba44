/** Waiting for something that only asking tells: of processes, over their ports. */
import { setTimeout as pause } from "node:timers/promises";

const POLL_MS = 100;

/** Asks until the answer is true, or not zero. Gives up only with the spec that waits: its time limit names it. */
export async function untilTrue(ask: () => Promise<boolean | number>): Promise<void> {
  while (!(await ask())) await pause(POLL_MS);
}
