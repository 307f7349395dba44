/** Which functions can recurse, and how much native stack each of their frames may take. specs/vm/engine/engine.md#stack */
import { assert } from "../../primitives/errors.ts";
import { type FunctionBody, type ParsedModule, type Signature, signatureAt } from "./wasm-functions.ts";
import { BULK, type Instruction, OP } from "./wasm-reader.ts";
import { markLocals } from "./write-marks.ts";

/** Return address, saved registers, instance and frame marker of V8's baseline compiler, rounded up. */
const FRAME_FIXED_BYTES = 96;

/**
 * For each function body: an upper bound in bytes of its native frame when it lies on a cycle of the call
 * graph, else 0. The bound is V8's baseline frame (one 8-byte slot per local and per operand), the largest
 * of all its compilers. Functions off every cycle nest to a fixed depth, which the reserve covers.
 */
export function computeRecursiveFrameBounds(module: ParsedModule): number[] {
  const callees = readCallGraph(module);
  const recursive = findFunctionsOnCycles(callees);
  return module.bodies.map((body, index) =>
    recursive[index] === true ? roundUpTo16(frameBound(module, body)) : 0,
  );
}

function roundUpTo16(bytes: number): number {
  return (bytes + 15) & ~15;
}

function readCallGraph(module: ParsedModule): number[][] {
  const { importedFunctions, functionTypes } = module;
  const indirectByType = new Map<number, number[]>();
  for (const index of module.tableFunctions) {
    if (index < importedFunctions) continue;
    const type = functionTypes[index] ?? -1;
    const group = indirectByType.get(type);
    if (group === undefined) indirectByType.set(type, [index - importedFunctions]);
    else group.push(index - importedFunctions);
  }
  return module.bodies.map((body) => {
    const callees = new Set<number>();
    for (const { op, immediate } of body.instructions) {
      if (op === OP.call && immediate >= importedFunctions) callees.add(immediate - importedFunctions);
      if (op === OP.callIndirect)
        for (const callee of indirectByType.get(immediate) ?? []) callees.add(callee);
    }
    return [...callees];
  });
}

/** Tarjan's strongly connected components, without recursion: the graph is deep. */
function findFunctionsOnCycles(callees: readonly number[][]): boolean[] {
  const order = new Int32Array(callees.length).fill(-1);
  const lowest = new Int32Array(callees.length);
  const onStack = new Uint8Array(callees.length);
  const onCycle = new Array<boolean>(callees.length).fill(false);
  const stack: number[] = [];
  let counter = 0;
  const enter = (node: number): { node: number; next: number } => {
    order[node] = lowest[node] = counter++;
    stack.push(node);
    onStack[node] = 1;
    return { node, next: 0 };
  };
  const lower = (node: number, value: number): void => {
    lowest[node] = Math.min(lowest[node] ?? 0, value);
  };
  const closeComponent = (root: number): void => {
    const component = stack.splice(stack.lastIndexOf(root));
    for (const member of component) onStack[member] = 0;
    if (component.length > 1 || callees[root]?.includes(root) === true) {
      for (const member of component) onCycle[member] = true;
    }
  };
  for (let root = 0; root < callees.length; root++) {
    if (order[root] !== -1) continue;
    const path = [enter(root)];
    for (let frame = path.at(-1); frame !== undefined; frame = path.at(-1)) {
      const callee = callees[frame.node]?.[frame.next++];
      if (callee === undefined) {
        path.pop();
        const caller = path.at(-1);
        if (caller !== undefined) lower(caller.node, lowest[frame.node] ?? 0);
        if (lowest[frame.node] === order[frame.node]) closeComponent(frame.node);
      } else if (order[callee] === -1) path.push(enter(callee));
      else if (onStack[callee] === 1) lower(frame.node, order[callee] ?? 0);
    }
  }
  return onCycle;
}

function frameBound(module: ParsedModule, body: FunctionBody): number {
  let maximumArguments = 0;
  for (const instruction of body.instructions) {
    const callee = calledSignature(module, instruction);
    const passed = instruction.op === OP.bulk ? BULK_ARGUMENTS : (callee?.parameters.length ?? 0);
    maximumArguments = Math.max(maximumArguments, passed);
  }
  const locals = body.locals.count + ADDED_LOCALS + markLocals(body.instructions).length;
  return 8 * (locals + maximumOperands(module, body) + maximumArguments) + FRAME_FIXED_BYTES;
}

/** The meter adds one local, the tick counter, besides those for marks; one more slot is spare. */
const ADDED_LOCALS = 2;
/** `memory.copy` and `memory.fill` become calls of functions with as many parameters. */
const BULK_ARGUMENTS = 3;

function maximumOperands(module: ParsedModule, body: FunctionBody): number {
  let height = 0;
  let maximum = 0;
  const labels = [{ height: 0, results: body.signature.results.length }];
  for (const instruction of body.instructions) {
    const { op, immediate } = instruction;
    height += stackEffect(module, instruction);
    maximum = Math.max(maximum, height);
    if (op === OP.block || op === OP.loop || op === OP.if) {
      labels.push({ height, results: immediate === EMPTY_BLOCK ? 0 : 1 });
    } else if (op === OP.end) {
      const label = labels.pop();
      assert(label !== undefined, "every end closes a label");
      height = label.height + label.results;
    } else if (op === OP.else) height = labels.at(-1)?.height ?? 0;
    else if (op === OP.br || op === OP.brTable || op === OP.return || op === OP.unreachable) {
      // What follows cannot run. One operand is assumed, as the code that follows may consume one.
      height = (labels.at(-1)?.height ?? 0) + 1;
    }
  }
  return maximum;
}

const EMPTY_BLOCK = 0x40;

function calledSignature(module: ParsedModule, { op, immediate }: Instruction): Signature | undefined {
  if (op === OP.callIndirect) return signatureAt(module.signatures, immediate);
  if (op === OP.call) return signatureAt(module.signatures, module.functionTypes[immediate] ?? -1);
  return undefined;
}

/** How many operands an instruction leaves more than it takes. */
function stackEffect(module: ParsedModule, instruction: Instruction): number {
  const { op, sub } = instruction;
  const callee = calledSignature(module, instruction);
  if (callee !== undefined) {
    return callee.results.length - callee.parameters.length - (op === OP.callIndirect ? 1 : 0);
  }
  if (op >= OP.i32Const && op <= OP.f64Const) return 1;
  if (op === OP.localGet || op === OP.globalGet || op === OP.memorySize) return 1;
  if (op === OP.localSet || op === OP.globalSet || op === OP.drop) return -1;
  if (op === OP.brIf || op === OP.if || op === OP.brTable) return -1;
  if (op === OP.select || (op >= 0x36 && op <= 0x3e)) return -2;
  if (op === OP.bulk) return sub >= BULK.memoryInit ? -3 : 0;
  return isBinaryOperator(op) ? -1 : 0;
}

function isBinaryOperator(op: number): boolean {
  return BINARY_OPERATORS.some(([first, last]) => op >= first && op <= last);
}

/** Comparisons and arithmetic of i32, i64, f32, f64 that take two operands. */
const BINARY_OPERATORS = [
  [0x46, 0x4f],
  [0x51, 0x66],
  [0x6a, 0x78],
  [0x7c, 0x8a],
  [0x92, 0x98],
  [0xa0, 0xa6],
] as const;
