/** The head as the execution side and the operator are told of it. See specs/consensus/engine.md#head. */
import { type Hash, ZERO_HASH } from "../primitives/bytes.ts";
import { type Engine, emit } from "./engine-state.ts";
import { getHead } from "./fork-choice-head.ts";

/**
 * Recomputes the head and tells when it, or the checkpoints the execution side follows, moved. The finalized one is the
 * last that `finalized` handed out: the execution side must not merge what is not on record here.
 */
export function updateHead(engine: Engine): Hash {
  const { store, blocks, announced, settled } = engine;
  const head = getHead(store);
  const [justified, finalized] = [store.justified.root, settled.root];
  const isSame =
    head === announced.head && justified === announced.justified && finalized === announced.finalized;
  if (isSame) return head;
  engine.announced = { head, justified, finalized };
  const hashOf = (root: Hash): Hash => blocks.get(root)?.blockHash ?? ZERO_HASH;
  emit(engine, {
    type: "headChanged",
    root: head,
    slot: blocks.get(head)?.slot ?? 0,
    blockHash: hashOf(head),
    safeBlockHash: hashOf(justified),
    finalizedBlockHash: hashOf(finalized),
  });
  return head;
}
