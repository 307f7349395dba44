/** Describing a contract, and the entries through which the node runs it. See specs/contracts/authoring.md. */
import { DECLARES, ENTRY, type Kind, OPERATION, REENTRANCY } from "../../vm/contract/operation.ts";
import { entries, type Flat, host, hostJson } from "./host.ts";
import { applyUnpack, compileResult, compileUnpack, type Unpack } from "./wire.ts";

type Handler = (...args: never[]) => unknown;
type FunctionOptions = { readonly reentrant?: boolean };
type Method = {
  readonly signature: string;
  readonly mutability: "view" | "nonpayable" | "payable";
  readonly handler: Handler;
  readonly options: FunctionOptions;
};
/** By name; several under one name are overloads. */
type Methods = Record<string, Method | readonly Method[]>;
type Constructor = {
  readonly signature: string;
  readonly handler: Handler;
  readonly options: { payable?: boolean };
};

type Description = {
  readonly name: string;
  readonly upgradeable?: boolean;
  readonly init?: Constructor;
  readonly functions?: Methods;
  readonly receive?: () => void;
  readonly fallback?:
    | ((data: string) => string | void)
    | { handler(data: string): string | void; payable?: boolean; reentrant?: boolean };
};

const method =
  (mutability: Method["mutability"]) =>
  (signature: string, handler: Handler, options: FunctionOptions = {}): Method => ({
    signature,
    mutability,
    handler,
    options,
  });

/** A function that reads; it may be called while the contract is already running. */
export const view = method("view");
/** A function that changes state and takes no value. */
export const external = method("nonpayable");
/** A function that changes state and may be sent value. */
export const payable = method("payable");

/** The same functions, with `check` run before each one that changes state. */
export function guard(check: () => void, methods: Methods): Methods {
  return mapMethods(methods, (method) => {
    if (method.mutability === "view") return method;
    const handler = method.handler as (...args: unknown[]) => unknown;
    const guarded = (...args: unknown[]): unknown => {
      check();
      return handler(...args);
    };
    return { ...method, handler: guarded };
  });
}

/** The same functions, which may be entered while the contract runs. */
export function reentrant(methods: Methods): Methods {
  return mapMethods(methods, (method) => ({ ...method, options: { reentrant: true } }));
}

function mapMethods(methods: Methods, change: (method: Method) => Method): Methods {
  const entries = Object.entries(methods).map(([name, overloads]) => [name, listOf(overloads).map(change)]);
  return Object.fromEntries(entries) as Methods;
}

function listOf(overloads: Method | readonly Method[]): readonly Method[] {
  return Array.isArray(overloads) ? (overloads as readonly Method[]) : [overloads as Method];
}

/** The constructor. */
export const init = (
  signature: string,
  handler: Handler,
  options: { payable?: boolean } = {},
): Constructor => ({
  signature,
  handler,
  options,
});

/** Objects `contract` made, so that a default export of anything else is told apart. */
const contracts = new WeakSet<object>();

export function contract(description: Description): object {
  const made = Object.freeze({ ...description });
  contracts.add(made);
  return made;
}

type Entry = (first: Flat, second: Flat, third: Flat) => string | undefined;
type Declared = { readonly kinds: readonly Kind[]; readonly outputs?: readonly Kind[] };

const functions: Entry[] = [];
const special = new Map<number, Entry>();

/** Called once with the default export of the contract's module. */
entries["define"] = (exported: unknown): undefined => {
  if (!contracts.has(exported as object))
    throw new TypeError("a contract's default export is contract({ … })");
  const description = exported as Description;
  const { name, init: construct, functions: methods = {}, receive, fallback } = description;
  host(OPERATION.declareContract, String(name), flagsOf(description));
  if (construct !== undefined) declareConstructor(construct);
  for (const [key, overloads] of Object.entries(methods)) {
    for (const method of listOf(overloads)) declareMethod(key, method);
  }
  if (receive !== undefined) special.set(ENTRY.receive, compileEntry(receive, [], []));
  if (fallback !== undefined) {
    const handler = typeof fallback === "function" ? fallback : fallback.handler;
    special.set(
      ENTRY.fallback,
      compileEntry((data: string) => handler(data) ?? "0x", ["s"], ["s"]),
    );
  }
};

