/** What is known of the chain: blocks, transactions, receipts, and any other question. */
import type { Hex } from "../../primitives/bytes.ts";
import { parseBlock } from "../block-argument.ts";
import type { BlockFlags, QueryFlags } from "../commands/reads.ts";
import { readDeployments } from "../deployments.ts";
import type { Receipt } from "../follow.ts";
import { connect } from "../node-client.ts";
import type { AbiFlags } from "../options.ts";
import { formatJur, printResult, toJson } from "../output.ts";
import { WalletError } from "../wallet-error.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Fields whose hex is a number; other hex is data and stays as it is. */
const NUMBERS = new Set(
  [
    "number",
    "gasLimit",
    "gasUsed",
    "timestamp",
    "blockTimestamp",
    "baseFeePerGas",
    "size",
    "nonce",
    "value",
    "gas",
    "gasPrice",
  ].concat(
    ["maxFeePerGas", "maxPriorityFeePerGas", "blockNumber", "transactionIndex", "chainId", "type", "yParity"],
    ["cumulativeGasUsed", "effectiveGasPrice", "status", "difficulty", "blobGasUsed", "excessBlobGas"],
  ),
);

export async function showBlock(text: string, field: string | undefined, flags: BlockFlags): Promise<void> {
  const block = parseBlock(text);
  const client = await connect(flags.rpcUrl);
  const found =
    typeof block === "string"
      ? await client.request<Fields | null>("eth_getBlockByNumber", [block, flags.full])
      : await client.request<Fields | null>("eth_getBlockByHash", [block.blockHash, flags.full]);
  if (found === null) throw new WalletError("notFound", `the node knows no block ${text}`);
  printFields(found, field, flags);
}

export async function showTransaction(
  text: string,
  field: string | undefined,
  flags: QueryFlags,
): Promise<void> {
  const hash = parseHash(text);
  const client = await connect(flags.rpcUrl);
  const found = await client.request<Fields | null>("eth_getTransactionByHash", [hash]);
  if (found === null) throw new WalletError("notFound", `the node knows no transaction ${hash}`);
  printFields(found, field, flags);
}

export async function showReceipt(
  text: string,
  field: string | undefined,
  flags: QueryFlags & AbiFlags,
): Promise<void> {
  const hash = parseHash(text);
  const client = await connect(flags.rpcUrl);
  const receipt = await client.request<(Receipt & Fields) | null>("eth_getTransactionReceipt", [hash]);
  if (receipt === null) {
    throw new WalletError("notFound", `no receipt of ${hash}: it is unknown or still waiting`);
  }
  if (field !== undefined || flags.json) return printFields(receipt, field, flags);
  const lines = [
    `status      ${BigInt(receipt.status) === 1n ? "success" : "failed"}`,
    `block       ${BigInt(receipt.blockNumber)} ${receipt.blockHash}`,
    `gas used    ${BigInt(receipt.gasUsed)}`,
    `fee         ${formatJur(BigInt(receipt.gasUsed) * BigInt(receipt.effectiveGasPrice))}`,
    ...(receipt.contractAddress ? [`contract    ${receipt.contractAddress}`] : []),
    ...(await describeLogs(receipt, flags)).map((event) => `event       ${event}`),
  ];
  printResult(false, receipt, lines);
}

async function describeLogs({ logs }: Receipt, flags: AbiFlags): Promise<readonly string[]> {
  if (logs.length === 0) return [];
  const { describeLog } = await import("../follow.ts");
  const given =
    flags.abi === undefined ? undefined : await (await import("../contract-artifact.ts")).loadAbi(flags.abi);
  const deployments = readDeployments(flags.deployments);
  return logs.map((log) => {
    const deployment = deployments.findLast(({ address }) => address === log.address.toLowerCase());
    return describeLog(log, given ?? deployment?.abi ?? []);
  });
}

export async function showQuantity(method: string, flags: QueryFlags): Promise<void> {
  const client = await connect(flags.rpcUrl);
  const value = BigInt(await client.request<Hex>(method));
  printResult(flags.json, value, [value.toString()]);
}

export async function rawRequest(method: string, texts: readonly string[], flags: QueryFlags): Promise<void> {
  const client = await connect(flags.rpcUrl);
  const answer = await client.request<unknown>(method, texts.map(jsonOrText));
  printResult(flags.json, answer, [JSON.stringify(answer, null, 2)]);
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** With --json as the node answered; else one line a field, numbers in decimal. */
function printFields(found: Fields, field: string | undefined, { json }: QueryFlags): void {
  if (field === undefined) {
    const width = Math.max(...Object.keys(found).map((name) => name.length));
    const lines = Object.entries(found).map(
      ([name, value]) => `${name.padEnd(width)}  ${readable(name, value)}`,
    );
    printResult(json, found, lines);
    return;
  }
  if (!Object.hasOwn(found, field)) {
    throw new WalletError("usage", `there is no field ${field}; there are ${Object.keys(found).join(", ")}`);
  }
  printResult(json, found[field], [readable(field, found[field])]);
}

function readable(name: string, value: unknown): string {
  if (typeof value !== "string") return toJson(value);
  return NUMBERS.has(name) && /^0x[0-9a-f]{1,64}$/.test(value) && !isBlockNonce(name, value)
    ? BigInt(value).toString()
    : value;
}

/** A block's nonce is eight bytes of data; a transaction's is a number. */
function isBlockNonce(name: string, value: string): boolean {
  return name === "nonce" && value.length === 18;
}

function parseHash(text: string): Hex {
  if (/^0x[0-9a-fA-F]{64}$/.test(text)) return text as Hex;
  throw new WalletError("usage", `${text} is no transaction hash (32 bytes of hex)`);
}
