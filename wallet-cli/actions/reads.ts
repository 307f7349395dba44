/** What is known of an account: balance, nonce, code, storage, proof. */
import { toChecksumAddress } from "../../primitives/address.ts";
import type { Hex } from "../../primitives/bytes.ts";
import { formatUnits, NATIVE_DECIMALS } from "../../primitives/units.ts";
import { resolveAddress } from "../account-names.ts";
import { parseBlock } from "../block-argument.ts";
import type { AccountFlags, BalanceFlags } from "../commands/reads.ts";
import { findDeployment, readDeployments } from "../deployments.ts";
import { connect } from "../node-client.ts";
import { formatJur, printResult, toJson } from "../output.ts";
import { parseWord, quantity } from "../quantity.ts";

async function ask<T>(method: string, account: string, flags: AccountFlags, ...middle: readonly unknown[]) {
  const block = parseBlock(flags.block);
  // A name that needs no node is looked up before one is asked.
  const isDeployed = readDeployments(flags.deployments).some(({ contractName }) => contractName === account);
  const known = isDeployed ? undefined : await resolveAddress(account, flags.keystore);
  const client = await connect(flags.rpcUrl);
  const deployment = isDeployed ? await findDeployment(flags.deployments, account, client) : undefined;
  const address = known ?? deployment?.address ?? (await resolveAddress(account, flags.keystore));
  const answer = await client.request<T>(method, [address, ...middle, block]);
  return { address: toChecksumAddress(address), answer };
}

export async function balance(account: string, flags: BalanceFlags): Promise<void> {
  const { address, answer } = await ask<Hex>("eth_getBalance", account, flags);
  const wei = BigInt(answer);
  printResult(flags.json, { address, wei }, [
    flags.ether ? formatUnits(wei, NATIVE_DECIMALS) : formatJur(wei),
  ]);
}

export async function nonce(account: string, flags: AccountFlags): Promise<void> {
  const { address, answer } = await ask<Hex>("eth_getTransactionCount", account, flags);
  printResult(flags.json, { address, nonce: Number(answer) }, [String(Number(answer))]);
}

export async function code(account: string, flags: AccountFlags): Promise<void> {
  const { address, answer } = await ask<Hex>("eth_getCode", account, flags);
  printResult(flags.json, { address, code: answer }, [answer]);
}

export async function storage(account: string, slot: string, flags: AccountFlags): Promise<void> {
  const word = parseWord(slot);
  const { address, answer } = await ask<Hex>("eth_getStorageAt", account, flags, quantity(BigInt(word)));
  printResult(flags.json, { address, slot: word, value: answer }, [answer]);
}

/** JSON with and without --json: a proof is for programs. */
export async function proof(account: string, slots: readonly string[], flags: AccountFlags): Promise<void> {
  const { answer } = await ask<unknown>("eth_getProof", account, flags, slots.map(parseWord));
  printResult(flags.json, answer, [JSON.stringify(JSON.parse(toJson(answer)), null, 2)]);
}
