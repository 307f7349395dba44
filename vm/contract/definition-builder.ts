/** Collects a contract's declarations while its module is evaluated. See specs/vm/contract/host-functions.md#declarations. */
import { fromHex } from "../../primitives/bytes.ts";
import { MAXIMUM_ARGUMENTS } from "../engine/boot.ts";
import { GuestException } from "../engine/host.ts";
import {
  compileEventEncoder,
  errorToJson,
  eventToJson,
  functionToJson,
  type JsonAbiItem,
  selectorNumber,
  selectorOf,
} from "./abi-item.ts";
import { parseError, parseEvent, parseFunction, parseParameters, type StateMutability } from "./abi-parse.ts";
import { type AbiParameter, isNamed, toJsonParameter } from "./abi-type.ts";
import {
  type ContractDefinition,
  type DeclaredEvent,
  type DeclaredStorage,
  type Entry,
  TypeList,
} from "./definition.ts";
import { HOST_GAS } from "./host-gas.ts";
import type { Operator, PureContext } from "./host-pure.ts";
import { DECLARES, ENTRY, OPERATION, REENTRANCY, type StorageKind } from "./operation.ts";
import { fieldCell } from "./storage-cells.ts";
import type { PlacedFields } from "./storage-json.ts";
import { layOutFields, namespaceSlot, type StorageType } from "./storage-layout.ts";
import { kindOf, kindsOf, parseWire } from "./wire.ts";

/** Functions, events, errors and storages of one contract. */
export const DECLARATION_LIMIT = 1_024;
/** Parameters of a function or constructor: what crosses besides the entry's number. Solidity's stack allows no more. */
export const PARAMETER_LIMIT = MAXIMUM_ARGUMENTS - 1;
const NAME_LIMIT = 64;
const NO_TYPES = new TypeList([]);

export class DefinitionBuilder implements PureContext {
  readonly charge: (gas: number) => void;
  readonly lists: TypeList[] = [];
  readonly errors: TypeList[] = [];
  readonly events: DeclaredEvent[] = [];
  readonly storages: DeclaredStorage[] = [];
  readonly layout: PlacedFields[] = [];
  readonly functions = new Map<number, Entry>();
  readonly abi: JsonAbiItem[] = [];
  name: string | undefined;
  isUpgradeable = false;
  construct: Entry | undefined;
  receive: Entry | undefined;
  fallback: Entry | undefined;

  /** `charge` takes gas from the evaluation, and ends it when it does not suffice. */
  constructor(charge: (gas: number) => void) {
    this.charge = charge;
  }

  /** Undefined when the module never said `contract`. */
  finish(): ContractDefinition | undefined {
    const { name, isUpgradeable, construct, functions, receive, fallback } = this;
    const { events, errors, storages, lists, abi, layout } = this;
    if (name === undefined) return undefined;
    const entries = { construct, receive, fallback };
    const selectors = [...functions.keys()];
    const functionOf = (selector: number) => functions.get(selector);
    return {
      name,
      isUpgradeable,
      ...entries,
      selectors,
      functionOf,
      events,
      errors,
      storages,
      lists,
      abi,
      layout,
    };
  }

  /** Pays for a signature and makes room for one more declaration. */
  signature(text: string): string {
    this.charge(HOST_GAS.signatureCharacter * text.length);
    const count = this.functions.size + this.events.length + this.errors.length + this.storages.length;
    if (count >= DECLARATION_LIMIT) throw new GuestException("RangeError", "too many declarations");
    return text;
  }
}

type Declare = Operator<DefinitionBuilder>;

const declareContract: Declare = (builder, args) => {
  const name = args.text(0);
  if (!/^[A-Za-z_$][\w$]*$/.test(name) || name.length > NAME_LIMIT) {
    throw new GuestException("TypeError", "a contract's name is a word");
  }
  if (builder.name !== undefined) throw new GuestException("TypeError", "a module has one contract");
  const flags = args.int(1);
  builder.name = name;
  builder.isUpgradeable = (flags & DECLARES.upgradeable) !== 0;
  const entry = { isView: false, isReentrant: false, inputs: NO_TYPES, outputs: NO_TYPES };
  if ((flags & DECLARES.receive) !== 0) {
    // Whoever pays back to a caller that is running must be able to, as Solidity's receive() always is.
    builder.receive = { ...entry, index: ENTRY.receive, isPayable: true, isReentrant: true };
    builder.abi.push({ type: "receive", stateMutability: "payable" });
  }
  if ((flags & DECLARES.fallback) !== 0) {
    const isPayable = (flags & DECLARES.fallbackPayable) !== 0;
    const isReentrant = (flags & DECLARES.fallbackReentrant) !== 0;
    builder.fallback = { ...entry, index: ENTRY.fallback, isPayable, isReentrant };
    builder.abi.push({ type: "fallback", stateMutability: isPayable ? "payable" : "nonpayable" });
  }
  return undefined;
};

const declareConstructor: Declare = (builder, args) => {
  const parameters = checkCount(parseParameters(builder.signature(args.text(0))));
  const isPayable = args.int(1) !== 0;
  builder.construct = {
    index: ENTRY.constructor,
    isPayable,
    isView: false,
    isReentrant: false,
    inputs: new TypeList(parameters),
    outputs: NO_TYPES,
  };
  builder.abi.unshift({
    type: "constructor",
    inputs: parameters.map((parameter) => toJsonParameter(parameter)),
    stateMutability: isPayable ? "payable" : "nonpayable",
  });
  return JSON.stringify({ kinds: kindsOf(parameters) });
};

