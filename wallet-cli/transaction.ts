/** A transaction before it is signed: simulated, priced, and with everything a person wants to know of it. */
import type { Abi, AbiFunction, Hex } from "viem";
import { serializeTransaction } from "viem/utils";
import type { Address } from "../primitives/bytes.ts";
import { bigIntToBytes, fromHex, toHex } from "../primitives/bytes.ts";
import { keccak256Hex } from "../primitives/hash.ts";
import { NATIVE_DECIMALS } from "../primitives/units.ts";
import { failureReason } from "./failure-reason.ts";
import type { NodeClient } from "./node-client.ts";
import { formatJur } from "./output.ts";
import { quantity } from "./quantity.ts";
import type { Signer } from "./signer.ts";
import { NodeRefusal, WalletError } from "./wallet-error.ts";

export type Intent = {
  /** What a person reads: `transfer(to 0x…, value 5)`, `deploy Token`, `send value`. */
  readonly title: string;
  readonly to: Address | undefined;
  readonly value: bigint;
  readonly data: Hex;
  /** To decode a revert and the events. */
  readonly abi: Abi;
  /** To decode what it returns. */
  readonly item?: AbiFunction | undefined;
  /** More that a person should know before: label and text. */
  readonly details?: readonly (readonly [string, string])[];
};

/** What the person sets; the node is asked for the rest. */
export type Terms = {
  readonly nonce?: number;
  readonly gasLimit?: bigint;
  /** Highest price of a unit of gas, in wei. */
  readonly gasPrice?: bigint;
  readonly priorityGasPrice?: bigint;
};

/** An EIP-1559 transaction. */
export type Transaction = {
  readonly chainId: number;
  readonly nonce: number;
  readonly to: Address | undefined;
  readonly value: bigint;
  readonly data: Hex;
  readonly gas: bigint;
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
};

export type Prepared = {
  readonly transaction: Transaction;
  readonly from: Address;
  readonly balance: bigint;
  /** What the simulation on the latest block returned. */
  readonly output: Hex;
  /** Price of a unit of gas were it in the next block, in wei. */
  readonly expectedGasPrice: bigint;
};

/** Base fees a transaction outlives while it waits: twice is six full blocks on (EIP-1559: 1/8 more each). */
const BASE_FEE_HEADROOM = 2n;

const WEI_PER_UNIT = 10n ** BigInt(NATIVE_DECIMALS);

/** EIP-1474: the node has too much to do. */
const LIMIT_EXCEEDED = -32005;

/** @throws WalletError (reverted) when it would fail or cannot be paid. */
export async function prepareTransaction(
  client: NodeClient,
  from: Address,
  intent: Intent,
  terms: Terms,
): Promise<Prepared> {
  const { to, value, data, abi } = intent;
  const [balance, nonce, prices] = await Promise.all([
    client.request<Hex>("eth_getBalance", [from, "latest"]).then(BigInt),
    terms.nonce ?? client.request<Hex>("eth_getTransactionCount", [from, "pending"]).then(Number),
    gasPrices(client, terms),
  ]);
  requireFunds(from, balance, value);
  const call = { from, value: quantity(value), data, ...(to === undefined ? {} : { to }) };
  let gas: bigint;
  let output: Hex;
  try {
    [gas, output] = await Promise.all([
      terms.gasLimit ?? client.request<Hex>("eth_estimateGas", [call]).then(BigInt),
      client.request<Hex>("eth_call", [call, "latest"]),
    ]);
  } catch (error) {
    if (error instanceof WalletError) throw error;
    const reason = failureReason(error, abi);
    const verdict = isUnjudged(error)
      ? `the node could not simulate it (${reason}): try again, or ask another node`
      : `would fail: ${reason}`;
    throw new WalletError("reverted", verdict, { cause: error });
  }
  requireFunds(from, balance, value + gas * prices.maxFeePerGas);
  const { maxFeePerGas, maxPriorityFeePerGas, expectedGasPrice } = prices;
  const fees = { gas, maxFeePerGas, maxPriorityFeePerGas };
  const transaction = { chainId: client.chainId, nonce, to, value, data, ...fees };
  return { transaction, from, balance, output, expectedGasPrice };
}

/** A node that is busy or out of time says nothing of the transaction. Geth and this node both call it a timeout. */
function isUnjudged(error: unknown): boolean {
  if (!(error instanceof NodeRefusal)) return false;
  return error.code === LIMIT_EXCEEDED || (error.data === undefined && /\btimeout\b/.test(error.message));
}

async function gasPrices(client: NodeClient, { gasPrice, priorityGasPrice }: Terms) {
  const [block, suggested] = await Promise.all([
    client.request<{ readonly baseFeePerGas?: Hex } | null>("eth_getBlockByNumber", ["latest", false]),
    priorityGasPrice ?? client.request<Hex>("eth_maxPriorityFeePerGas").then(BigInt),
  ]);
  const baseFee = BigInt(block?.baseFeePerGas ?? 0);
  const maxFeePerGas = gasPrice ?? baseFee * BASE_FEE_HEADROOM + suggested;
  const maxPriorityFeePerGas = suggested < maxFeePerGas ? suggested : maxFeePerGas;
  const wanted = baseFee + maxPriorityFeePerGas;
  return {
    maxFeePerGas,
    maxPriorityFeePerGas,
    expectedGasPrice: wanted < maxFeePerGas ? wanted : maxFeePerGas,
  };
}

function requireFunds(from: Address, balance: bigint, needed: bigint): void {
  if (balance >= needed) return;
  const wholeUnits = (needed - balance + WEI_PER_UNIT - 1n) / WEI_PER_UNIT;
  throw new WalletError(
    "reverted",
    `insufficient funds: needs ${formatJur(needed)}, has ${formatJur(balance)}; on a test network fund it with: jurat-wallet send ${from} --value ${wholeUnits}jur --from dev:0`,
  );
}

/** The signed bytes, ready to be published, and their hash. */
export function signTransaction(
  transaction: Transaction,
  signer: Signer,
): { readonly raw: Hex; readonly hash: Hex } {
  const { to, ...rest } = transaction;
  const fields = { type: "eip1559", ...rest, ...(to === undefined ? {} : { to }) } as const;
  const { r, s, yParity } = signer.sign(keccak256Hex(fromHex(serializeTransaction(fields))));
  const signature = { r: toHex(bigIntToBytes(r, 32)), s: toHex(bigIntToBytes(s, 32)), yParity };
  const raw = serializeTransaction(fields, signature);
  return { raw, hash: keccak256Hex(fromHex(raw)) };
}
