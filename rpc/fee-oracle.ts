/** What transactions paid lately: tips by percentile. See specs/rpc/fees.md. */
import type { Block, ExecutedReceipt } from "../vm/block.ts";
import { effectiveGasPrice } from "../vm/transaction-rules.ts";
import type { ChainView } from "./chain-view.ts";

/** Blocks the suggested tip looks back over, and the percentile of their tips it takes; geth's. */
const SAMPLE_BLOCKS = 20;
const SAMPLE_PERCENTILE = 60;
/** Suggested when the sample holds no transaction: enough to be taken, little enough not to matter. */
const DEFAULT_TIP_WEI = 1_000_000_000n;
/** Never suggested more, whatever someone paid by mistake; geth's 500 Gwei. */
const MAXIMUM_TIP_WEI = 500_000_000_000n;

/** Wei per gas above the base fee, and how much gas paid it. */
type PaidTip = { readonly tip: bigint; readonly gas: bigint };

/** Tips of a block's transactions in ascending order. */
function paidTips(block: Block, receipts: readonly ExecutedReceipt[]): readonly PaidTip[] {
  const baseFee = block.header.baseFeePerGas ?? 0n;
  return receipts
    .map(({ effectiveGasPrice, gasUsed }) => ({ tip: effectiveGasPrice - baseFee, gas: gasUsed }))
    .sort((a, b) => compareBigInts(a.tip, b.tip));
}

function compareBigInts(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * The tip at each percentile of a block's gas; 0 in a block without transactions.
 * @param percentiles ascending, 0 to 100.
 */
export function tipsAtPercentiles(
  block: Block,
  receipts: readonly ExecutedReceipt[],
  percentiles: readonly number[],
): readonly bigint[] {
  const tips = paidTips(block, receipts);
  let index = 0;
  let gasSoFar = tips[0]?.gas ?? 0n;
  return percentiles.map((percentile) => {
    const threshold = (block.header.gasUsed * BigInt(Math.round(percentile * 1e6))) / 100_000_000n;
    while (gasSoFar < threshold && index < tips.length - 1) {
      index++;
      gasSoFar += tips[index]?.gas ?? 0n;
    }
    return tips[index]?.tip ?? 0n;
  });
}

const suggestions = new WeakMap<ChainView, { readonly head: string; readonly tip: bigint }>();

/** A tip, in wei per gas, that blocks of late would have taken. Computed once per head, without receipts. */
export function suggestTip(chain: ChainView): bigint {
  const head = chain.head();
  const known = suggestions.get(chain);
  if (known?.head === head.hash) return known.tip;

  const tips: bigint[] = [];
  let block: Block | undefined = head;
  for (let looked = 0; block !== undefined && looked < SAMPLE_BLOCKS; looked++) {
    const baseFee = block.header.baseFeePerGas ?? 0n;
    for (const { transaction } of block.transactions) {
      tips.push(effectiveGasPrice(transaction, baseFee) - baseFee);
    }
    block = chain.block({ hash: block.header.parentHash });
  }
  tips.sort(compareBigInts);
  const sampled = tips[Math.floor(((tips.length - 1) * SAMPLE_PERCENTILE) / 100)] ?? DEFAULT_TIP_WEI;
  const tip = sampled > MAXIMUM_TIP_WEI ? MAXIMUM_TIP_WEI : sampled;
  suggestions.set(chain, { head: head.hash, tip });
  return tip;
}
