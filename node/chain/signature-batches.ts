/** Signatures that came in together are checked together. See specs/consensus/engine.md#signatures. */
import type { SignatureSet } from "../../primitives/bls.ts";

/** Signatures of one message from the network; each is answered by itself. */
export type SignatureWish = {
  readonly sets: readonly SignatureSet[];
  readonly answer: (valid: readonly boolean[]) => void;
};

export type SignatureBatchPorts = {
  /** Whether every one is right. */
  readonly verify: (sets: readonly SignatureSet[]) => boolean;
  /** Calls back when what else came in at the same time has been looked at. */
  readonly afterTurn: (callback: () => void) => void;
};

/** A check of this many takes some 20 ms, which is what a block may have to wait. More gain next to nothing. */
export const BATCH_SETS_LIMIT = 128;

/** Returns what takes a wish and answers it at the end of the turn, or of a later one when there are many. */
export function createSignatureBatches({
  verify,
  afterTurn,
}: SignatureBatchPorts): (wish: SignatureWish) => void {
  const waiting: SignatureWish[] = [];
  const checkSome = () => {
    const batch = takeBatch(waiting);
    if (waiting.length > 0) afterTurn(checkSome);
    const isGood = batch.length > 1 && verify(batch.flatMap(({ sets }) => sets));
    for (const { sets, answer } of batch) answer(isGood ? sets.map(() => true) : verifyEach(sets, verify));
  };
  return (wish) => {
    waiting.push(wish);
    if (waiting.length === 1) afterTurn(checkSome);
  };
}

/** At least one wish, in the order they came. */
function takeBatch(waiting: SignatureWish[]): readonly SignatureWish[] {
  let count = 0;
  let size = 0;
  for (const { sets } of waiting) {
    size += sets.length;
    if (count > 0 && size > BATCH_SETS_LIMIT) break;
    count++;
  }
  return waiting.splice(0, count);
}

/** One answer per set. Honest sets pass in one product; only when that fails each is checked alone. */
export function verifyEach(
  sets: readonly SignatureSet[],
  verify: SignatureBatchPorts["verify"],
): readonly boolean[] {
  if (verify(sets)) return sets.map(() => true);
  return sets.map((set) => verify([set]));
}
