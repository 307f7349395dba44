/** From a container to a contract ready to run: unpack, evaluate, keep the snapshot. See specs/vm/contract/machine.md#evaluation. */
import type { Engine } from "../engine/engine.ts";
import { GuestException, type Halt, type Host } from "../engine/host.ts";
import type { EngineInstance } from "../engine/instance.ts";
import { type Container, unpackSource } from "./container.ts";
import {
  encodeDeclarations,
  isRecorded,
  type RecordedDeclaration,
  RecordingArguments,
} from "./declaration-record.ts";
import { DECLARATIONS, DefinitionBuilder } from "./definition-builder.ts";
import { HOST_GAS, TICKS_PER_GAS } from "./host-gas.ts";
import { type Operator, PURE } from "./host-pure.ts";
import { PROBE, type Probes } from "./probes.ts";
import { exceptionOf, reasonData, revertDataOf } from "./revert-data.ts";
import type { LoadedContract } from "./snapshot-cache.ts";

/** Ticks a module may take: 1.3 M gas, some 10 ms. Nodes that lost the snapshot evaluate again and nobody pays. */
export const EVALUATION_TICK_LIMIT = 64_000_000;
/** Bytes by which a contract's snapshot may differ from the base: what every call restores. */
export const SNAPSHOT_DELTA_LIMIT = 1024 * 1024;

export type Evaluation =
  | { readonly outcome: "success"; readonly contract: LoadedContract; readonly ticksUsed: number }
  | { readonly outcome: "revert"; readonly output: Uint8Array; readonly ticksUsed: number }
  | { readonly outcome: Halt };

/**
 * Evaluates the module in a fresh copy of the base state. The result depends on the container alone, as long as
 * `ticks` suffice.
 * @throws ContainerError
 */
export function evaluateContract(
  engine: Engine,
  instance: EngineInstance,
  container: Container,
  ticks: number,
  probes?: Probes,
): Evaluation {
  const plain = unpackSource(container);
  const source = probes?.instrument(plain) ?? plain;
  instance.restore(engine.base);
  const builder = new DefinitionBuilder((gas) => instance.chargeTicks(gas * TICKS_PER_GAS));
  const declarations: RecordedDeclaration[] = [];
  const result = instance.evaluateModule(source, ticks, evaluationHost(builder, declarations, probes));
  if (result.outcome === "exception") {
    return { outcome: "revert", output: revertDataOf(result), ticksUsed: result.ticksUsed };
  }
  if (result.outcome !== "ok") return { outcome: result.outcome };
  const { ticksUsed } = result;
  const definition = builder.finish();
  const snapshot = instance.takeSnapshot();
  const deltaBytes = snapshot.delta.byteLength;
  const problem =
    definition === undefined
      ? "the module declares no contract"
      : deltaBytes > SNAPSHOT_DELTA_LIMIT
        ? `the evaluated module takes ${deltaBytes} bytes, the limit is ${SNAPSHOT_DELTA_LIMIT}`
        : undefined;
  if (definition === undefined || problem !== undefined) {
    return { outcome: "revert", output: reasonData(problem ?? ""), ticksUsed };
  }
  const definitionBytes = encodeDeclarations(declarations).length;
  const pageCount = snapshot.pages.length;
  const contract = { definition, declarations, snapshot, pageCount, deltaBytes, definitionBytes };
  return { outcome: "success", contract, ticksUsed };
}

/**
 * While a module is evaluated it can declare and compute. It can learn nothing that differs from node to node.
 * What it declares is added to `record`.
 */
function evaluationHost(
  builder: DefinitionBuilder,
  record: RecordedDeclaration[],
  probes: Probes | undefined,
): Host {
  return (operation, args) => {
    // Functions that the top level calls have probes too; what they cost is the deployment's.
    if (probes !== undefined && operation >= PROBE.statement) return undefined;
    builder.charge(HOST_GAS.operation);
    const operator: Operator<DefinitionBuilder> | undefined = DECLARATIONS[operation] ?? PURE[operation];
    if (operator === undefined) {
      throw new GuestException("TypeError", "a module's top level has no message, no block and no storage");
    }
    try {
      if (!isRecorded(operation)) return operator(builder, args);
      const recording = new RecordingArguments(args);
      const answer = operator(builder, recording);
      record.push({ operation, values: recording.values });
      return answer;
    } catch (error) {
      throw exceptionOf(error);
    }
  };
}
