/** Contracts ready to run: out of memory, from the store, or evaluated. See specs/vm/contract/machine.md#cache. */
import type { Hash } from "../../primitives/bytes.ts";
import type { Engine } from "../engine/engine.ts";
import type { EngineInstance } from "../engine/instance.ts";
import { type Container, ContainerError, decodeContainer } from "./container.ts";
import { EVALUATION_TICK_LIMIT, type Evaluation, evaluateContract } from "./evaluate-contract.ts";
import { coldCodeGas } from "./host-gas.ts";
import type { Probes } from "./probes.ts";
import { type LoadedContract, SnapshotCache } from "./snapshot-cache.ts";
import { decodeContract, encodeContract, readLoadSize, type SnapshotStore } from "./stored-contract.ts";

export type LoaderOptions = {
  /** Memory for contracts that are ready to run; 300 KB for a small one. */
  readonly cacheBytes?: number;
  /** Where contracts are kept beside the memory; without one those that leave it are evaluated again. */
  readonly store?: SnapshotStore;
  readonly probes?: Probes;
};

const DEFAULT_CACHE_BYTES = 256 * 1024 * 1024;
/** Nobody pays for probes. */
const PROBED_EVALUATION_TICKS = 2 ** 50;

export class ContractLoader {
  readonly #engine: Engine;
  readonly #cache: SnapshotCache;
  readonly #store: SnapshotStore | undefined;
  readonly #probes: Probes | undefined;

  constructor(engine: Engine, { cacheBytes = DEFAULT_CACHE_BYTES, store, probes }: LoaderOptions) {
    this.#engine = engine;
    this.#cache = new SnapshotCache(cacheBytes);
    this.#store = store;
    this.#probes = probes;
  }

  /**
   * The contract of this code; "too dear" when loading it costs more than `gasLimit`, whether it is in memory or not.
   * One whose stored form says so is not even read. Undefined only when genesis put something else there than a contract.
   *
   * @param code read when the contract is neither in memory nor in the store. It is evaluated again then, at nobody's
   *   cost, since its deployment paid for it.
   */
  load(
    instance: EngineInstance,
    codeHash: Hash,
    code: () => Uint8Array,
    gasLimit: number,
  ): LoadedContract | "too dear" | undefined {
    const contract = this.#cache.get(codeHash) ?? this.#reload(instance, codeHash, code, gasLimit);
    if (contract === undefined || contract === "too dear") return contract;
    return coldCodeGas(contract) > gasLimit ? "too dear" : contract;
  }

  /** A contract that was just evaluated. */
  add(codeHash: Hash, contract: LoadedContract): void {
    if (this.#cache.get(codeHash) === undefined) this.#keep(codeHash, contract);
    this.#cache.set(codeHash, contract);
  }

  /** With probes the contract is evaluated twice: as it is, for the price, and as it will run. @throws ContainerError */
  evaluate(instance: EngineInstance, container: Container, ticks: number): Evaluation {
    const plain = evaluateContract(this.#engine, instance, container, ticks);
    const probes = this.#probes;
    if (probes === undefined || plain.outcome !== "success") return plain;
    const probed = evaluateContract(this.#engine, instance, container, PROBED_EVALUATION_TICKS, probes);
    // What grows too large by its probes runs without.
    if (probed.outcome !== "success") return plain;
    const { pageCount, deltaBytes, definitionBytes } = plain.contract;
    return { ...plain, contract: { ...probed.contract, pageCount, deltaBytes, definitionBytes } };
  }

  #reload(
    instance: EngineInstance,
    codeHash: Hash,
    code: () => Uint8Array,
    gasLimit: number,
  ): LoadedContract | "too dear" | undefined {
    let isTooDear = false;
    const stored = this.#store?.get(codeHash, (head) => {
      const size = readLoadSize(this.#engine, codeHash, head);
      isTooDear = size !== undefined && coldCodeGas(size) > gasLimit;
      return size !== undefined && !isTooDear;
    });
    if (isTooDear) return "too dear";
    const contract = stored && decodeContract(this.#engine, codeHash, stored);
    if (contract !== undefined) {
      this.#cache.set(codeHash, contract);
      return contract;
    }
    const evaluated = this.#evaluateAgain(instance, code());
    if (evaluated !== undefined) this.add(codeHash, evaluated);
    return evaluated;
  }

  #evaluateAgain(instance: EngineInstance, code: Uint8Array): LoadedContract | undefined {
    try {
      const { container } = decodeContainer(code);
      const evaluation = this.evaluate(instance, container, EVALUATION_TICK_LIMIT);
      return evaluation.outcome === "success" ? evaluation.contract : undefined;
    } catch (error) {
      if (error instanceof ContainerError) return undefined;
      throw error;
    }
  }

  #keep(codeHash: Hash, contract: LoadedContract): void {
    this.#store?.put(codeHash, encodeContract(this.#engine, codeHash, contract));
  }
}
