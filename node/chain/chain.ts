/** The one writer of the consensus state: events go in one at a time, wishes come out in order. */
import { step } from "../../consensus/engine.ts";
import type { Effect, EngineEvent } from "../../consensus/engine-events.ts";
import type { Engine } from "../../consensus/engine-state.ts";

export type Chain = {
  /** Feeds an event to the engine. Its wishes begin before this returns, unless another event is being handled. */
  submit(event: EngineEvent): void;
  /**
   * Handles what came before, and everything from now on.
   * @param perform begins one wish; it must not throw, and answers by `submit` when it has something to say.
   */
  start(perform: (effect: Effect) => void): void;
  /** From now on nothing is handled: what the wishes under way still answer would only begin new ones. */
  stop(): void;
};

export function createChain(engine: Engine): Chain {
  const waiting: EngineEvent[] = [];
  let perform: ((effect: Effect) => void) | undefined;
  let isBusy = false;
  let isStopped = false;

  function drain(): void {
    // A wish that is answered at once (a cached signature check) must not enter the engine in the middle of a list.
    if (isBusy || perform === undefined) return;
    isBusy = true;
    try {
      for (let event = waiting.shift(); event !== undefined; event = waiting.shift()) {
        for (const effect of step(engine, event)) perform(effect);
      }
    } finally {
      isBusy = false;
    }
  }

  return {
    submit(event) {
      if (isStopped) return;
      waiting.push(event);
      drain();
    },
    start(chosen) {
      perform = chosen;
      drain();
    },
    stop() {
      isStopped = true;
    },
  };
}
