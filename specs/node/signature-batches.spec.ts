import { deepEqual } from "node:assert/strict";
import { BATCH_SETS_LIMIT, createSignatureBatches } from "../../node/chain/signature-batches.ts";
import type { SignatureSet } from "../../primitives/bls.ts";

/** A signature is good when its first byte is 0; nobody signs anything here. */
const signed = (...bytes: readonly number[]): readonly SignatureSet[] =>
  bytes.map((byte) => ({ publicKeys: [], message: new Uint8Array(32), signature: Uint8Array.of(byte) }));

function batches() {
  const turns: (() => void)[] = [];
  const checked: number[] = [];
  const add = createSignatureBatches({
    verify(sets) {
      checked.push(sets.length);
      return sets.every(({ signature }) => signature[0] === 0);
    },
    afterTurn: (callback) => void turns.push(callback),
  });
  const answers: (readonly [name: string, valid: readonly boolean[]])[] = [];
  return {
    ...{ checked, answers, turnsLeft: () => turns.length },
    add: (name: string, sets: readonly SignatureSet[]) =>
      add({ sets, answer: (valid) => void answers.push([name, valid]) }),
    endTurn: () => turns.shift()?.(),
  };
}

describe("signatures that came in together", () => {
  it("are checked as one list, each wish answered for itself", () => {
    const { add, endTurn, checked, answers, turnsLeft } = batches();
    add("a", signed(0));
    add("b", signed(0, 0));
    deepEqual(answers, [], "not before the turn ends");
    endTurn();
    deepEqual(checked, [3]);
    deepEqual(answers, [
      ["a", [true]],
      ["b", [true, true]],
    ]);
    deepEqual(turnsLeft(), 0);
  });

  it("are told apart when one is wrong", () => {
    const { add, endTurn, answers } = batches();
    add("good", signed(0, 0));
    add("bad", signed(0, 1));
    endTurn();
    deepEqual(answers, [
      ["good", [true, true]],
      ["bad", [true, false]],
    ]);
  });

  it("are checked once when they are alone", () => {
    const { add, endTurn, checked } = batches();
    add("a", signed(0, 0));
    endTurn();
    deepEqual(checked, [2]);
  });

  it("leave the thread to others after each batch", () => {
    const { add, endTurn, checked, answers, turnsLeft } = batches();
    for (let i = 0; i < BATCH_SETS_LIMIT + 1; i++) add(`${i}`, signed(0));
    endTurn();
    deepEqual([checked, turnsLeft()], [[BATCH_SETS_LIMIT], 1]);
    add("late", signed(0));
    endTurn();
    deepEqual([checked, turnsLeft()], [[BATCH_SETS_LIMIT, 2], 0]);
    deepEqual(answers.length, BATCH_SETS_LIMIT + 2);
  });

  it("may be more than a batch in one wish", () => {
    const { add, endTurn, checked } = batches();
    add("many", signed(...new Uint8Array(BATCH_SETS_LIMIT + 1)));
    add("few", signed(0));
    endTurn();
    endTurn();
    deepEqual(checked, [BATCH_SETS_LIMIT + 1, 1]);
  });
});
