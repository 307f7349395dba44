/** What a development chain prints: who has funds, what is mined, what contracts say. See specs/node/dev.md#console. */

import { toChecksumAddress } from "../../primitives/address.ts";
import { DEV_BALANCE_WEI, DEV_MNEMONIC, deriveDevAccounts } from "../../primitives/dev-accounts.ts";
import { WEI_PER_GWEI } from "../../primitives/units.ts";
import type { HeadChange } from "../../rpc/chain-view.ts";
import type { Block, ExecutedReceipt } from "../../vm/block.ts";
import { EDITOR_ADDRESS } from "./state-edits.ts";

const WEI_PER_COIN = WEI_PER_GWEI * WEI_PER_GWEI;

export type DevBanner = {
  readonly url: string;
  readonly chainId: number;
  readonly dir: string | undefined;
  readonly startMs: number;
  /** A command to begin with; none when a contract is watched, of which more is said. */
  readonly next: string | undefined;
};

/** The first lines; the last of them is there once the chain answers. */
export function bannerText({ url, chainId, dir, startMs, next }: DevBanner): string {
  const accounts = deriveDevAccounts().map(
    ({ address, privateKey }, index) => `  ${index}  ${toChecksumAddress(address)}  ${privateKey}`,
  );
  return [
    "",
    `  jurat dev · chain ${chainId} · ${dir === undefined ? "nothing is kept" : `kept in ${dir}`}`,
    "",
    `  ${DEV_BALANCE_WEI / WEI_PER_COIN} JUR each; public test keys, never use them for value`,
    ...accounts,
    `  mnemonic: ${DEV_MNEMONIC}`,
    "",
    ...(next === undefined ? [] : [`  next: ${next}`]),
    `  ready in ${(startMs / 1000).toFixed(1)} s`,
    "",
    `listening on ${url}`,
    "",
  ].join("\n");
}

/** What is known of a block: its receipts, and by transaction what contracts said and where they failed. */
export type Told = {
  readonly receipts: readonly ExecutedReceipt[];
  readonly lines: ReadonlyMap<number, readonly string[]>;
};

/** A line per block and per transaction of it, or one that says how far the chain went back. */
export function changeText({ removed, added }: HeadChange, tell: (block: Block) => Told): string {
  const oldest = removed.at(-1);
  const lines = oldest === undefined ? [] : [`back to before block ${oldest.header.number}`];
  for (const block of added) {
    const { receipts, lines: said } = tell(block);
    lines.push(`block ${block.header.number}  ${shortened(block.hash)}  ${block.transactions.length} tx`);
    for (const [index, { hash, sender, transaction }] of block.transactions.entries()) {
      const receipt = receipts[index];
      const target = transaction.to ?? receipt?.contractAddress ?? "";
      const what = sender === EDITOR_ADDRESS ? "edit" : transaction.to === undefined ? "deploy" : "tx";
      const fate = receipt?.succeeded === true ? "ok" : "failed";
      lines.push(
        `  ${what} ${shortened(hash)}  ${shortened(sender)} → ${target}  gas ${receipt?.gasUsed}  ${fate}`,
        ...(said.get(index) ?? []).map((line) => `    ${line}`),
      );
    }
  }
  return `${lines.join("\n")}\n`;
}

function shortened(hex: string): string {
  return `${hex.slice(0, 10)}…`;
}
