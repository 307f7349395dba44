/** What a module declared, as plain data, so that its definition can be made again without running it. See specs/vm/contract/machine.md#cache. */
import { GuestException, type HostArguments } from "../engine/host.ts";
import type { ContractDefinition } from "./definition.ts";
import { DECLARATIONS, DefinitionBuilder } from "./definition-builder.ts";
import { type Operator, PURE } from "./host-pure.ts";
import { OPERATION } from "./operation.ts";
import { exceptionOf } from "./revert-data.ts";

/** One operation and what the host read of its arguments; null for one that was missing or of another type. */
export type RecordedDeclaration = {
  readonly operation: number;
  readonly values: readonly (string | number | null)[];
};

/** Operations that leave something in the definition: declarations, and types that are parsed. */
export function isRecorded(operation: number): boolean {
  return (
    operation in DECLARATIONS || operation === OPERATION.parseTypes || operation === OPERATION.parseFunction
  );
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

/**
 * The definition that the recorded operations make. Those that failed when they were recorded fail again.
 * @returns undefined when there is no contract among them.
 */
export function replayDeclarations(record: readonly RecordedDeclaration[]): ContractDefinition | undefined {
  const builder = new DefinitionBuilder(() => undefined);
  for (const { operation, values } of record) {
    const operator: Operator<DefinitionBuilder> | undefined = DECLARATIONS[operation] ?? PURE[operation];
    try {
      operator?.(builder, new ReplayedArguments(values));
    } catch (error) {
      exceptionOf(error);
    }
  }
  return builder.finish();
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
