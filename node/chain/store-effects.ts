/** What changes the disk, and the execution side's view of it, in the engine's order. See specs/node/storage.md#group-commit. */
import type { Effect } from "../../consensus/engine-events.ts";
import { assert } from "../../primitives/errors.ts";
import type { AnchorState, FinalityChange } from "../storage/consensus-blocks.ts";
import { slotOfStoredBlock } from "./block-codec.ts";
import { gatherInOrder } from "./in-order.ts";
import type { EffectPorts } from "./run-effects.ts";

/** Slots between two states written to disk. One is a few hundred kilobytes, a replayed block a few milliseconds. */
const ANCHOR_INTERVAL_SLOTS = 64;

type Wish<Type extends Effect["type"]> = Extract<Effect, { readonly type: Type }>;
type Change = Wish<"storeBlock" | "justified" | "finalized" | "headChanged">;
export type StoreEffect = Change | Wish<"loadBlocks">;

type StorePorts = Pick<
  EffectPorts,
  "blocks" | "codec" | "execution" | "inOrder" | "submit" | "log" | "onHead" | "onFinalizedState"
>;

export function createStoreEffects(ports: StorePorts): (effect: StoreEffect) => void {
  const { blocks, codec, inOrder, submit } = ports;
  // A slow disk makes the groups larger, not the queue longer: one commit and one fork-choice update for each.
  const change = gatherInOrder<Change>(inOrder, (changes) => applyChanges(ports, changes));
  return (effect) => {
    if (effect.type !== "loadBlocks") return change(effect);
    inOrder.add(async () => {
      const found = effect.roots.flatMap((root) => blocks.get(root) ?? []);
      submit({ type: "blocksLoaded", id: effect.id, blocks: found.map(codec.decode) });
    });
  };
}

/** First the disk, then the execution side: of head, justification and finality the last word of the group. */
async function applyChanges(ports: StorePorts, changes: readonly Change[]): Promise<void> {
  const { blocks, codec, execution, log } = ports;
  const stored = changes.filter((change) => change.type === "storeBlock");
  const justified = changes.findLast((change) => change.type === "justified");
  const finalized = changes.filter((change) => change.type === "finalized");
  const head = changes.findLast((change) => change.type === "headChanged");
  await blocks.record({
    blocks: stored.map(({ root, slot, block }) => ({ root, slot, bytes: codec.encode(block) })),
    justification: justified && {
      ...justified.checkpoint,
      proofRoot: justified.proofRoot,
      justifiedAtSlot: justified.atSlot,
    },
    finality: finalityOf(ports, finalized, stored),
  });
  if (head === undefined) return;
  const verdict = await execution.setForkchoice({
    head: head.blockHash,
    safe: head.safeBlockHash,
    finalized: head.finalizedBlockHash,
  });
  if (verdict.status === "syncing") {
    log.warn({ head: head.blockHash }, "the execution side does not know the head yet");
  }
  ports.onHead(head.slot);
}

/** One checkpoint after the other is the last one, with the blocks of all. */
function finalityOf(
  ports: StorePorts,
  finalized: readonly Wish<"finalized">[],
  stored: readonly Wish<"storeBlock">[],
): FinalityChange | undefined {
  const last = finalized.at(-1);
  if (last === undefined) return undefined;
  ports.onFinalizedState(last.state);
  const slotsOfGroup = new Map(stored.map(({ root, slot }) => [root, slot]));
  const canonical = finalized
    .flatMap(({ canonicalRoots }) => canonicalRoots)
    .map((root) => {
      const slot = slotsOfGroup.get(root);
      if (slot !== undefined) return { root, slot };
      const bytes = ports.blocks.get(root);
      assert(bytes !== undefined, "a finalized block is stored");
      return { root, slot: slotOfStoredBlock(bytes) };
    });
  const checkpoint = { ...last.checkpoint, slot: last.slot };
  return { checkpoint, canonical, anchor: anchorAt(ports, last) };
}

/** Now and then the state itself: a start replays the finalized blocks after it. */
function anchorAt(
  { blocks }: StorePorts,
  { checkpoint, slot, state }: Wish<"finalized">,
): AnchorState | undefined {
  const last = blocks.anchor();
  // The first one at once, and one whose epoch is known: other nodes may begin with it.
  if (last?.epoch !== undefined && slot < last.slot + ANCHOR_INTERVAL_SLOTS) return undefined;
  return { ...checkpoint, slot, bytes: state.serialize() };
}
