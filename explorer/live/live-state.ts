/** What the live page knows: the newest picture of consensus and the newest blocks, bounded, kept up by the WebSocket. */
import { computed, signal } from "@preact/signals";
import type { LiveBlock, LivePicture } from "../../rpc/live-picture.ts";
import { toNumber } from "../display.ts";
import { ask } from "../node/json-rpc.ts";
import type { HeadJson, Hex } from "../node/objects.ts";
import { followNode, type LinkState } from "../node/subscription.ts";

/** A block of the canonical chain as it arrived. */
export type LiveHead = HeadJson & { readonly transactions: readonly Hex[] };

/** Blocks and slots the page remembers: what its charts show. */
const HISTORY_LIMIT = 240;
/** Blocks fetched at the start, so that the page is not empty. */
const FIRST_BLOCKS = 40;
/** Seconds over which transactions per second are averaged. */
const RATE_SECONDS = 10;

export const link = signal<LinkState>("connecting");
export const picture = signal<LivePicture | undefined>(undefined);
/** The newest last. */
export const heads = signal<readonly LiveHead[]>([]);
export type LagPoint = { readonly slot: number; readonly lagSlots: number; readonly participation: number };
export const lags = signal<readonly LagPoint[]>([]);

/** Told of each new picture of consensus. */
const pictureListeners = new Set<() => void>();

export function onEachPicture(listener: () => void): void {
  pictureListeners.add(listener);
}

export const newestHead = computed(() => heads.value.at(-1));

export const transactionsPerSecond = computed(() => {
  const newest = newestHead.value;
  if (newest === undefined) return 0;
  const since = toNumber(newest.timestamp) - RATE_SECONDS;
  const recent = heads.value.filter(({ timestamp }) => toNumber(timestamp) > since);
  return recent.reduce((sum, { transactions }) => sum + transactions.length, 0) / RATE_SECONDS;
});

/** The tree to draw: consensus' own, or, on a chain without consensus, the blocks one after the other. */
export const treeBlocks = computed<readonly LiveBlock[]>(() => {
  if (picture.value !== undefined) return picture.value.blocks;
  return heads.value.map(({ hash, parentHash, number }) => ({
    ...{ root: hash, parentRoot: parentHash, slot: toNumber(number), blockHash: hash },
  }));
});

/** Begins to follow the node. Called once, when the page opens. */
export function startLive(): void {
  followNode(["newHeads", "juratLive"], {
    onState(state) {
      link.value = state;
      // What happened while nobody listened.
      if (state === "live") void catchUp();
    },
    onMessage(name, result) {
      if (name === "juratLive") onPicture(result as LivePicture);
      else void onHead(result as HeadJson);
    },
  });
}

async function catchUp(): Promise<void> {
  try {
    const now = await ask<LivePicture | null>("jurat_live");
    if (now !== null) onPicture(now);
    const newest = toNumber(await ask<Hex>("eth_blockNumber"));
    const known = newestHead.value === undefined ? -1 : toNumber(newestHead.value.number);
    const first = Math.max(0, known + 1, newest - FIRST_BLOCKS + 1);
    for (let number = first; number <= newest; number++) {
      await addBlock(() => ask("eth_getBlockByNumber", `0x${number.toString(16)}`, false));
    }
  } catch {
    // The node went away again; the next connection asks anew.
  }
}

async function onHead({ hash }: HeadJson): Promise<void> {
  await addBlock(() => ask("eth_getBlockByHash", hash, false)).catch(() => undefined);
}

async function addBlock(fetchBlock: () => Promise<LiveHead | null>): Promise<void> {
  const block = await fetchBlock();
  if (block === null) return;
  const number = toNumber(block.number);
  const older = heads.value.filter((head) => toNumber(head.number) < number);
  const newer = heads.value.filter((head) => toNumber(head.number) > number);
  // A block of another branch takes the place of those it replaces, and of what was built on them.
  const isReplaced = newer.some(
    (head) => toNumber(head.number) === number + 1 && head.parentHash !== block.hash,
  );
  heads.value = [...older, block, ...(isReplaced ? [] : newer)].slice(-HISTORY_LIMIT);
}

function onPicture(next: LivePicture): void {
  picture.value = next;
  const { slot, finalityLagSlots, voters, activeValidators } = next;
  const point = { slot, lagSlots: finalityLagSlots, participation: share(voters, activeValidators) };
  for (const listener of pictureListeners) listener();
  lags.value = [...lags.value.filter((known) => known.slot < slot), point].slice(-HISTORY_LIMIT);
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