function checkCount(parameters: readonly AbiParameter[]): readonly AbiParameter[] {
  if (parameters.length > PARAMETER_LIMIT) {
    throw new GuestException("TypeError", `more than ${PARAMETER_LIMIT} parameters: use a tuple`);
  }
  return parameters;
}

const MUTABILITIES: ReadonlySet<string> = new Set(["view", "nonpayable", "payable"]);

const declareFunction: Declare = (builder, args) => {
  const parsed = parseFunction(builder.signature(args.text(1)));
  const name = args.text(0);
  if (parsed.name !== "" && parsed.name !== name) {
    throw new GuestException("TypeError", `function "${name}" has the signature of "${parsed.name}"`);
  }
  checkCount(parsed.inputs);
  const stateMutability = args.text(2);
  if (!MUTABILITIES.has(stateMutability)) throw new GuestException("TypeError", "unknown mutability");
  const item = { ...parsed, name, stateMutability: stateMutability as StateMutability };
  const selector = selectorNumber(fromHex(selectorOf(item)));
  if (builder.functions.has(selector)) {
    throw new GuestException("TypeError", `function "${name}" has the selector of another`);
  }
  const isView = stateMutability === "view";
  const reentrancy = args.int(3);
  builder.functions.set(selector, {
    index: builder.functions.size,
    isPayable: stateMutability === "payable",
    isView,
    isReentrant: reentrancy === REENTRANCY.byMutability ? isView : reentrancy === REENTRANCY.allowed,
    inputs: new TypeList(item.inputs),
    outputs: new TypeList(item.outputs),
  });
  builder.abi.push(functionToJson(item));
  return JSON.stringify({ kinds: kindsOf(item.inputs), outputs: kindsOf(item.outputs) });
};

const declareEvent: Declare = (builder, args) => {
  const event = parseEvent(builder.signature(args.text(0)));
  const { inputs } = event;
  let encoder: DeclaredEvent["encode"] | undefined;
  const encode: DeclaredEvent["encode"] = (values) => {
    encoder ??= compileEventEncoder(event);
    return encoder(values);
  };
  const id = builder.events.push({ inputs, encode }) - 1;
  builder.abi.push(eventToJson(event));
  return JSON.stringify({ id, kinds: kindsOf(inputs), ...namesOf(inputs) });
};

const declareError: Declare = (builder, args) => {
  const error = parseError(builder.signature(args.text(0)));
  const { inputs, name } = error;
  const selector = selectorOf(error);
  const id = builder.errors.push(new TypeList(inputs, fromHex(selector))) - 1;
  const list = builder.lists.push(new TypeList(inputs)) - 1;
  builder.abi.push(errorToJson(error));
  return JSON.stringify({ id, list, kinds: kindsOf(inputs), ...namesOf(inputs), name, selector });
};

function namesOf(inputs: ReturnType<typeof parseParameters>): { readonly names?: readonly string[] } {
  return isNamed(inputs) ? { names: inputs.map(({ name }) => name) } : {};
}

const declareStorage: Declare = (builder, args) => {
  const text = builder.signature(args.text(0));
  const type = layOutFields(parseWire(text));
  const base = args.isUndefined(1) ? 0n : parseBase(args.text(1));
  const isTransient = args.int(2) !== 0;
  if (builder.storages.some((other) => other.slot === base && other.isTransient === isTransient)) {
    throw new GuestException("TypeError", "storage is declared twice in one namespace");
  }
  const fields = type.fields.map((field) => fieldCell(base, field));
  const id = builder.storages.push({ type, slot: base, offset: 0, isTransient, fields }) - 1;
  if (!isTransient) builder.layout.push({ base, fields: type.fields });
  return JSON.stringify({ id, fields: type.fields.map(({ name, type }) => [name, storageKind(type)]) });
};

/** The slot of an ERC-7201 namespace, or the slot itself as hexadecimal digits behind `0x`. */
function parseBase(text: string): bigint {
  if (!text.startsWith("0x")) return namespaceSlot(text);
  if (!SLOT.test(text)) throw new GuestException("TypeError", `not a slot: ${text.slice(0, NAME_LIMIT)}`);
  return BigInt(text);
}

const SLOT = /^0x[0-9a-f]{1,64}$/;

function storageKind(type: StorageType): StorageKind {
  switch (type.kind) {
    case "value":
      return { value: kindOf(type.type) };
    case "mapping":
      return {
        key: kindOf(type.key),
        ...(type.key.kind === "string" && { isText: true as const }),
        mapping: storageKind(type.value),
      };
    case "array":
      return { array: storageKind(type.element) };
    case "struct":
      return { fields: type.fields.map(({ name, type }) => [name, storageKind(type)] as const) };
    default:
      return { value: "s" };
  }
}

export const DECLARATIONS: Readonly<Record<number, Declare>> = {
  [OPERATION.declareContract]: declareContract,
  [OPERATION.declareConstructor]: declareConstructor,
  [OPERATION.declareFunction]: declareFunction,
  [OPERATION.declareEvent]: declareEvent,
  [OPERATION.declareError]: declareError,
  [OPERATION.declareStorage]: declareStorage,
};
