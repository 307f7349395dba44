/** The engine: one compiled image, its base snapshot, and instances that run contracts. specs/vm/engine/engine.md */
import { concatBytes, type Hash, toHex, utf8ToBytes } from "../../primitives/bytes.ts";
import { sha256 } from "../../primitives/hash.ts";
import { boot, type GuestHandles } from "./boot.ts";
import { decodeBoot, encodeBoot } from "./boot-image.ts";
import { checkImage, IMAGE_SHA256 } from "./image.ts";
import { EngineInstance } from "./instance.ts";
import type { StackAccount } from "./machine.ts";
import { type Snapshot, snapshotOfBase } from "./snapshot.ts";

export type EngineImage = {
  /** The metered binary, dist/image/engine.wasm. */
  readonly wasm: Uint8Array;
} & (
  | {
      /** Source of the module `chain:std`. */
      readonly std: string;
    }
  | {
      /** What `exportBoot` of an engine with that module gave. The caller has checked its hash. */
      readonly boot: Uint8Array;
    }
);

/** One per thread: it knows which of its instances is running. */
export class Engine {
  /** Names everything a contract's result depends on: image, limits, prelude and `chain:std`. */
  readonly id: Hash;
  readonly baseSnapshotHash: Hash;
  readonly base: Snapshot;
  readonly #module: WebAssembly.Module;
  readonly #handles: GuestHandles;
  readonly #account: StackAccount = { usedBytes: 0 };

  /** @throws ImageError when `image.wasm` is not the binary of the protocol. */
  constructor(image: EngineImage) {
    checkImage(image.wasm);
    this.#module = new WebAssembly.Module(image.wasm as Uint8Array<ArrayBuffer>);
    const { handles, base } =
      "boot" in image ? decodeBoot(image.boot) : boot(this.#module, this.#account, image.std);
    this.#handles = handles;
    this.base = snapshotOfBase(base);
    this.baseSnapshotHash = toHex(sha256(concatBytes(base.data, base.heap)));
    this.id = toHex(sha256(utf8ToBytes(`${IMAGE_SHA256}${this.baseSnapshotHash}`)));
  }

  /** What another engine can start from. */
  exportBoot(): Uint8Array {
    return encodeBoot({ handles: this.#handles, base: this.base.base });
  }

  /** A new instance in the base state. ~1 ms. */
  createInstance(): EngineInstance {
    const instance = new EngineInstance(this.#module, this.#account, this.#handles);
    instance.restore(this.base);
    return instance;
  }
}

export function createEngine(image: EngineImage): Engine {
  return new Engine(image);
}
