/** Splits a function into straight-line blocks and says what each one costs. specs/vm/engine/engine.md#ticks */
import { assert } from "../../primitives/errors.ts";
import { tickCost } from "./tick-cost.ts";
import { type Instruction, OP } from "./wasm-reader.ts";

/**
 * What to charge before the instruction that starts at an offset. `check` marks function entries and loop
 * heads: every run passes one of them again and again, so checking only there is enough to stop it.
 */
export type Charge = { ticks: number; check: boolean };

/** `instruction` charges each instruction by itself: slow, and the definition that `block` must equal. */
export type Granularity = "block" | "instruction";

/** One open `block`, `loop` or `if`; the outermost stands for the function. */
type Label = { readonly op: number; readonly head: Charge | undefined; isTarget: boolean };

/** Charges of one function body by the offset they stand before. */
export function computeCharges(
  instructions: readonly Instruction[],
  granularity: Granularity,
): Map<number, Charge> {
  const charges = computeBlockCharges(instructions);
  if (granularity === "block") return charges;
  for (const charge of charges.values()) charge.ticks = 0;
  for (const { op, sub, start } of instructions) {
    const charge = charges.get(start);
    if (charge === undefined) charges.set(start, { ticks: tickCost(op, sub), check: false });
    else charge.ticks = tickCost(op, sub);
  }
  return charges;
}

function computeBlockCharges(instructions: readonly Instruction[]): Map<number, Charge> {
  const charges = new Map<number, Charge>();
  const open = (offset: number, check: boolean): Charge => {
    const charge = { ticks: 0, check };
    charges.set(offset, charge);
    return charge;
  };
  // Undefined where control cannot arrive: after a jump, until the next label that something jumps to.
  let current: Charge | undefined = open(instructions[0]?.start ?? 0, true);
  const labels: Label[] = [{ op: OP.block, head: current, isTarget: false }];

  for (const instruction of instructions) {
    const { op, end } = instruction;
    if (current !== undefined) current.ticks += tickCost(op, instruction.sub);
    markTargets(labels, instruction);
    if (op === OP.block || op === OP.if) {
      labels.push({ op, head: current, isTarget: false });
      if (op === OP.if && current !== undefined) current = open(end, false);
    } else if (op === OP.loop) {
      current = current === undefined ? undefined : open(end, true);
      labels.push({ op, head: current, isTarget: false });
    } else if (op === OP.else) {
      current = labels.at(-1)?.head === undefined ? undefined : open(end, false);
    } else if (op === OP.end) {
      const label = labels.pop();
      assert(label !== undefined, "every end closes a label");
      // Control joins here from elsewhere. The end of a loop is reached only by falling through.
      if (label.op === OP.if || (label.op === OP.block && label.isTarget)) {
        current = label.head === undefined ? undefined : open(end, false);
      }
    } else if (op === OP.brIf) {
      if (current !== undefined) current = open(end, false);
    } else if (op === OP.br || op === OP.brTable || op === OP.return || op === OP.unreachable) {
      current = undefined;
    }
  }
  return charges;
}

function markTargets(labels: readonly Label[], { op, immediate, labels: depths }: Instruction): void {
  const targets = op === OP.br || op === OP.brIf ? [immediate] : depths;
  for (const depth of targets) {
    const label = labels.at(-1 - depth);
    assert(label !== undefined, "a branch goes to an open label");
    label.isTarget = true;
  }
}
