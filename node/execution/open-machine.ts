/** The contract machine of a thread, from the images the build wrote. */
import { join } from "node:path";
import { type DebugEngine, openDebugEngine } from "../../vm/contract/debug-engine.ts";
import { EngineMachine, type MachineOptions } from "../../vm/contract/machine.ts";
import { createEngine } from "../../vm/engine/engine.ts";
import type { ContractMachine } from "../../vm/message.ts";
import { systemTime } from "../clock.ts";
import { readEngineImage } from "../engine-image.ts";
import { readBootImage, readStdImage } from "../std-image.ts";
import { SnapshotFiles, type SnapshotFilesOptions } from "../storage/snapshot-files.ts";

/** Where a thread keeps evaluated contracts on disk: the execution thread writes there, call workers read. */
export function openSnapshotFiles(
  directory: string,
  options: Omit<SnapshotFilesOptions, "directory" | "nowMs"> = {},
): SnapshotFiles {
  return new SnapshotFiles({ ...options, directory: join(directory, "snapshots"), nowMs: systemTime.now });
}

let debugEngine: DebugEngine | undefined;

/** One per thread, when somebody first asks for lines. */
function debugEngineOfThread(): DebugEngine {
  debugEngine ??= openDebugEngine(readEngineImage(), readStdImage());
  return debugEngine;
}

/** @throws ImageError or StdError when an image is not the protocol's. */
export function openContractMachine(options: MachineOptions = {}): ContractMachine {
  return new EngineMachine(createEngine({ wasm: readEngineImage(), boot: readBootImage() }), {
    openDebugEngine: debugEngineOfThread,
    ...options,
  });
}
