/** Runs contract code on the engine: the ContractMachine of vm/message.ts. See specs/vm/contract/machine.md. */
import { type Address, BytesError, EMPTY_BYTES, fromHex, type Hash, toHex } from "../../primitives/bytes.ts";
import { assert } from "../../primitives/errors.ts";
import { keccak256Hex } from "../../primitives/hash.ts";
import type { Engine } from "../engine/engine.ts";
import { GuestException, type GuestValue, type Host, type RunResult } from "../engine/host.ts";
import type { EngineInstance } from "../engine/instance.ts";
import { InstancePool } from "../engine/pool.ts";
import { GAS } from "../gas.ts";
import type { ContractDescription, ContractMachine, Frame, MessageResult, Outcome } from "../message.ts";
import { EMPTY_CODE_HASH } from "../state/account-codec.ts";
import type { Journal } from "../state/journal.ts";
import { LineRecorder } from "../tracing/line-recorder.ts";
import { ProbedSources } from "../tracing/probed-sources.ts";
import { selectorNumber } from "./abi-item.ts";
import type { AbiValue } from "./abi-type.ts";
import { type Container, ContainerError, decodeContainer, unpackSource } from "./container.ts";
import { ContractLoader, type LoaderOptions } from "./contract-loader.ts";
import type { DebugEngine } from "./debug-engine.ts";
import type { ContractDefinition, Entry } from "./definition.ts";
import { EVALUATION_TICK_LIMIT, type Evaluation } from "./evaluate-contract.ts";
import { type ConsoleSink, FrameHalt, FrameRun } from "./frame-run.ts";
import { CALLS } from "./host-calls.ts";
import { ENVIRONMENT } from "./host-environment.ts";
import {
  COLD_CODE_GAS,
  codecGas,
  coldCodeGas,
  HOST_GAS,
  RESTORED_PAGE_GAS,
  storedContractGas,
  TICKS_PER_GAS,
} from "./host-gas.ts";
import { type Operator, PURE } from "./host-pure.ts";
import { STORAGE } from "./host-storage.ts";
import { ENTRY, SHORT_CALL_VALUES } from "./operation.ts";
import { PRECOMPILES } from "./precompiles.ts";
import { PROBE, type Probes, type Spare, spareGas } from "./probes.ts";
import { isReentry, REENTRANCY_DATA } from "./reentrancy.ts";
import { exceptionOf, reasonData, revertDataOf, revertDataOfError } from "./revert-data.ts";
import type { LoadedContract } from "./snapshot-cache.ts";
import { storageLayoutJson } from "./storage-json.ts";
import { readResult, toFlat } from "./wire.ts";

export type MachineOptions = LoaderOptions & {
  readonly console?: ConsoleSink;
  /** Opens the engine that runs contracts with probes; nothing is traced by line without it. */
  readonly openDebugEngine?: () => DebugEngine;
};

const PROBED_CACHE_BYTES = 64 * 1024 * 1024;
const SELECTOR_SIZE = 4;

/** One per thread. */
export class EngineMachine implements ContractMachine {
  readonly precompiles = PRECOMPILES;
  readonly #pool: InstancePool;
  readonly #contracts: ContractLoader;
  readonly #console: ConsoleSink | undefined;
  readonly #probes: Probes | undefined;
  #probed: { readonly sources: ProbedSources; readonly machine: EngineMachine } | undefined;
  readonly #openDebugEngine: (() => DebugEngine) | undefined;

  constructor(engine: Engine, options: MachineOptions = {}) {
    this.#probes = options.probes;
    this.#openDebugEngine = options.openDebugEngine;
    this.#pool = new InstancePool(engine);
    this.#contracts = new ContractLoader(engine, options);
    this.#console = options.console;
  }

