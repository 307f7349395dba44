/** The block a client names: head, finalized, genesis, a slot or a root. See specs/node/rest.md#identifiers. */
import type { Engine, TreeBlock } from "../../consensus/engine-state.ts";
import type { Hash } from "../../primitives/bytes.ts";
import { badRequest, notFound } from "./rest-error.ts";
import type { FoundBlock, RestView } from "./view.ts";

const ROOT = /^0x[0-9a-fA-F]{64}$/;

/** @throws RestError 400 for what is no identifier, 404 for a block that is not there. */
export function findBlock(view: RestView, id: string): FoundBlock {
  const root = findBlockRoot(view, id);
  const found = root === undefined ? undefined : loadBlock(view, root);
  if (found === undefined) throw notFound("Block not found");
  return found;
}

/** Of a canonical block, or of any when the root itself is given. @throws RestError 400 */
export function findBlockRoot(view: RestView, id: string): Hash | undefined {
  const { store, settled, chain } = view.engine;
  if (id === "head") return storedHeadRoot(view);
  if (id === "finalized") return settled.root;
  if (id === "justified") return store.justified.root;
  if (id === "genesis") return chain.genesisRoot;
  if (ROOT.test(id)) return id.toLowerCase() as Hash;
  if (!/^\d{1,16}$/.test(id)) throw badRequest(`Invalid block ID: ${id.slice(0, 80)}`);
  return canonicalRootAt(view, Number(id));
}

/** The head, or its newest ancestor whose bytes are on disk: those of a new head are on their way for a moment. */
function storedHeadRoot({ engine, blocks }: RestView): Hash {
  const { store, chain } = engine;
  let block = engine.blocks.get(store.headRoot);
  while (block !== undefined && block.root !== chain.genesisRoot && blocks.get(block.root) === undefined) {
    block = engine.blocks.get(block.parentRoot);
  }
  return block?.root ?? store.headRoot;
}

/** Root of the canonical block of a slot; undefined when the slot is empty or its block is not kept. */
export function canonicalRootAt({ engine, blocks }: RestView, slot: number): Hash | undefined {
  if (slot === 0) return engine.chain.genesisRoot;
  const finalizedSlot = blocks.finality()?.slot ?? 0;
  if (slot <= finalizedSlot) return blocks.finalizedRootAt(slot);
  const block = canonicalBlockUpTo(engine, slot);
  return block?.slot === slot ? block.root : undefined;
}

/** The newest block of the head's chain that is in the tree and not after `slot`. */
export function canonicalBlockUpTo({ store, blocks }: Engine, slot: number): TreeBlock | undefined {
  let block = blocks.get(store.headRoot);
  while (block !== undefined && block.slot > slot) block = blocks.get(block.parentRoot);
  return block;
}

export function loadBlock(view: RestView, root: Hash): FoundBlock | undefined {
  const { engine, blocks, genesis, codec } = view;
  if (root === engine.chain.genesisRoot) {
    const block = { message: genesis.block, signature: new Uint8Array(96) };
    return { root, block, isCanonical: true, isFinalized: true };
  }
  const bytes = blocks.get(root);
  if (bytes === undefined) return undefined;
  const block = codec.decode(bytes);
  const isCanonical = canonicalRootAt(view, block.message.slot) === root;
  return { root, block, isCanonical, isFinalized: isCanonical && isFinal(view, block.message.slot) };
}

export function isFinal({ blocks }: RestView, slot: number): boolean {
  return slot <= (blocks.finality()?.slot ?? 0);
}

/** Blocks in the tree with this slot, this parent, or both; on every branch. */
export function treeBlocksWith(
  { blocks }: Engine,
  slot: number | undefined,
  parentRoot: Hash | undefined,
): readonly TreeBlock[] {
  return [...blocks.values()].filter(
    (block) =>
      (slot === undefined || block.slot === slot) &&
      (parentRoot === undefined || block.parentRoot === parentRoot),
  );
}

export function parseRoot(text: string, name: string): Hash {
  if (ROOT.test(text)) return text.toLowerCase() as Hash;
  throw badRequest(`Invalid ${name}: ${text.slice(0, 80)}`);
}
