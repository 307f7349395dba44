/** Calls that change nothing, estimates, and events. */
import type { Abi, AbiEvent, Hex } from "viem";
import { encodeAbiParameters, encodeEventTopics, toEventSelector } from "viem/utils";
import { parseArguments, parseEvent } from "../abi-arguments.ts";
import { resolveAddress } from "../account-names.ts";
import { parseBlock } from "../block-argument.ts";
import type { EstimateFlags, LogsFlags } from "../commands/reads.ts";
import { decodeResult, encodeCall, resolveContract } from "../contract-call.ts";
import { failureReason } from "../failure-reason.ts";
import { describeLog, type Log } from "../follow.ts";
import { connect, type NodeClient } from "../node-client.ts";
import type { CallFlags } from "../options.ts";
import { formatValue, printResult } from "../output.ts";
import { quantity } from "../quantity.ts";
import { WalletError } from "../wallet-error.ts";

export async function call(
  to: string,
  signature: string | undefined,
  texts: readonly string[],
  flags: CallFlags,
): Promise<void> {
  const block = parseBlock(flags.block);
  const client = await connect(flags.rpcUrl);
  const contract = await resolveContract(client, to, flags);
  const { data, item } = await encodeCall(contract.abi, signature, texts, flags);
  const request = { to: contract.address, data, ...(await senderFields(flags)) };
  const output = await client
    .request<Hex>("eth_call", [request, block])
    .catch(refused("the call failed", contract.abi));
  if (item === undefined || item.outputs.length === 0) {
    printResult(flags.json, output, [output]);
    return;
  }
  if (output === "0x") {
    throw new WalletError(
      "failure",
      `${contract.address} returned nothing: is there a contract at that address?`,
    );
  }
  const values = decodeResult(item, output);
  printResult(flags.json, values.length === 1 ? values[0] : values, values.map(formatValue));
}

export async function estimate(
  to: string,
  signature: string | undefined,
  texts: readonly string[],
  flags: EstimateFlags,
): Promise<void> {
  const block = parseBlock(flags.block);
  const client = await connect(flags.rpcUrl);
  const contract = await resolveContract(client, to, flags);
  const { data } = await encodeCall(contract.abi, signature, texts, flags);
  const request = { to: contract.address, data, ...(await senderFields(flags)) };
  const gas = BigInt(
    await client.request<Hex>("eth_estimateGas", [request, block]).catch(refused("would fail", contract.abi)),
  );
  if (!flags.cost) return printResult(flags.json, gas, [gas.toString()]);
  const cost = gas * BigInt(await client.request<Hex>("eth_gasPrice"));
  printResult(flags.json, cost, [cost.toString()]);
}

export async function senderFields({
  from,
  account,
  keystore,
  value,
}: Pick<CallFlags, "from" | "account" | "keystore" | "value">) {
  const name = from ?? account;
  const sender = name === undefined ? {} : { from: await resolveAddress(name, keystore) };
  return value === 0n ? sender : { ...sender, value: quantity(value) };
}

function refused(what: string, abi: Abi): (error: unknown) => never {
  return (error) => {
    if (error instanceof WalletError) throw error;
    throw new WalletError("reverted", `${what}: ${failureReason(error, abi)}`, { cause: error });
  };
}

export async function logs(
  text: string | undefined,
  values: readonly string[],
  flags: LogsFlags,
): Promise<void> {
  const range = { fromBlock: parseBlock(flags.fromBlock), toBlock: parseBlock(flags.toBlock) };
  const client = await connect(flags.rpcUrl);
  const contract =
    flags.address === undefined ? undefined : await resolveContract(client, flags.address, flags);
  const { topics, event } = await topicsOf(text, values, contract?.abi ?? [], flags.keystore);
  const filter = { ...range, topics, ...(contract === undefined ? {} : { address: contract.address }) };
  const found = await askLogs(client, filter);
  const abi = event === undefined ? (contract?.abi ?? []) : [event];
  const lines = found.map(
    (log) => `${Number(log.blockNumber)}  ${log.transactionHash}  ${describeLog(log, abi)}`,
  );
  printResult(flags.json, found, lines);
}

type FoundLog = Log & { readonly blockNumber: Hex; readonly transactionHash: Hex };

async function askLogs(client: NodeClient, filter: unknown): Promise<readonly FoundLog[]> {
  return client.request<readonly FoundLog[]>("eth_getLogs", [filter]);
}

type Topic = Hex | readonly Hex[] | null;

async function topicsOf(
  text: string | undefined,
  values: readonly string[],
  abi: Abi,
  keystore: string,
): Promise<{ topics: readonly Topic[]; event: AbiEvent | undefined }> {
  if (text === undefined) return { topics: [], event: undefined };
  if (/^0x[0-9a-fA-F]{64}$/.test(text))
    return { topics: [text as Hex, ...values.map(rawTopic)], event: undefined };
  const named = abi.find((item) => item.type === "event" && item.name === text);
  const event = named?.type === "event" ? named : parseEvent(text);
  const indexed = event.inputs.filter((input) => input.indexed);
  if (values.length > indexed.length) {
    const names = indexed.map(({ name, type }) => name ?? type).join(", ") || "none";
    throw new WalletError("usage", `${event.name} has ${indexed.length} indexed fields (${names})`);
  }
  const topics = await Promise.all(
    values.map(async (value, index) => {
      const input = indexed[index];
      if (value === "_" || input === undefined) return null;
      const args = await parseArguments([input], [value], keystore);
      return indexedTopic(event, index, args[0]);
    }),
  );
  return { topics: [toEventSelector(event), ...topics], event };
}

/** The word for a value, its hash for what is longer than a word. */
function indexedTopic(event: AbiEvent, index: number, value: unknown): Topic {
  const { inputs } = event;
  const indexed = inputs.filter((input) => input.indexed);
  const args = indexed.map((_, position) => (position === index ? value : null));
  const topics = encodeEventTopics({ abi: [event], eventName: event.name, args: args as never });
  return (topics[index + 1] ?? null) as Topic;
}

function rawTopic(text: string): Topic {
  if (text === "_") return null;
  if (/^0x[0-9a-fA-F]{64}$/.test(text)) return text as Hex;
  if (/^\d{1,78}$/.test(text)) return encodeAbiParameters([{ type: "uint256" }], [BigInt(text)]);
  throw new WalletError("usage", `"${text}" is no topic (32 bytes of hex, or _ for anything)`);
}
