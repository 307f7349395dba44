/** Instances for nested calls: each depth of the call stack needs one of its own. specs/vm/engine/engine.md#pool */
import type { Engine } from "./engine.ts";
import type { EngineInstance } from "./instance.ts";

/** Instances kept for reuse. Deeper calls make their own; each holds up to the whole memory once it was used. */
const MAXIMUM_IDLE = 16;

/** Hands out instances in an unknown state: restore a snapshot first. One pool per engine. */
export class InstancePool {
  readonly #engine: Engine;
  readonly #idle: EngineInstance[] = [];

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Lends an instance to `use`; it comes back however `use` ends. */
  with<T>(use: (instance: EngineInstance) => T): T {
    const instance = this.#idle.pop() ?? this.#engine.createInstance();
    try {
      return use(instance);
    } finally {
      if (this.#idle.length < MAXIMUM_IDLE) this.#idle.push(instance);
    }
  }
}
