/** Host operations on the running contract's storage and log. See specs/vm/contract/host-functions.md. */
import { GuestException, type HostArguments } from "../engine/host.ts";
import { GAS } from "../gas.ts";
import type { AbiType, AbiValue } from "./abi-type.ts";
import type { FrameRun } from "./frame-run.ts";
import type { Operator } from "./host-pure.ts";
import { OPERATION } from "./operation.ts";
import { PANIC, panicException } from "./revert-data.ts";
import {
  arrayLength,
  cellAt,
  clearCell,
  popElement,
  pushElement,
  readCell,
  type SlotAccess,
  writeCell,
} from "./storage-cells.ts";
import { type Cell, StorageError, type StorageType, slotKey } from "./storage-layout.ts";
import { readArgument, readArguments, readStep, toFlat } from "./wire.ts";

type Run = Operator<FrameRun>;

const UINT256: AbiType = { kind: "uint", bits: 256 };
const STRING: AbiType = { kind: "string" };

/** A cell, and the words it lies in: the account's storage, or what ends with the transaction. */
type Place = { readonly cell: Cell; readonly access: SlotAccess };

/** What is at the path of argument 1, or with argument 2 one step further, in the declaration of argument 0. */
function placeOf(run: FrameRun, args: HostArguments, hasStep: boolean): Place {
  const root = run.definition.storages[args.int(0)];
  if (root === undefined) throw new GuestException("TypeError", "unknown storage");
  const path = args.text(1);
  const access = root.isTransient ? transientAccess(run) : run;
  // Most paths are one field.
  const field = root.fields[Number(path)];
  let cell: Cell = field ?? root;
  if (field === undefined) for (const part of path.split(",")) cell = step(cell, part, access);
  if (hasStep && !args.isUndefined(2)) cell = step(cell, args.text(2), access);
  return { cell, access };
}

function step(cell: Cell, text: string, access: SlotAccess): Cell {
  return cellAt(cell, [stepValue(text, cell.type)], access);
}

function stepValue(text: string, type: StorageType): AbiValue {
  if (type.kind === "struct") return BigInt(Math.trunc(Number(text)) || 0);
  return readStep(text, type.kind === "mapping" ? type.key : UINT256);
}

function valueType(type: StorageType): AbiType {
  return type.kind === "value" ? type.type : STRING;
}

const load: Run = (run, args) => {
  const { cell, access } = placeOf(run, args, true);
  return toFlat(valueType(cell.type), readCell(cell, access));
};

const store: Run = (run, args) => {
  run.refuseStatic();
  const { cell, access } = placeOf(run, args, true);
  writeCell(cell, readArgument(args, 3, valueType(cell.type)), access);
  return undefined;
};

const clear: Run = (run, args) => {
  run.refuseStatic();
  const { cell, access } = placeOf(run, args, true);
  clearCell(cell, access);
  return undefined;
};

const length: Run = (run, args) => {
  const { cell, access } = placeOf(run, args, false);
  return arrayLength(cell, access);
};

const push: Run = (run, args) => {
  run.refuseStatic();
  const { cell, access } = placeOf(run, args, false);
  const index = arrayLength(cell, access);
  pushElement(cell, access);
  return index;
};

const pop: Run = (run, args) => {
  run.refuseStatic();
  try {
    const { cell, access } = placeOf(run, args, false);
    popElement(cell, access);
  } catch (error) {
    if (!(error instanceof StorageError) || error.detail.code !== "STORAGE_INDEX_OUT_OF_BOUNDS") throw error;
    throw panicException(PANIC.emptyPop, "pop of an empty array");
  }
  return undefined;
};

/** EIP-1153. */
function transientAccess(run: FrameRun): SlotAccess {
  const { context, self } = run.frame;
  return {
    load(slot, key = slotKey(slot)) {
      run.charge(GAS.transientAccess);
      return context.journal.transientStorage(self, key);
    },
    store(slot, value, key = slotKey(slot)) {
      run.refuseStatic();
      run.charge(GAS.transientAccess);
      context.journal.setTransientStorage(self, key, value);
    },
    chargeHash: (bytes) => run.chargeHash(bytes),
  };
}

const loadTransient: Run = (run, args) => transientAccess(run).load(checkedWord(args, 0));

const storeTransient: Run = (run, args) => {
  transientAccess(run).store(checkedWord(args, 0), checkedWord(args, 1));
  return undefined;
};

function checkedWord(args: HostArguments, index: number): bigint {
  const word = readArgument(args, index, UINT256) as bigint;
  if (word < 0n || word >> 256n !== 0n)
    throw panicException(PANIC.arithmetic, "value out of range of uint256");
  return word;
}

const log: Run = (run, args) => {
  run.refuseStatic();
  const event = run.definition.events[args.int(0)];
  if (event === undefined) throw new GuestException("TypeError", "unknown event");
  const { topics, data } = event.encode(readArguments(args, 1, event.inputs));
  run.charge(GAS.log + GAS.logTopic * topics.length + GAS.logByte * data.length);
  run.frame.context.journal.addLog({ address: run.frame.self, topics, data });
  return undefined;
};

export const STORAGE: Readonly<Record<number, Run>> = {
  [OPERATION.load]: load,
  [OPERATION.store]: store,
  [OPERATION.clear]: clear,
  [OPERATION.arrayLength]: length,
  [OPERATION.arrayPush]: push,
  [OPERATION.arrayPop]: pop,
  [OPERATION.loadTransient]: loadTransient,
  [OPERATION.storeTransient]: storeTransient,
  [OPERATION.log]: log,
};
