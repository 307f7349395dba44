/** The fork-choice rule written the slow, obvious way: the second opinion in differential specs. */
import type { ChainParams } from "../../consensus/params.ts";

export type NaiveBlock = {
  readonly root: string;
  readonly parent: string | undefined;
  readonly slot: number;
  readonly justifiedEpoch: number;
};

export type NaiveView = {
  readonly params: ChainParams;
  readonly nowSlot: number;
  readonly justified: { readonly epoch: number; readonly root: string };
  readonly justifiedAtSlot: number;
  readonly blocks: readonly NaiveBlock[];
  /** The latest vote of each validator. */
  readonly votes: readonly { readonly slot: number; readonly head: string }[];
  readonly balances: readonly number[];
  readonly equivocators: readonly number[];
  readonly boost: string | undefined;
};

/** get_head, by recursion and by counting every vote at every fork anew. */
export function naiveHead(view: NaiveView): string {
  const head = descend(view, () => true);
  const { params, nowSlot, justified, justifiedAtSlot } = view;
  const isTooOld = checkpointSlot(view) + params.slotsPerHistoricalRoot < nowSlot;
  if (blockOf(view, head).justifiedEpoch >= justified.epoch) return head;
  if (!isTooOld && nowSlot - justifiedAtSlot <= params.adoptionSlots) return head;
  return descend(view, (root) =>
    view.blocks.some(
      (leaf) =>
        leaf.justifiedEpoch >= justified.epoch &&
        !view.blocks.some((block) => block.parent === leaf.root) &&
        descendsFrom(view, leaf.root, root),
    ),
  );
}

function descend(view: NaiveView, isViable: (root: string) => boolean): string {
  const from = (root: string): string => {
    const children = view.blocks
      .filter((block) => block.parent === root && isViable(block.root))
      .filter((block) => root !== view.justified.root || block.slot > checkpointSlot(view));
    return children.length === 0 ? root : from(choose(view, children).root);
  };
  return from(view.justified.root);
}

function choose(view: NaiveView, siblings: readonly NaiveBlock[]): NaiveBlock {
  const total = view.balances.reduce((a, b) => a + b, 0);
  const fresh = (root: string): number => weight(view, root, (age) => age <= view.params.lmdExpirySlots);
  const stale = (root: string): number => weight(view, root, (age) => age > view.params.lmdExpirySlots);
  const isDecisive = 3 * siblings.reduce((sum, { root }) => sum + fresh(root), 0) >= total;
  const rank = ({ root }: NaiveBlock): readonly (number | string)[] => {
    const boosted = fresh(root) + boost(view, root);
    return isDecisive ? [boosted, stale(root), root] : [boosted + stale(root), root];
  };
  return [...siblings].sort((a, b) => {
    const [left, right] = [rank(a), rank(b)];
    const at = left.findIndex((value, i) => value !== right[i]);
    return left[at]! > right[at]! ? -1 : 1;
  })[0]!;
}

function weight(view: NaiveView, root: string, isCounted: (age: number) => boolean): number {
  return view.votes.reduce((sum, { slot, head }, voter) => {
    const counts =
      slot >= 0 &&
      !view.equivocators.includes(voter) &&
      isCounted(view.nowSlot - slot) &&
      view.blocks.some((block) => block.root === head) &&
      descendsFrom(view, head, root);
    return counts ? sum + view.balances[voter]! : sum;
  }, 0);
}

function boost(view: NaiveView, root: string): number {
  const { params } = view;
  const slotsPerEpoch = params.forks[0]!.slotsPerEpoch;
  if (view.boost === undefined || !descendsFrom(view, view.boost, root)) return 0;
  const voting = view.votes.reduce((sum, { slot }, voter) => {
    const counts = slot >= Math.max(0, view.nowSlot - 2 * slotsPerEpoch);
    return counts && !view.equivocators.includes(voter) ? sum + view.balances[voter]! : sum;
  }, 0);
  return Math.floor((params.proposerBoostPercent * voting) / (slotsPerEpoch * 100));
}

function descendsFrom(view: NaiveView, root: string, ancestor: string): boolean {
  if (root === ancestor) return true;
  const { parent } = blockOf(view, root);
  return parent !== undefined && descendsFrom(view, parent, ancestor);
}

function blockOf(view: NaiveView, root: string): NaiveBlock {
  return view.blocks.find((block) => block.root === root)!;
}

function checkpointSlot({ params, justified }: NaiveView): number {
  return Math.max(0, justified.epoch * params.forks[0]!.slotsPerEpoch - params.targetLagSlots);
}
