/** Every write: simulated and shown before it asks, then sent and followed. */
import {
  type Abi,
  BaseError,
  type CallExecutionError,
  createWalletClient,
  decodeErrorResult,
  type Hex,
  http,
  RawContractError,
  type TransactionReceipt,
} from "viem";
import type { LocalAccount } from "viem/accounts";
import type { Address } from "../primitives/bytes.ts";
import type { NodeClient } from "./node-client.ts";
import { formatJur, formatValue, note } from "./output.ts";
import { confirm } from "./prompt.ts";
import { WalletError } from "./wallet-error.ts";

export type Intent = {
  /** What a person reads: `transfer(to 0x…, value 5)`, `deploy Token`, `send value`. */
  readonly title: string;
  readonly to: Address | undefined;
  readonly value: bigint;
  readonly data: Hex;
  /** To decode a revert. */
  readonly abi: Abi;
};

export type WriteOptions = {
  readonly yes: boolean;
  readonly async: boolean;
  /** Blocks on top, or until it is final. */
  readonly confirmations: number | "finalized";
};

/** @throws WalletError (reverted) when the simulation or the transaction fails, (declined) when the person says no. */
export async function write(
  client: NodeClient,
  account: LocalAccount,
  intent: Intent,
  options: WriteOptions,
): Promise<{ readonly hash: Hex; readonly receipt: TransactionReceipt | undefined }> {
  const { to, value, data } = intent;
  const fees = await client.estimateFeesPerGas();
  const balance = await client.getBalance({ address: account.address });
  const gas = await estimate(client, account, intent, balance);
  const fee = gas * fees.maxFeePerGas;
  note(`  from      ${account.address}`);
  if (to !== undefined) note(`  to        ${to}`);
  note(`  action    ${intent.title}`);
  note(`  value     ${formatJur(value)}`);
  note(`  fee       at most ${formatJur(fee)} (${gas} gas)`);
  note(`  balance   ${formatJur(balance)}, then at least ${formatJur(balance - value - fee)}`);
  note("  outcome   succeeds when simulated on the latest block");
  if (!options.yes) await confirm("send it?");

  const wallet = createWalletClient({ account, chain: client.chain, transport: http(client.transport.url) });
  const nonce = await client.getTransactionCount({ address: account.address, blockTag: "pending" });
  const serialized = await wallet.signTransaction({
    type: "eip1559",
    chainId: client.chain.id,
    nonce,
    gas,
    data,
    value,
    ...(to === undefined ? {} : { to }),
    maxFeePerGas: fees.maxFeePerGas,
    maxPriorityFeePerGas: fees.maxPriorityFeePerGas,
  });
  const hash = await client.sendRawTransaction({ serializedTransaction: serialized });
  note(`  sent      ${hash}`);
  if (options.async) return { hash, receipt: undefined };
  return { hash, receipt: await follow(client, hash, options.confirmations) };
}

async function estimate(
  client: NodeClient,
  account: LocalAccount,
  intent: Intent,
  balance: bigint,
): Promise<bigint> {
  const { to, value, data, abi } = intent;
  if (balance < value) {
    throw new WalletError(
      "reverted",
      `insufficient funds: needs ${formatJur(value)}, has ${formatJur(balance)}; fund it with: jurat-wallet send ${account.address} --value 1jur --from dev:0`,
    );
  }
  try {
    return await client.estimateGas({ account, value, data, ...(to === undefined ? {} : { to }) });
  } catch (error) {
    throw new WalletError("reverted", `would fail: ${failureReason(error, abi)}`, { cause: error });
  }
}

/** Why a call failed: the decoded custom error, the revert string, or the node's words. */
export function failureReason(error: unknown, abi: Abi): string {
  if (!(error instanceof BaseError)) return error instanceof Error ? error.message : String(error);
  const data = revertData(error);
  if (data !== undefined && data !== "0x") {
    try {
      const { errorName, args } = decodeErrorResult({ abi, data });
      return `${errorName}(${(args ?? []).map(formatValue).join(", ")})`;
    } catch {
      // An error this ABI does not declare: the node's text is all there is.
    }
  }
  return (error as CallExecutionError).details || error.shortMessage;
}

function revertData(error: BaseError): Hex | undefined {
  const found = error.walk((cause) => cause instanceof RawContractError || "data" in (cause as object));
  const data = (found as { data?: Hex | { data?: Hex } } | null)?.data;
  return typeof data === "object" ? data.data : data;
}

async function follow(
  client: NodeClient,
  hash: Hex,
  confirmations: number | "finalized",
): Promise<TransactionReceipt> {
  const sentAt = performance.now();
  const seconds = () => ((performance.now() - sentAt) / 1000).toFixed(1);
  const receipt = await client.waitForTransactionReceipt({
    hash,
    confirmations: confirmations === "finalized" ? 1 : Math.max(1, confirmations),
  });
  note(`  included  block ${receipt.blockNumber}, ${receipt.gasUsed} gas (${seconds()} s)`);
  if (confirmations === "finalized") {
    for (const tag of ["safe", "finalized"] as const) {
      await reach(client, tag, receipt.blockNumber);
      note(`  ${tag === "safe" ? "justified" : "final    "} (${seconds()} s)`);
    }
  }
  if (receipt.status === "reverted")
    throw new WalletError("reverted", `the transaction failed in block ${receipt.blockNumber}`);
  return receipt;
}

/** Resolves once the block that `tag` names is at least `number`. */
async function reach(client: NodeClient, tag: "safe" | "finalized", number: bigint): Promise<void> {
  for (;;) {
    const block = await client.getBlock({ blockTag: tag });
    if ((block.number ?? 0n) >= number) return;
    await new Promise((resolve) => setTimeout(resolve, client.pollingInterval));
  }
}
