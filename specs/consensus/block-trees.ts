/** Block trees drawn in a line of text, for fork-choice specs. */

import { type ForkChoiceBlock, onBlock } from "../../consensus/fork-choice.ts";
import {
  createForkChoice,
  type ForkChoiceParams,
  type ForkChoiceStore,
} from "../../consensus/fork-choice-store.ts";
import type { Hash } from "../../primitives/bytes.ts";

export const PARAMS: ForkChoiceParams = {
  slotsPerEpoch: 1,
  targetLagSlots: 1,
  periodSlots: 32,
  slotsPerHistoricalRoot: 8192,
  adoptionSlots: 16,
  lmdExpirySlots: 32,
  proposerBoostPercent: 33,
};

/** A readable root: the name's characters, padded to 32 bytes; names sort as they read. */
export function root(name: string): Hash {
  return `0x${Buffer.from(name.padEnd(32, "\0")).toString("hex")}`;
}

/** A store that knows only the finalized genesis block `a0`. */
export function storeAtGenesis(
  balances: readonly number[],
  params: Partial<ForkChoiceParams> = {},
): ForkChoiceStore {
  const anchor = { root: root("a0"), slot: 0, epoch: 0, balances: Uint16Array.from(balances) };
  return createForkChoice({ ...PARAMS, ...params }, anchor, 0);
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
