/** A store of evaluated contracts that a spec looks into. specs/vm/contract/machine.md#cache */
import type { Hash } from "../../../primitives/bytes.ts";
import type { SnapshotStore } from "../../../vm/contract/stored-contract.ts";

/** A disk that may damage what it keeps. */
export class MemoryStore implements SnapshotStore {
  readonly #kept = new Map<Hash, Uint8Array>();
  readonly #damage: (bytes: Uint8Array) => unknown;
  written = 0;

  constructor(damage: (bytes: Uint8Array) => unknown = () => undefined) {
    this.#damage = damage;
  }
  get(codeHash: Hash): Uint8Array | undefined {
    const bytes = this.#kept.get(codeHash)?.slice();
    const damaged = bytes && this.#damage(bytes);
    return Array.isArray(damaged) ? Uint8Array.from(damaged) : bytes;
  }
  put(codeHash: Hash, contract: Uint8Array): void {
    this.written++;
    this.#kept.set(codeHash, contract);
  }
}
