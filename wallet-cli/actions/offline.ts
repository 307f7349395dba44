/** Signing and sending as two steps, so that a key may stay on a computer without network. */
import type { Hex } from "viem";
import { toChecksumAddress } from "../../primitives/address.ts";
import { WEI_PER_GWEI } from "../../primitives/units.ts";
import { resolveAddress } from "../account-names.ts";
import type { MakeFlags, PublishFlags } from "../commands/writes.ts";
import { loadAbi } from "../contract-artifact.ts";
import { parseData, resolveContract } from "../contract-call.ts";
import { follow } from "../follow.ts";
import { connect, type NodeClient } from "../node-client.ts";
import { senderOf } from "../options.ts";
import { printResult } from "../output.ts";
import { showIntent, showPrepared } from "../preview.ts";
import { readText } from "../private-file.ts";
import { openSigner } from "../signer.ts";
import { type Intent, prepareTransaction, signTransaction, type Transaction } from "../transaction.ts";
import { WalletError } from "../wallet-error.ts";
import { callIntent, deployIntent, submit } from "./writes.ts";

export async function makeTransaction(
  to: string | undefined,
  signature: string | undefined,
  texts: readonly string[],
  flags: MakeFlags,
): Promise<void> {
  const sender = senderOf(flags);
  const complete = completeTerms(flags);
  const client = complete === undefined ? await connect(flags.rpcUrl) : undefined;
  const intent = await intentOf(client, to, signature, texts, flags);
  const transaction =
    client === undefined || complete !== undefined
      ? offlineTransaction(intent, complete)
      : await onlineTransaction(client, sender, intent, flags);
  const signer = await openSigner(sender, flags);
  const { raw, hash } = signTransaction(transaction, signer);
  printResult(flags.json, { from: toChecksumAddress(signer.address), hash, raw }, [raw]);
}

type CompleteTerms = Pick<Transaction, "chainId" | "nonce" | "gas" | "maxFeePerGas" | "maxPriorityFeePerGas">;

/** Undefined when a node has to be asked for something. The proposer gets a gwei a unit of gas unless told otherwise. */
function completeTerms(flags: MakeFlags): CompleteTerms | undefined {
  const { chain, nonce, gasLimit, gasPrice, priorityGasPrice } = flags;
  if (chain === undefined || nonce === undefined || gasLimit === undefined || gasPrice === undefined) {
    return undefined;
  }
  const usual = gasPrice < WEI_PER_GWEI ? gasPrice : WEI_PER_GWEI;
  const maxPriorityFeePerGas = priorityGasPrice ?? usual;
  if (maxPriorityFeePerGas > gasPrice) {
    throw new WalletError("usage", "--priority-gas-price is a part of --gas-price and cannot be above it");
  }
  return { chainId: chain, nonce, gas: gasLimit, maxFeePerGas: gasPrice, maxPriorityFeePerGas };
}

function offlineTransaction({ to, value, data }: Intent, terms: CompleteTerms | undefined): Transaction {
  if (terms === undefined)
    throw new WalletError("usage", "without a node give --chain, --nonce, --gas-limit, --gas-price");
  return { ...terms, to, value, data };
}

async function onlineTransaction(
  client: NodeClient,
  sender: string,
  intent: Intent,
  flags: MakeFlags,
): Promise<Transaction> {
  if (flags.chain !== undefined && flags.chain !== client.chainId) {
    throw new WalletError(
      "failure",
      `${client.url} is a node of chain ${client.chainId}, not ${flags.chain}`,
    );
  }
  const from = await resolveAddress(sender, flags.keystore);
  showIntent(intent, from, sender);
  const prepared = await prepareTransaction(client, from, intent, flags);
  showPrepared(intent, prepared);
  return prepared.transaction;
}

async function intentOf(
  client: NodeClient | undefined,
  to: string | undefined,
  signature: string | undefined,
  texts: readonly string[],
  flags: MakeFlags,
): Promise<Intent> {
  if ((to === undefined) === (flags.create === undefined)) {
    throw new WalletError("usage", "say to whom, or give --create with a contract");
  }
  if (flags.create !== undefined) return (await deployIntent(flags.create, flags)).intent;
  const target = to ?? "";
  if (client !== undefined)
    return callIntent(await resolveContract(client, target, flags), signature, texts, flags);
  const abi = flags.abi === undefined ? [] : await loadAbi(flags.abi);
  const address = await resolveAddress(target, flags.keystore);
  return callIntent({ address, name: undefined, abi }, signature, texts, flags);
}

export async function publish(text: string, flags: PublishFlags): Promise<void> {
  const raw: Hex = parseData(text === "-" ? readText("-", "the transaction", "usage").trim() : text);
  const client = await connect(flags.rpcUrl);
  const hash = await submit(client, raw);
  if (flags.async) return printResult(flags.json, { hash }, [hash]);
  const { confirmations, timeout } = flags;
  const receipt = await follow(client, hash, [], { confirmations, timeoutSeconds: timeout });
  printResult(flags.json, { hash, receipt }, [hash]);
}
