/** The contract machine of a thread, from the images the build wrote. */
import { EngineMachine, type MachineOptions } from "../../vm/contract/machine.ts";
import { createEngine } from "../../vm/engine/engine.ts";
import type { ContractMachine } from "../../vm/message.ts";
import { readEngineImage } from "../engine-image.ts";
import { readBootImage } from "../std-image.ts";

/** @throws ImageError or StdError when an image is not the protocol's. */
export function openContractMachine(options: MachineOptions = {}): ContractMachine {
  return new EngineMachine(createEngine({ wasm: readEngineImage(), boot: readBootImage() }), options);
}
