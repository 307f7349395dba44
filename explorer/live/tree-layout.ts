/** Where each block of the tree is drawn: a column per slot, a lane per branch. Pure arithmetic. */
import type { LiveBlock } from "../../rpc/live-picture.ts";

export type BlockState = "final" | "justified" | "head" | "open" | "orphan";

export type PlacedBlock = LiveBlock & {
  /** 0 is the oldest slot shown. */
  readonly column: number;
  /** 0 is the canonical chain. */
  readonly lane: number;
  readonly state: BlockState;
};

export type Marks = {
  readonly headRoot: string;
  readonly justifiedRoot: string;
  readonly finalizedRoot: string;
};

/** Branches drawn beside the canonical chain; more would not be read. */
const LANES_LIMIT = 6;

/**
 * The blocks of the last `columns` slots. A branch that left the canonical chain keeps one lane to its end; lanes are
 * used again once their branch is out of the way.
 */
export function layOutTree(blocks: readonly LiveBlock[], marks: Marks, columns: number): PlacedBlock[] {
  const newestSlot = Math.max(...blocks.map(({ slot }) => slot), 0);
  const oldestSlot = newestSlot - columns + 1;
  const byRoot = new Map(blocks.map((block) => [block.root as string, block]));
  const canonical = rootsBelow(byRoot, marks.headRoot);
  const final = rootsBelow(byRoot, marks.finalizedRoot);
  const justified = rootsBelow(byRoot, marks.justifiedRoot);
  const laneOf = new Map<string, number>();
  const laneEnds: number[] = [];

  const stateOf = ({ root, slot }: LiveBlock): BlockState => {
    if (final.has(root)) return "final";
    if (justified.has(root)) return "justified";
    if (root === marks.headRoot) return "head";
    if (canonical.has(root)) return "open";
    const finalSlot = byRoot.get(marks.finalizedRoot)?.slot ?? 0;
    return slot <= finalSlot || canonical.size > 0 ? "orphan" : "open";
  };

  return [...blocks]
    .filter(({ slot }) => slot >= oldestSlot)
    .sort((a, b) => a.slot - b.slot)
    .map((block) => {
      const lane = canonical.has(block.root) ? 0 : branchLane(block, laneOf, laneEnds);
      laneOf.set(block.root, lane);
      if (lane > 0) laneEnds[lane] = block.slot;
      return { ...block, column: block.slot - oldestSlot, lane, state: stateOf(block) };
    });
}

/** The block and its known ancestors. */
function rootsBelow(byRoot: ReadonlyMap<string, LiveBlock>, tip: string): ReadonlySet<string> {
  const roots = new Set<string>();
  for (let block = byRoot.get(tip); block !== undefined; block = byRoot.get(block.parentRoot)) {
    if (roots.has(block.root)) break;
    roots.add(block.root);
  }
  return roots;
}

function branchLane(
  block: LiveBlock,
  laneOf: ReadonlyMap<string, number>,
  laneEnds: readonly number[],
): number {
  const parentLane = laneOf.get(block.parentRoot) ?? 0;
  if (parentLane > 0 && (laneEnds[parentLane] ?? 0) < block.slot) return parentLane;
  for (let lane = 1; lane < LANES_LIMIT; lane++) {
    if ((laneEnds[lane] ?? -1) < block.slot) return lane;
  }
  return LANES_LIMIT;
}
