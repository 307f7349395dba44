/** A store of evaluated contracts that a spec looks into. specs/vm/contract/machine.md#cache */
import type { Hash } from "../../../primitives/bytes.ts";
import { type SnapshotStore, STORED_HEAD_BYTES } from "../../../vm/contract/stored-contract.ts";

/** A disk that may damage what it keeps. */
export class MemoryStore implements SnapshotStore {
  readonly #kept = new Map<Hash, Uint8Array>();
  readonly #damage: (bytes: Uint8Array) => unknown;
  written = 0;

  constructor(damage: (bytes: Uint8Array) => unknown = () => undefined) {
    this.#damage = damage;
  }
  get(codeHash: Hash, isWanted: (head: Uint8Array) => boolean): Uint8Array | undefined {
    const kept = this.#kept.get(codeHash)?.slice();
    const damaged = kept && this.#damage(kept);
    const bytes = Array.isArray(damaged) ? Uint8Array.from(damaged) : kept;
    return bytes && isWanted(bytes.subarray(0, STORED_HEAD_BYTES)) ? bytes : undefined;
  }
  put(codeHash: Hash, contract: Uint8Array): void {
    this.written++;
    this.#kept.set(codeHash, contract);
  }
}