function flagsOf({ receive, fallback, upgradeable }: Description): number {
  let flags =
    (receive === undefined ? 0 : DECLARES.receive) | (upgradeable === true ? DECLARES.upgradeable : 0);
  if (fallback === undefined) return flags;
  flags |= DECLARES.fallback;
  if (typeof fallback === "function") return flags;
  if (fallback.payable === true) flags |= DECLARES.fallbackPayable;
  if (fallback.reentrant === true) flags |= DECLARES.fallbackReentrant;
  return flags;
}

function declareConstructor({ signature, handler, options }: Constructor): void {
  const { kinds } = hostJson<Declared>(
    OPERATION.declareConstructor,
    signature,
    options.payable === true ? 1 : 0,
  );
  special.set(ENTRY.constructor, compileEntry(handler, kinds, []));
}

function declareMethod(name: string, { signature, mutability, handler, options }: Method): void {
  const { reentrant } = options;
  const reentrancy =
    reentrant === undefined ? REENTRANCY.byMutability : reentrant ? REENTRANCY.allowed : REENTRANCY.denied;
  const { kinds, outputs = [] } = hostJson<Declared>(
    OPERATION.declareFunction,
    name,
    signature,
    mutability,
    reentrancy,
  );
  functions.push(compileEntry(handler, kinds, outputs));
}

function compileEntry(handler: Handler, kinds: readonly Kind[], outputs: readonly Kind[]): Entry {
  const call = compileHandler(handler as (...args: unknown[]) => unknown, kinds.map(compileUnpack));
  const [kind] = outputs;
  const pack =
    kind === undefined ? undefined : compileResult(outputs.length === 1 ? kind : { members: outputs });
  return (first, second, third) => {
    const result = call(first, second, third);
    refusePromise(result);
    return pack === undefined ? undefined : pack(result);
  };
}

/**
 * Spread is what a call costs most, so the common lengths are written out. With more parameters all arguments come as
 * a list in place of the first.
 */
function compileHandler(handler: (...args: unknown[]) => unknown, unpacks: readonly Unpack[]) {
  const [u0, u1, u2] = unpacks;
  switch (unpacks.length) {
    case 0:
      return () => handler();
    case 1:
      return (first: Flat) => handler(applyUnpack(u0, first));
    case 2:
      return (first: Flat, second: Flat) => handler(applyUnpack(u0, first), applyUnpack(u1, second));
    case 3:
      return (first: Flat, second: Flat, third: Flat) =>
        handler(applyUnpack(u0, first), applyUnpack(u1, second), applyUnpack(u2, third));
    default:
      return (list: Flat) =>
        handler(...unpacks.map((unpack, i) => applyUnpack(unpack, (list as unknown as Flat[])[i] as Flat)));
  }
}

/** Handlers are synchronous: what a promise would do later is never done. */
function refusePromise(result: unknown): void {
  if (
    typeof result === "object" &&
    result !== null &&
    typeof (result as { then?: unknown }).then === "function"
  ) {
    throw new TypeError("a handler returned a promise; contracts are synchronous");
  }
}

function entryAt(index: number): Entry {
  const entry = index < 0 ? special.get(index) : functions[index];
  if (entry === undefined) throw new TypeError("no such entry");
  return entry;
}

/** Called with the entry's number and up to three arguments. */
entries["call"] = (index: number, first: Flat, second: Flat, third: Flat) =>
  entryAt(index)(first, second, third);

/** Called with the entry's number and more arguments than that. */
entries["callMany"] = (index: number, ...list: Flat[]) => entryAt(index)(list as unknown as Flat, 0, 0);
