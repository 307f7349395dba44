/** What happens to a transaction after it was sent: included, justified, final. See specs/wallet/wallet.md#waiting. */
import type { Abi, Hex } from "viem";
import { decodeEventLog } from "viem/utils";
import type { NodeClient } from "./node-client.ts";
import { formatJur, formatValue, note, paint, showProgress } from "./output.ts";
import { NodeRefusal, WalletError } from "./wallet-error.ts";

export type Log = { readonly address: Hex; readonly topics: [Hex, ...Hex[]]; readonly data: Hex };

/** The fields the wallet reads; the rest of what the node answered is there as well. */
export type Receipt = {
  readonly status: Hex;
  readonly blockNumber: Hex;
  readonly blockHash: Hex;
  readonly gasUsed: Hex;
  readonly effectiveGasPrice: Hex;
  readonly contractAddress?: Hex | null;
  readonly logs: readonly Log[];
};

export type FollowOptions = {
  readonly confirmations: number | "finalized";
  /** Undefined waits for ever. */
  readonly timeoutSeconds?: number | undefined;
};

const POLL_INTERVAL_MS = 200;
/** Polls in a row that may find neither receipt nor transaction: a node that is changing its head knows neither. */
const UNKNOWN_POLL_LIMIT = 25;

/**
 * Resolves when the transaction is as deep as was asked for. The receipt is read again until then, because the
 * block that held it may be replaced.
 * @throws WalletError (reverted) when it failed on the chain, (failure) when it is gone or the time is up.
 */
export async function follow(
  client: NodeClient,
  hash: Hex,
  abi: Abi,
  options: FollowOptions,
): Promise<Receipt> {
  const clock = startClock(hash, options.timeoutSeconds);
  let included = await waitForReceipt(client, hash, clock);
  noteInclusion(included, abi, clock);
  if (options.confirmations === "finalized") {
    included = await waitForTag(client, hash, included, "safe", clock);
    note(`  ${paint("dim", "justified")} ${clock.seconds()} s after sending`);
    included = await waitForTag(client, hash, included, "finalized", clock);
    note(`  ${paint("dim", "final    ")} ${clock.seconds()} s after sending`);
  } else if (options.confirmations > 1) {
    included = await waitForDepth(client, hash, included, options.confirmations, clock);
  }
  if (BigInt(included.status) === 1n) return included;
  throw new WalletError("reverted", `the transaction failed in block ${BigInt(included.blockNumber)}`);
}

type Clock = { seconds(): string; tick(): Promise<void> };

function startClock(hash: Hex, timeoutSeconds: number | undefined): Clock {
  const start = performance.now();
  const elapsed = () => (performance.now() - start) / 1000;
  return {
    seconds: () => elapsed().toFixed(1),
    async tick() {
      if (timeoutSeconds !== undefined && elapsed() > timeoutSeconds) {
        const hint = `it may still be included: jurat-wallet receipt ${hash}`;
        throw new WalletError("failure", `waited ${timeoutSeconds} s for ${hash}; ${hint}`);
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS));
    },
  };
}

/** What tells whether anything stands before a transaction. */
type Waiting = { readonly from: Hex; readonly nonce: Hex; readonly blockNumber?: Hex | null };

async function waitForReceipt(client: NodeClient, hash: Hex, clock: Clock): Promise<Receipt> {
  let isGapLookedFor = false;
  for (let unknownPolls = 0; ; ) {
    const receipt = await client.request<Receipt | null>("eth_getTransactionReceipt", [hash]);
    if (receipt !== null) return receipt;
    const transaction = await client.request<Waiting | null>("eth_getTransactionByHash", [hash]);
    unknownPolls = transaction === null ? unknownPolls + 1 : 0;
    if (unknownPolls > UNKNOWN_POLL_LIMIT) {
      throw new WalletError("failure", `the node no longer knows ${hash}: it was replaced or dropped`);
    }
    if (transaction !== null && !isGapLookedFor) {
      isGapLookedFor = true;
      await noteGap(client, transaction);
    }
    showProgress(`  ${paint("dim", "waiting  ")} for a block to include it`);
    await clock.tick();
  }
}

