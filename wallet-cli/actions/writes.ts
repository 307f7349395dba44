/** Sending and deploying: prepared, shown, confirmed, signed, sent and followed. */
import type { Abi, Hex } from "viem";
import { encodeDeployData } from "viem/utils";
import { createAddress, toChecksumAddress } from "../../primitives/address.ts";
import { parseArguments } from "../abi-arguments.ts";
import { resolveAddress } from "../account-names.ts";
import type { DeployFlags, SendFlags } from "../commands/writes.ts";
import { type DeployableArtifact, loadArtifact } from "../contract-artifact.ts";
import { type Contract, describeCall, encodeCall, resolveContract } from "../contract-call.ts";
import { genesisHashOf, recordDeployment } from "../deployments.ts";
import { follow, type Receipt } from "../follow.ts";
import { connect, type NodeClient } from "../node-client.ts";
import { type CommitFlags, senderOf } from "../options.ts";
import { note, paint, printResult } from "../output.ts";
import { showIntent, showPrepared } from "../preview.ts";
import { confirm } from "../prompt.ts";
import { openSigner } from "../signer.ts";
import { type Intent, type Prepared, prepareTransaction, signTransaction } from "../transaction.ts";
import { NodeRefusal, WalletError } from "../wallet-error.ts";

export async function send(
  to: string,
  signature: string | undefined,
  texts: readonly string[],
  flags: SendFlags,
): Promise<void> {
  const sender = senderOf(flags);
  const client = await connect(flags.rpcUrl);
  const contract = await resolveContract(client, to, flags);
  const intent = await callIntent(contract, signature, texts, flags);
  const written = await write(client, sender, intent, flags);
  if (written === undefined) return;
  const { hash, receipt } = written;
  printResult(flags.json, { hash, receipt }, [hash]);
}

/** What a call of a contract, or a transfer of value, wants of the chain. */
export async function callIntent(
  { address, name, abi }: Contract,
  signature: string | undefined,
  texts: readonly string[],
  flags: { readonly keystore: string; readonly value: bigint; readonly data?: string },
): Promise<Intent> {
  const { data, item, args } = await encodeCall(abi, signature, texts, flags);
  const call = item === undefined ? undefined : describeCall(item.name, item.inputs, args);
  const bare = data === "0x" ? "send value" : `call with ${(data.length - 2) / 2} bytes of data`;
  const title = call === undefined ? bare : name === undefined ? call : `${name}.${call}`;
  return { title, to: address, value: flags.value, data, abi: knownAbi(abi, item), item };
}

function knownAbi(abi: Abi, item: Abi[number] | undefined): Abi {
  return item === undefined || abi.includes(item) ? abi : [...abi, item];
}

export async function deploy(file: string, flags: DeployFlags): Promise<void> {
  const sender = senderOf(flags);
  const { intent, artifact } = await deployIntent(file, flags);
  const { contractName, abi } = artifact;
  const client = await connect(flags.rpcUrl);
  const written = await write(client, sender, intent, flags);
  if (written === undefined) return;
  const { hash, receipt, prepared } = written;
  await tellSources(client, artifact);
  const { from, transaction } = prepared;
  const address = toChecksumAddress(createAddress(from, BigInt(transaction.nonce)));
  if (flags.record) {
    const deployment = {
      contractName,
      address: createAddress(from, BigInt(transaction.nonce)),
      chainId: client.chainId,
      genesisHash: await genesisHashOf(client),
      transactionHash: hash,
      ...(receipt === undefined ? {} : { blockNumber: Number(receipt.blockNumber) }),
      deployer: from,
      arguments: flags.args,
      source: file,
      abi,
    };
    record(flags.deployments, deployment);
  }
  printResult(flags.json, { hash, address, receipt }, [address]);
}

/** So that a development chain names the author's lines. Others have no such method, and need none. */
async function tellSources(
  client: NodeClient,
  { bytecode, sourceMap, sourceName }: DeployableArtifact,
): Promise<void> {
  if (sourceMap === undefined || sourceName === undefined) return;
  try {
    await client.request("jurat_addArtifact", [{ bytecode, sourceMap, sourceName }]);
  } catch (error) {
    if (!(error instanceof NodeRefusal)) throw error;
  }
}

/** The contract is on the chain by now: a file that cannot be written is said, and is no failure of the deployment. */
function record(file: string, deployment: Parameters<typeof recordDeployment>[1]): void {
  try {
    recordDeployment(file, deployment);
    note(`  ${paint("dim", "recorded ")} ${deployment.contractName} in ${file}`);
  } catch (error) {
    if (!(error instanceof WalletError)) throw error;
    note(`  ${paint("yellow", "unrecorded")} ${error.message}`);
  }
}

export async function deployIntent(
  file: string,
  flags: { readonly args: readonly string[]; readonly keystore: string; readonly value: bigint },
): Promise<{ readonly intent: Intent; readonly artifact: DeployableArtifact }> {
  const artifact = await loadArtifact(file);
  const { contractName, abi, bytecode } = artifact;
  const creation = abi.find((item) => item.type === "constructor");
  const inputs = creation?.type === "constructor" ? creation.inputs : [];
  const args = await parseArguments(inputs, flags.args, flags.keystore);
  const data = encodeDeployData({ abi, bytecode, args });
  const title = `deploy ${describeCall(contractName, inputs, args)}, ${(bytecode.length - 2) / 2} bytes`;
  return { intent: { title, to: undefined, value: flags.value, data, abi }, artifact };
}

export type Written = {
  readonly hash: Hex;
  readonly receipt: Receipt | undefined;
  readonly prepared: Prepared;
};

/**
 * Undefined after a dry run, which prints the transaction instead.
 * @throws WalletError (reverted) when the simulation or the transaction fails, (declined) when the person says no.
 */
export async function write(
  client: NodeClient,
  sender: string,
  intent: Intent,
  flags: CommitFlags,
): Promise<Written | undefined> {
  const from = await resolveAddress(sender, flags.keystore);
  showIntent(intent, from, sender);
  const prepared = await prepareTransaction(client, from, intent, flags);
  showPrepared(intent, prepared);
  if (flags.dryRun) {
    note("  nothing was sent: --dry-run");
    printResult(true, { from, ...prepared.transaction }, []);
    return undefined;
  }
  if (!flags.yes) await confirm("send it?");
  const signer = await openSigner(sender, flags);
  const { raw } = signTransaction(prepared.transaction, signer);
  const hash = await submit(client, raw);
  if (flags.async) return { hash, receipt: undefined, prepared };
  const receipt = await follow(client, hash, intent.abi, {
    confirmations: flags.confirmations,
    timeoutSeconds: flags.timeout,
  });
  return { hash, receipt, prepared };
}

/** @throws WalletError (reverted) in the node's words when it does not take the transaction. */
export async function submit(client: NodeClient, raw: Hex): Promise<Hex> {
  try {
    const hash = await client.request<Hex>("eth_sendRawTransaction", [raw]);
    note(`  ${paint("dim", "sent     ")} ${hash}`);
    return hash;
  } catch (error) {
    if (!(error instanceof NodeRefusal)) throw error;
    throw new WalletError("reverted", `the node refused the transaction: ${error.message}`, { cause: error });
  }
}
