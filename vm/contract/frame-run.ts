/** One frame of a contract while it runs: its gas, and its access to storage. See specs/vm/contract/host-functions.md. */
import type { Address } from "../../primitives/bytes.ts";
import { CodedError } from "../../primitives/errors.ts";
import type { EngineInstance } from "../engine/instance.ts";
import { GAS } from "../gas.ts";
import type { Frame, Outcome } from "../message.ts";
import { loadGas, storeCost } from "../state-gas.ts";
import type { ContractDefinition, TypeList } from "./definition.ts";
import { keccakGas, TICKS_PER_GAS } from "./host-gas.ts";
import type { PureContext } from "./host-pure.ts";
import type { SlotAccess } from "./storage-cells.ts";
import { slotKey } from "./storage-layout.ts";

/** Ends a frame from inside a host function with an outcome the guest cannot catch. */
export class FrameHalt extends CodedError<{ readonly code: "FRAME_HALT"; readonly outcome: Outcome }> {}

/** Where `console.log` goes, if anybody listens. */
export type ConsoleSink = (contract: Address, text: string) => void;

export class FrameRun implements PureContext, SlotAccess {
  readonly frame: Frame;
  readonly definition: ContractDefinition;
  readonly console: ConsoleSink | undefined;
  /** The function that runs is a view, or an outer frame allows no change. */
  readonly isStatic: boolean;
  /** Gas the frame has beyond what it sees, in a traced run; negative when it has less. */
  spareGas = 0;
  readonly #instance: EngineInstance;
  #lists: TypeList[] | undefined;

  constructor(
    instance: EngineInstance,
    frame: Frame,
    definition: ContractDefinition,
    isStatic: boolean,
    console: ConsoleSink | undefined,
  ) {
    this.#instance = instance;
    this.frame = frame;
    this.definition = definition;
    this.isStatic = isStatic;
    this.console = console;
  }

  readonly charge = (gas: number): void => {
    this.#instance.chargeTicks(gas * TICKS_PER_GAS);
  };

  get ticksLeft(): number {
    return this.#instance.ticksLeft;
  }

  /** Ticks that a probe took. */
  giveBack(ticks: number): void {
    this.#instance.chargeTicks(-ticks);
  }

  get gasLeft(): number {
    return Math.max(0, Math.floor(this.#instance.ticksLeft / TICKS_PER_GAS) - this.spareGas);
  }

  get lists(): TypeList[] {
    this.#lists ??= [...this.definition.lists];
    return this.#lists;
  }

  get errors(): readonly TypeList[] {
    return this.definition.errors;
  }

  /** @throws FrameHalt in a frame that may change nothing. */
  refuseStatic(): void {
    if (this.isStatic) throw new FrameHalt({ code: "FRAME_HALT", outcome: "static state change" });
  }

  /** SLOAD. */
  load(slot: bigint, key = slotKey(slot)): bigint {
    const { frame } = this;
    const { journal } = frame.context;
    this.charge(loadGas(journal, frame.self, key));
    return journal.storage(frame.self, key);
  }

  /** SSTORE. */
  store(slot: bigint, value: bigint, key = slotKey(slot)): void {
    this.refuseStatic();
    // Takes all there is: with only a stipend left, nothing may change (EIP-2200).
    if (this.gasLeft <= GAS.storageSentry) this.charge(this.gasLeft + 1);
    const { frame } = this;
    const { journal } = frame.context;
    const { gas, refund } = storeCost(journal, frame.self, key, value);
    this.charge(gas);
    journal.setStorage(frame.self, key, value);
    journal.addRefund(refund);
  }

  chargeHash(bytes: number): void {
    this.charge(keccakGas(bytes));
  }
}
