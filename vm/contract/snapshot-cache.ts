/** Contracts ready to run, the most recently used ones, by code hash. See specs/vm/contract/machine.md#cache. */
import type { Hash } from "../../primitives/bytes.ts";
import type { Snapshot } from "../engine/snapshot.ts";
import type { RecordedDeclaration } from "./declaration-record.ts";
import type { ContractDefinition } from "./definition.ts";

export type LoadedContract = {
  readonly definition: ContractDefinition;
  /** What the definition is made of. */
  readonly declarations: readonly RecordedDeclaration[];
  readonly snapshot: Snapshot;
  /** Bytes in which the snapshot differs from the base snapshot: a function of the code alone. */
  readonly deltaBytes: number;
};

/** Least recently used contracts leave when the bytes exceed the limit. What is cached never shows in gas. */
export class SnapshotCache {
  readonly #limitBytes: number;
  readonly #onRemoved: (codeHash: Hash, contract: LoadedContract) => void;
  readonly #contracts = new Map<Hash, LoadedContract>();
  #bytes = 0;
  /** The last of `#contracts`, which needs no move when it is used again. */
  #newest: Hash | undefined;

  /** @param onRemoved is told of contracts that leave for want of room. */
  constructor(limitBytes: number, onRemoved: (codeHash: Hash, contract: LoadedContract) => void) {
    this.#limitBytes = limitBytes;
    this.#onRemoved = onRemoved;
  }

  get(codeHash: Hash): LoadedContract | undefined {
    const contract = this.#contracts.get(codeHash);
    if (contract === undefined || codeHash === this.#newest) return contract;
    this.#contracts.delete(codeHash);
    this.#contracts.set(codeHash, contract);
    this.#newest = codeHash;
    return contract;
  }

  set(codeHash: Hash, contract: LoadedContract): void {
    const previous = this.#contracts.get(codeHash);
    if (previous !== undefined) this.#remove(codeHash, previous);
    this.#contracts.set(codeHash, contract);
    this.#newest = codeHash;
    this.#bytes += sizeOf(contract);
    for (const [hash, oldest] of this.#contracts) {
      if (this.#bytes <= this.#limitBytes || hash === codeHash) return;
      this.#remove(hash, oldest);
      this.#onRemoved(hash, oldest);
    }
  }

  #remove(codeHash: Hash, contract: LoadedContract): void {
    this.#contracts.delete(codeHash);
    this.#bytes -= sizeOf(contract);
  }
}

function sizeOf({ snapshot }: LoadedContract): number {
  return snapshot.data.length + snapshot.heap.length;
}
