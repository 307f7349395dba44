/** How settled a block is, in a word and its colour. */

import { newestHead } from "../live/live-state.ts";
import { useLoaded } from "../load.ts";
import { ask } from "../node/json-rpc.ts";
import type { HeadJson, Hex } from "../node/objects.ts";

/** Asked again with each new block, until the block is final. */
export function Finality({ number, hash }: { readonly number: Hex; readonly hash: Hex }) {
  const loaded = useLoaded(`${hash} ${newestHead.value?.hash ?? ""}`, () =>
    settledness(BigInt(number), hash),
  );
  if (loaded.state !== "ready") return <span class="tag quiet">…</span>;
  return <span class={`tag ${loaded.value.style}`}>{loaded.value.word}</span>;
}

async function settledness(
  number: bigint,
  hash: Hex,
): Promise<{ readonly word: string; readonly style: string }> {
  const canonical = await ask<HeadJson | null>("eth_getBlockByNumber", `0x${number.toString(16)}`, false);
  if (canonical?.hash !== hash) return { word: "not on the chain", style: "bad" };
  const [finalized, safe] = await Promise.all(
    ["finalized", "safe"].map((tag) => ask<HeadJson | null>("eth_getBlockByNumber", tag, false)),
  );
  if (finalized !== null && finalized !== undefined && BigInt(finalized.number) >= number) {
    return { word: "final", style: "final" };
  }
  if (safe !== null && safe !== undefined && BigInt(safe.number) >= number) {
    return { word: "justified", style: "justified" };
  }
  return { word: "not yet final", style: "head" };
}