  call(frame: Frame): MessageResult {
    const codeHash = frame.context.journal.codeHash(frame.codeAddress);
    return this.#pool.with((instance) => {
      // Before anything that a node with a cached contract would not do.
      if (!instance.hasRoom) return failure("stack limit");
      if (frame.gas < GAS.frame) return failure("out of gas");
      const paidGas = paidLoadGas(frame, codeHash);
      const loadLimit = frame.gas - GAS.frame + paidGas;
      const contract = this.#contracts.load(instance, codeHash, () => frame.code, loadLimit);
      if (contract === undefined) return failure("invalid container");
      if (contract === "too dear") return failure("out of gas");
      const gas = frame.gas - Math.max(0, coldCodeGas(contract) - paidGas);
      const entry = entryFor(contract.definition, frame);
      if (entry instanceof Uint8Array) return revertOf(entry, gas - GAS.frame);
      return this.#enter(instance, contract, frame, entry, gas);
    });
  }

  loadGas(journal: Journal, address: Address, gasLimit: number): number {
    const codeHash = journal.codeHash(address);
    if (codeHash === EMPTY_CODE_HASH || journal.touchCode(codeHash)) return 0;
    if (gasLimit < COLD_CODE_GAS.least) return COLD_CODE_GAS.least;
    return this.#pool.with((instance) => {
      // What it calls will not run, and nothing is evaluated where a node with the contract in memory would not.
      if (!instance.hasRoom) return COLD_CODE_GAS.least;
      const contract = this.#contracts.load(instance, codeHash, () => journal.code(address), gasLimit);
      if (contract === "too dear") return gasLimit + 1;
      return contract === undefined ? COLD_CODE_GAS.least : coldCodeGas(contract);
    });
  }

  /** Whatever the container is, evaluating it costs the creator; later calls only restore what it left. */
  create(frame: Frame): MessageResult {
    let deployment: { readonly container: Container; readonly size: number };
    try {
      deployment = decodeContainer(frame.data);
    } catch (error) {
      return containerFailure(error);
    }
    const { container, size } = deployment;
    const storeGas = GAS.codeByte * size;
    if (storeGas > frame.gas) return failure("out of gas");
    const code = frame.data.slice(0, size);
    const args = frame.data.subarray(size);
    return this.#pool.with((instance) => {
      const ticks = Math.min(EVALUATION_TICK_LIMIT, (frame.gas - storeGas) * TICKS_PER_GAS);
      let evaluation: Evaluation;
      try {
        evaluation = this.#contracts.evaluate(instance, container, ticks);
      } catch (error) {
        return containerFailure(error);
      }
      if (evaluation.outcome !== "success" && evaluation.outcome !== "revert")
        return failure(evaluation.outcome);
      const madeGas = storeGas + gasOfTicks(evaluation.ticksUsed);
      if (evaluation.outcome === "revert") return revertOf(evaluation.output, frame.gas - madeGas);
      const { contract } = evaluation;
      const gas = frame.gas - Math.max(madeGas, storedContractGas(contract));
      if (gas < 0) return failure("out of gas");
      // The header must say what the source says, which is what people read.
      if (contract.definition.isUpgradeable !== container.isUpgradeable) return failure("invalid container");
      const codeHash = keccak256Hex(code);
      frame.context.journal.touchCode(codeHash);
      this.#contracts.add(codeHash, contract);
      const result = this.#construct(instance, contract, { ...frame, data: args, gas });
      return result.outcome === "success" ? { ...result, output: EMPTY_BYTES, code } : result;
    });
  }

  describe(code: Uint8Array): ContractDescription | undefined {
    const codeHash = keccak256Hex(code);
    const contract = this.#pool.with((instance) =>
      this.#contracts.load(instance, codeHash, () => code, Number.POSITIVE_INFINITY),
    );
    if (contract === undefined || contract === "too dear") return undefined;
    const { name, isUpgradeable, abi, layout } = contract.definition;
    const source = unpackSource(decodeContainer(code).container);
    return { name, source, isUpgradeable, abi, storageLayout: storageLayoutJson(name, layout) };
  }

  openProbed(spare: Spare): { readonly machine: ContractMachine; readonly recorder: LineRecorder } {
    assert(this.#openDebugEngine !== undefined, "only a machine with a debug engine traces lines");
    const { engine, probeTicks } = this.#openDebugEngine();
    if (this.#probed === undefined || this.#probed.sources.isFull) {
      const sources = new ProbedSources();
      const console: ConsoleSink = (address, text) => sources.recorder?.onConsole(address, text);
      const options = { probes: sources, console, cacheBytes: PROBED_CACHE_BYTES };
      this.#probed = { sources, machine: new EngineMachine(engine, options) };
    }
    const { sources, machine } = this.#probed;
    const recorder = new LineRecorder(sources, probeTicks, spare);
    sources.recorder = recorder;
    return { machine, recorder };
  }

  #construct(instance: EngineInstance, contract: LoadedContract, frame: Frame): MessageResult {
    const { construct } = contract.definition;
    if (construct !== undefined) {
      if (frame.value > 0n && !construct.isPayable) return revertOf(NOT_PAYABLE, frame.gas);
      return this.#enter(instance, contract, frame, { entry: construct, data: frame.data }, frame.gas);
    }
    if (frame.value > 0n) return revertOf(NOT_PAYABLE, frame.gas);
    if (frame.data.length > 0) return revertOf(reasonData("the contract has no constructor"), frame.gas);
    return { outcome: "success", output: EMPTY_BYTES, gasLeft: frame.gas };
  }

  /** @param gasLimit what the frame has, less what it took to load the contract. */
  #enter(
    instance: EngineInstance,
    contract: LoadedContract,
    frame: Frame,
    target: Target,
    gasLimit: number,
  ): MessageResult {
    const { entry, data } = target;
    const entryGas = GAS.frame + RESTORED_PAGE_GAS * contract.pageCount + codecGas(data.length);
    if (entryGas > gasLimit) return failure("out of gas");
    const gas = gasLimit - entryGas;
    let values: GuestValue[];
    try {
      values = entryValues(entry, data);
    } catch (error) {
      return revertOf(revertDataOfError(error), gas);
    }
    const run = new FrameRun(
      instance,
      frame,
      contract.definition,
      frame.isStatic || entry.isView,
      this.#console,
    );
    if (this.#probes !== undefined) run.spareGas = spareGas(this.#probes.spare, gas);
    instance.restore(contract.snapshot);
    let result: RunResult;
    const { stackTraceLimit } = Error;
    // Most errors of the host are answers to the guest, and reading the stack takes thrice as long as all else.
    Error.stackTraceLimit = 0;
    try {
      const name = values.length <= SHORT_CALL_VALUES ? "call" : "callMany";
      const ticks = (gas + run.spareGas) * TICKS_PER_GAS;
      result = instance.call(name, values, ticks, runningHost(run, this.#probes));
    } catch (error) {
      if (error instanceof FrameHalt) return failure(error.detail.outcome);
      Error.stackTraceLimit = stackTraceLimit;
      if (error instanceof Error) Error.captureStackTrace(error);
      throw error;
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
    if (result.outcome !== "ok" && result.outcome !== "exception") return failure(result.outcome);
    const gasLeft = gas + run.spareGas - gasOfTicks(result.ticksUsed);
    const ended =
      result.outcome === "exception"
        ? revertOf(revertDataOf(result), gasLeft)
        : succeed(entry, result.value, gasLeft);
    return run.spareGas === 0 ? ended : { ...ended, gasLeft: Math.max(0, ended.gasLeft - run.spareGas) };
  }
}

/** What has been paid of loading the code: a part of it by the transaction, all of it by a frame that calls. */
function paidLoadGas({ context, depth }: Frame, codeHash: Hash): number {
  if (depth > 0 || context.journal.touchCode(codeHash)) return Number.POSITIVE_INFINITY;
  return COLD_CODE_GAS.ofTransaction;
}

/** An entry and the bytes its arguments are decoded from. */
type Target = { readonly entry: Entry; readonly data: Uint8Array };

/** What call data is meant for, or the revert data that says why there is no such thing. */
function entryFor(definition: ContractDefinition, frame: Frame): Target | Uint8Array {
  const { data } = frame;
  const method = data.length >= SELECTOR_SIZE ? definition.functionOf(selectorNumber(data)) : undefined;
  const entry = method ?? (data.length === 0 ? definition.receive : undefined) ?? definition.fallback;
  if (entry === undefined) {
    return reasonData(
      data.length === 0
        ? "the contract takes no plain transfers"
        : `unknown function ${toHex(data.subarray(0, SELECTOR_SIZE))}`,
    );
  }
  if (frame.value > 0n && !entry.isPayable) return NOT_PAYABLE;
  if (!entry.isReentrant && isReentry(frame)) return REENTRANCY_DATA;
  return { entry, data: method === undefined ? data : data.subarray(SELECTOR_SIZE) };
}

const NOT_PAYABLE = reasonData("the function takes no value");

/** What the guest's entry is given. `fallback` sees the call data as it came. */
function entryValues({ index, inputs }: Entry, data: Uint8Array): GuestValue[] {
  if (index === ENTRY.fallback) return [index, toHex(data)];
  const values = inputs.decode(data);
  return [index, ...inputs.parameters.map(({ type }, i) => toFlat(type, values[i] as AbiValue))];
}

function succeed(entry: Entry, value: string | undefined, gas: number): MessageResult {
  let output: Uint8Array;
  try {
    output =
      entry.index === ENTRY.fallback
        ? fromHex(value ?? "0x")
        : entry.outputs.encode(readResult(entry.outputs.parameters, value));
  } catch (error) {
    if (error instanceof BytesError) return revertOf(reasonData("TypeError: fallback returns hex"), gas);
    return revertOf(revertDataOfError(error), gas);
  }
  const gasLeft = gas - codecGas(output.length);
  return gasLeft < 0 ? failure("out of gas") : { outcome: "success", output, gasLeft };
}

function runningHost(run: FrameRun, probes: Probes | undefined): Host {
  return (operation, args) => {
    if (probes !== undefined && operation >= PROBE.statement) {
      run.giveBack(probes.onProbe(operation, args.int(0), run.ticksLeft));
      return undefined;
    }
    run.charge(HOST_GAS.operation);
    const operator: Operator<FrameRun> | undefined =
      STORAGE[operation] ?? ENVIRONMENT[operation] ?? CALLS[operation] ?? PURE[operation];
    if (operator === undefined) {
      throw new GuestException(
        "TypeError",
        "events, errors and storage are declared at a module's top level",
      );
    }
    try {
      return operator(run, args);
    } catch (error) {
      if (error instanceof FrameHalt) throw error;
      const exception = exceptionOf(error);
      run.charge(HOST_GAS.exception);
      throw exception;
    }
  };
}

function gasOfTicks(ticks: number): number {
  return Math.ceil(ticks / TICKS_PER_GAS);
}

function revertOf(output: Uint8Array, gasLeft: number): MessageResult {
  return { outcome: "revert", output, gasLeft };
}

function failure(outcome: Outcome): MessageResult {
  return { outcome, output: EMPTY_BYTES, gasLeft: 0 };
}

function containerFailure(error: unknown): MessageResult {
  if (!(error instanceof ContainerError)) throw error;
  return failure("invalid container");
}
