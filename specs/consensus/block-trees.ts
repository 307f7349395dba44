/** Block trees drawn in a line of text, for fork-choice specs. */

import { type ForkChoiceBlock, onBlock } from "../../consensus/fork-choice.ts";
import { createForkChoice, type ForkChoiceStore } from "../../consensus/fork-choice-store.ts";
import type { ChainParams } from "../../consensus/params.ts";
import { DEVNET_PARAMS } from "../../consensus/presets.ts";
import type { Hash } from "../../primitives/bytes.ts";

/** The devnet's parameters with some replaced, unchecked: trees may break what a chain may not. */
export function paramsWith(replaced: Partial<ChainParams>, slotsPerEpoch = 1): ChainParams {
  const forks = DEVNET_PARAMS.forks.map((fork) => ({ ...fork, slotsPerEpoch }));
  return { ...DEVNET_PARAMS, forks, ...replaced };
}

/** A readable root: the name's characters, padded to 32 bytes; names sort as they read. */
export function root(name: string): Hash {
  return `0x${Buffer.from(name.padEnd(32, "\0")).toString("hex")}`;
}

/** A store that knows only the finalized genesis block `a0`. */
export function storeAtGenesis(
  balances: readonly number[],
  params: ChainParams = paramsWith({}),
): ForkChoiceStore {
  const anchor = { root: root("a0"), slot: 0, epoch: 0, balances: Uint16Array.from(balances) };
  return createForkChoice(params, anchor, 0);
}

/** Block `name` on `parent`; the digits in the name are its slot. What is not said is as at genesis. */
export function block(name: string, parent: string, said: Partial<ForkChoiceBlock> = {}): ForkChoiceBlock {
  const genesis = { epoch: 0, root: root("a0") };
  return {
    root: root(name),
    parentRoot: root(parent),
    slot: Number(name.replace(/\D/g, "")),
    justified: genesis,
    finalized: genesis,
    justifiedRing: said.justified === undefined ? [] : [said.justified],
    isTimely: false,
    votes: [],
    equivocators: [],
    balancesAt: () => Uint16Array.from([]),
    ...said,
  };
}

/** Imports blocks written as "child parent". */
export function grow(store: ForkChoiceStore, lines: readonly string[]): void {
  for (const line of lines) {
    const [name, parent] = line.split(" ");
    onBlock(store, block(name!, parent!, { balancesAt: () => store.balances }));
  }
}
