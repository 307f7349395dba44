/** Entry of a call worker's thread: yields to blocks and votes before it loads anything. See specs/node/calls.md#the-worker. */
import { constants, getPriority, setPriority } from "node:os";

/** Below the node's other threads: a tenth of the share that one of them gets of a core they both want. */
const CALL_NICENESS = 10;

// Only Linux has priorities of threads; elsewhere this would be the whole process's.
if (process.platform === "linux") {
  setPriority(0, Math.min(constants.priority.PRIORITY_LOW, getPriority(0) + CALL_NICENESS));
}

// Loading takes a second of a core, and happens again after each call that took too long.
await import("./call-worker.ts");
