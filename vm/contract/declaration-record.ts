/** What a module declared, as plain data, so that its definition can be made again without running it. See specs/vm/contract/machine.md#cache. */
import { bytesToUtf8, utf8ToBytes } from "../../primitives/bytes.ts";
import { assert } from "../../primitives/errors.ts";
import { GuestException, type HostArguments } from "../engine/host.ts";
import type { ContractDefinition, Entry } from "./definition.ts";
import { DECLARATIONS, DefinitionBuilder } from "./definition-builder.ts";
import { type Operator, PURE } from "./host-pure.ts";
import { OPERATION } from "./operation.ts";

/** One operation that succeeded, and what the host read of its arguments; null for one that was missing. */
export type RecordedDeclaration = {
  readonly operation: number;
  readonly values: readonly (string | number | null)[];
};

/** Operations that leave something in the definition: declarations, and types that are parsed. */
export function isRecorded(operation: number): boolean {
  return operation in DECLARATIONS || TYPES.has(operation);
}

/** Passes arguments on, and notes them. */
export class RecordingArguments implements HostArguments {
  readonly #arguments: HostArguments;
  readonly values: (string | number | null)[] = [];

  constructor(inner: HostArguments) {
    this.#arguments = inner;
  }

  get length(): number {
    return this.#arguments.length;
  }
  int(index: number): number {
    return this.#note(index, this.#arguments.int(index));
  }
  text(index: number): string {
    return this.#note(index, this.#arguments.text(index));
  }
  isUndefined(index: number): boolean {
    return this.#arguments.isUndefined(index);
  }
  hex(): Uint8Array {
    return refuse("a declaration has no bytes");
  }
  bigInt(): bigint {
    return refuse("a declaration has no integers of this kind");
  }

  #note<T extends string | number>(index: number, value: T): T {
    while (this.values.length <= index) this.values.push(null);
    this.values[index] = value;
    return value;
  }
}

/** As JSON: a list for each, of its operation and its values. */
export function encodeDeclarations(record: readonly RecordedDeclaration[]): Uint8Array {
  return utf8ToBytes(JSON.stringify(record.map(({ operation, values }) => [operation, ...values])));
}

/** What `encodeDeclarations` made of a record. */
export function decodeDeclarations(bytes: Uint8Array): readonly RecordedDeclaration[] {
  const lists: readonly (readonly [number, ...RecordedDeclaration["values"]])[] = JSON.parse(
    bytesToUtf8(bytes),
  );
  return lists.map(([operation, ...values]) => ({ operation, values }));
}

/** Operations that add to one part of a definition and depend on no others. */
const STORAGES: ReadonlySet<number> = new Set([OPERATION.declareStorage]);
const EVENTS: ReadonlySet<number> = new Set([OPERATION.declareEvent]);
const TYPES: ReadonlySet<number> = new Set([
  OPERATION.declareError,
  OPERATION.parseTypes,
  OPERATION.parseFunction,
]);

/** The definition that the recorded operations make. @param selectors of the functions, in their order. */
export function replayDeclarations(
  record: readonly RecordedDeclaration[],
  selectors: readonly number[],
): ContractDefinition {
  return new ReplayedDefinition(record, selectors);
}

/** Carries an operation out when its part is first asked for: a call needs few of those that a contract declares. */
class ReplayedDefinition implements ContractDefinition {
  readonly name: string;
  readonly isUpgradeable: boolean;
  readonly receive: Entry | undefined;
  readonly fallback: Entry | undefined;
  readonly selectors: readonly number[];
  readonly #record: readonly RecordedDeclaration[];
  readonly #functions = new Map<number, Entry>();
  #declaredFunctions: readonly RecordedDeclaration[] | undefined;
  #storages: DefinitionBuilder | undefined;
  #events: DefinitionBuilder | undefined;
  #types: DefinitionBuilder | undefined;
  #all: DefinitionBuilder | undefined;

  constructor(record: readonly RecordedDeclaration[], selectors: readonly number[]) {
    const { name, isUpgradeable, receive, fallback } = replay(record, CONTRACT);
    assert(name !== undefined, "a contract that was kept has declared its name");
    this.name = name;
    this.isUpgradeable = isUpgradeable;
    this.receive = receive;
    this.fallback = fallback;
    this.selectors = selectors;
    this.#record = record;
  }

  functionOf(selector: number): Entry | undefined {
    const known = this.#functions.get(selector);
    if (known !== undefined) return known;
    const index = this.selectors.indexOf(selector);
    this.#declaredFunctions ??= this.#record.filter(({ operation }) => FUNCTIONS.has(operation));
    const declaration = this.#declaredFunctions[index];
    if (declaration === undefined) return undefined;
    const made = replay([declaration], FUNCTIONS).functions.get(selector);
    assert(made !== undefined, "a function has the selector it was kept with");
    const entry = { ...made, index };
    this.#functions.set(selector, entry);
    return entry;
  }

  get storages(): ContractDefinition["storages"] {
    this.#storages ??= replay(this.#record, STORAGES);
    return this.#storages.storages;
  }
  get events(): ContractDefinition["events"] {
    this.#events ??= replay(this.#record, EVENTS);
    return this.#events.events;
  }
  get errors(): ContractDefinition["errors"] {
    this.#types ??= replay(this.#record, TYPES);
    return this.#types.errors;
  }
  get lists(): ContractDefinition["lists"] {
    this.#types ??= replay(this.#record, TYPES);
    return this.#types.lists;
  }
  get construct(): Entry | undefined {
    return this.#whole().construct;
  }
  get abi(): ContractDefinition["abi"] {
    return this.#whole().abi;
  }
  get layout(): ContractDefinition["layout"] {
    return this.#whole().layout;
  }

  #whole(): DefinitionBuilder {
    this.#all ??= replay(this.#record, undefined);
    return this.#all;
  }
}

const CONTRACT: ReadonlySet<number> = new Set([OPERATION.declareContract]);
const FUNCTIONS: ReadonlySet<number> = new Set([OPERATION.declareFunction]);

/** Those of the operations that are in `wanted`; all of them without. */
function replay(
  record: readonly RecordedDeclaration[],
  wanted: ReadonlySet<number> | undefined,
): DefinitionBuilder {
  const builder = new DefinitionBuilder(() => undefined);
  for (const { operation, values } of record) {
    if (wanted?.has(operation) === false) continue;
    const operator: Operator<DefinitionBuilder> | undefined = DECLARATIONS[operation] ?? PURE[operation];
    operator?.(builder, new ReplayedArguments(values));
  }
  return builder;
}

class ReplayedArguments implements HostArguments {
  readonly #values: RecordedDeclaration["values"];

  constructor(values: RecordedDeclaration["values"]) {
    this.#values = values;
  }

  get length(): number {
    return this.#values.length;
  }
  int(index: number): number {
    const value = this.#values[index];
    return typeof value === "number" ? value : refuse("expected an integer");
  }
  text(index: number): string {
    const value = this.#values[index];
    return typeof value === "string" ? value : refuse("expected a string");
  }
  hex(): Uint8Array {
    return refuse("expected a string");
  }
  bigInt(): bigint {
    return refuse("expected a bigint");
  }
  isUndefined(index: number): boolean {
    return typeof this.#values[index] !== "string" && typeof this.#values[index] !== "number";
  }
}

function refuse(problem: string): never {
  throw new GuestException("TypeError", problem);
}
