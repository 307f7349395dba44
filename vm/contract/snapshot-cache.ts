/** Contracts ready to run, the most recently used ones, by code hash. See specs/vm/contract/machine.md#cache. */
import type { Hash } from "../../primitives/bytes.ts";
import { MARKED_PAGE_BYTES } from "../engine/memory-layout.ts";
import type { Snapshot } from "../engine/snapshot.ts";
import type { RecordedDeclaration } from "./declaration-record.ts";
import type { ContractDefinition } from "./definition.ts";
import type { LoadSize } from "./stored-contract.ts";

export type LoadedContract = LoadSize & {
  readonly definition: ContractDefinition;
  /** What the definition is made of. */
  readonly declarations: readonly RecordedDeclaration[];
  readonly snapshot: Snapshot;
};

/** What a page takes besides its bytes; pages are made when a contract is called again. */
const PAGE_OVERHEAD_BYTES = 200;
/** What a definition takes for each byte of its declarations, roughly, and what a contract takes at least. */
const DEFINITION_FACTOR = 16;
const CONTRACT_OVERHEAD_BYTES = 16 * 1024;

/** Least recently used contracts leave when the bytes exceed the limit. What is cached never shows in gas. */
export class SnapshotCache {
  readonly #limitBytes: number;
  readonly #contracts = new Map<Hash, LoadedContract>();
  #bytes = 0;
  /** The last of `#contracts`, which needs no move when it is used again. */
  #newest: Hash | undefined;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
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
    }
  }

  #remove(codeHash: Hash, contract: LoadedContract): void {
    this.#contracts.delete(codeHash);
    this.#bytes -= sizeOf(contract);
  }
}

function sizeOf({ snapshot, definitionBytes }: LoadedContract): number {
  const { delta, pages } = snapshot;
  const definition = DEFINITION_FACTOR * definitionBytes + CONTRACT_OVERHEAD_BYTES;
  return delta.byteLength + (MARKED_PAGE_BYTES + PAGE_OVERHEAD_BYTES) * pages.length + definition;
}