/** Says, also in a log, that nothing happens before another transaction of the account comes: it may be for ever. */
async function noteGap(client: NodeClient, { from, nonce, blockNumber }: Waiting): Promise<void> {
  if (typeof blockNumber === "string") return;
  // What the pool can include in a row ends before a gap.
  const next = Number(await client.request<Hex>("eth_getTransactionCount", [from, "pending"]));
  if (next < Number(nonce)) {
    const text = `for nonce ${next} of the same account: this transaction has nonce ${Number(nonce)}`;
    note(`  ${paint("yellow", "waiting  ")} ${text}`);
  }
}

function noteInclusion(receipt: Receipt, abi: Abi, clock: Clock): void {
  const fee = formatJur(BigInt(receipt.gasUsed) * BigInt(receipt.effectiveGasPrice));
  const outcome = BigInt(receipt.status) === 1n ? "" : paint("red", ", failed");
  const gas = `${BigInt(receipt.gasUsed)} gas, fee ${fee}`;
  const where = `block ${BigInt(receipt.blockNumber)}${outcome}, ${gas} (${clock.seconds()} s)`;
  note(`  ${paint("dim", "included ")} ${where}`);
  for (const log of receipt.logs) note(`  ${paint("dim", "event    ")} ${describeLog(log, abi)}`);
}

/** `Transfer(from 0x…, to 0x…, value 5)`, or the topics when the ABI does not know the event. */
export function describeLog({ address, topics, data }: Log, abi: Abi): string {
  try {
    const { eventName, args } = decodeEventLog({ abi, topics, data }) as {
      eventName: string;
      args?: Readonly<Record<string, unknown>> | readonly unknown[];
    };
    const isPlain = args === undefined || Array.isArray(args);
    const parts = isPlain
      ? ((args ?? []) as readonly unknown[]).map(formatValue)
      : Object.entries(args).map(([name, value]) => `${name} ${formatValue(value)}`);
    return `${eventName}(${parts.join(", ")})`;
  } catch {
    return `of ${address}: topics ${topics.join(" ")}${data === "0x" ? "" : ` data ${data}`}`;
  }
}

/** Where the transaction is now: the same receipt, or another when its block was replaced. */
async function reread(client: NodeClient, hash: Hex, known: Receipt, clock: Clock): Promise<Receipt> {
  const receipt = await waitForReceipt(client, hash, clock);
  if (receipt.blockHash !== known.blockHash) {
    const number = BigInt(receipt.blockNumber);
    const where = number === BigInt(known.blockNumber) ? `another block ${number}` : `block ${number}`;
    note(`  ${paint("yellow", "moved    ")} to ${where}: its block was replaced`);
  }
  return receipt;
}

async function waitForTag(
  client: NodeClient,
  hash: Hex,
  receipt: Receipt,
  tag: "safe" | "finalized",
  clock: Clock,
): Promise<Receipt> {
  for (;;) {
    const reached = await blockNumber(client, tag);
    receipt = await reread(client, hash, receipt, clock);
    const number = Number(receipt.blockNumber);
    if (reached >= number) return receipt;
    const finalized = tag === "finalized" ? reached : await blockNumber(client, "finalized");
    const slots = number - finalized;
    const state = `${tag === "safe" ? "included" : "justified"} in block ${number}`;
    showProgress(
      `  ${paint("dim", "waiting  ")} ${state}, final block ${finalized}: ${slots} ${slots === 1 ? "slot" : "slots"} until final`,
    );
    await clock.tick();
  }
}

async function waitForDepth(
  client: NodeClient,
  hash: Hex,
  receipt: Receipt,
  confirmations: number,
  clock: Clock,
): Promise<Receipt> {
  for (;;) {
    const head = Number(await client.request<Hex>("eth_blockNumber"));
    receipt = await reread(client, hash, receipt, clock);
    const depth = head - Number(receipt.blockNumber) + 1;
    if (depth >= confirmations) return receipt;
    showProgress(`  ${paint("dim", "waiting  ")} ${Math.max(0, depth)} of ${confirmations} blocks`);
    await clock.tick();
  }
}

/** Zero before there is one: some nodes know no safe block at first. */
async function blockNumber(client: NodeClient, tag: string): Promise<number> {
  try {
    const block = await client.request<{ readonly number: Hex } | null>("eth_getBlockByNumber", [tag, false]);
    return Number(block?.number ?? 0);
  } catch (error) {
    if (error instanceof NodeRefusal) return 0;
    throw error;
  }
}
