/** When a call worker's answers leave: those of short calls together. See specs/node/calls.md#batches. */
import type { CallAnswer } from "./call-messages.ts";

/** A message between threads costs as much as a short call; an answer waits for others no longer than this. */
const HOLD_MS = 1;
/** A call that takes longer is a long one: behind it others may be long too, and no answer waits for those. */
const SHORT_CALL_MS = 2;
/** Answers after a long call that leave one by one. */
const WARY_ANSWERS = 64;

export type AnswerPost = {
  /** To be called as soon as each answer is there. */
  add(answer: CallAnswer): void;
  /** Nothing follows for now. */
  flush(): void;
};

/** @param nowMs of a clock that never goes back. */
export function createAnswerPost(
  send: (answers: readonly CallAnswer[]) => void,
  nowMs: () => number,
): AnswerPost {
  let held: CallAnswer[] = [];
  let wary = 0;
  let heldSinceMs = 0;
  let lastMs = nowMs();

  function flush(): void {
    if (held.length === 0) return;
    const answers = held;
    held = [];
    send(answers);
  }

  return {
    add(answer) {
      const now = nowMs();
      wary = now - lastMs > SHORT_CALL_MS ? WARY_ANSWERS : Math.max(0, wary - 1);
      if (held.length === 0) heldSinceMs = lastMs;
      lastMs = now;
      held.push(answer);
      if (wary > 0 || now - heldSinceMs >= HOLD_MS) flush();
    },
    flush() {
      flush();
      lastMs = nowMs();
    },
  };
}
