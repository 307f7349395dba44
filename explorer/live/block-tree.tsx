/** Blocks arriving as a tree: forks beside the chain, colour by how settled they are. */
import { useEffect, useRef } from "preact/hooks";
import { linkTo } from "../route.ts";
import { newestHead, picture, treeBlocks } from "./live-state.ts";
import { layOutTree, type Marks, type PlacedBlock } from "./tree-layout.ts";

const COLUMNS = 48;
const COLUMN_WIDTH = 54;
const LANE_HEIGHT = 40;
const BOX = { width: 42, height: 24 };

const STATE_WORDS = {
  final: "final",
  justified: "justified",
  head: "head of the chain",
  open: "not yet justified",
  orphan: "not on the chain",
} as const;

export function BlockTree() {
  const scroller = useRef<HTMLDivElement>(null);
  const placed = layOutTree(treeBlocks.value, marks(), COLUMNS);
  const newest = placed.at(-1)?.root;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new block moves the view to it.
  useEffect(() => {
    scroller.current?.scrollTo({ left: scroller.current.scrollWidth });
  }, [newest]);
  if (placed.length === 0) return <p class="quiet">Waiting for the first block…</p>;

  const width = COLUMNS * COLUMN_WIDTH;
  const height = (Math.max(...placed.map(({ lane }) => lane)) + 1) * LANE_HEIGHT + 12;
  return (
    <div class="scroll" ref={scroller}>
      <svg class="tree" width={width} height={height} aria-label="Blocks of the last slots">
        {placed.map((block) => (
          <Edge key={block.root} block={block} all={placed} />
        ))}
        {placed.map((block) => (
          <Box key={block.root} block={block} />
        ))}
      </svg>
    </div>
  );
}

/** Without a picture of consensus (a development chain) every block is final. */
function marks(): Marks {
  const shown = picture.value;
  const head = newestHead.value?.hash ?? "";
  if (shown === undefined) return { headRoot: head, justifiedRoot: head, finalizedRoot: head };
  return {
    headRoot: shown.headRoot,
    justifiedRoot: shown.justified.root,
    finalizedRoot: shown.finalized.root,
  };
}

function centre({ column, lane }: PlacedBlock): { readonly x: number; readonly y: number } {
  return { x: column * COLUMN_WIDTH + COLUMN_WIDTH / 2, y: lane * LANE_HEIGHT + LANE_HEIGHT / 2 + 4 };
}

function Edge({ block, all }: { readonly block: PlacedBlock; readonly all: readonly PlacedBlock[] }) {
  const parent = all.find(({ root }) => root === block.parentRoot);
  if (parent === undefined) return null;
  const from = centre(parent);
  const to = centre(block);
  const bend = from.x + COLUMN_WIDTH / 2;
  return <path class="edge" d={`M${from.x} ${from.y}H${bend}V${to.y}H${to.x}`} />;
}

function Box({ block }: { readonly block: PlacedBlock }) {
  const { x, y } = centre(block);
  const { width, height } = BOX;
  return (
    <a
      href={linkTo("block", block.blockHash)}
      class={block.state}
      aria-label={`slot ${block.slot}, ${STATE_WORDS[block.state]}`}
    >
      <title>{`slot ${block.slot}: ${STATE_WORDS[block.state]}`}</title>
      <rect x={x - width / 2} y={y - height / 2} width={width} height={height} rx={5} />
      <text x={x} y={y + 4}>
        {block.slot}
      </text>
    </a>
  );
}
