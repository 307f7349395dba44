/** Transactions without pause: transfers to new accounts and token transfers, each to a node chosen at random. */
import { join } from "node:path";
import { type Abi, encodeDeployData, encodeFunctionData } from "viem";
import { buildContract } from "../../../contracts/build/build-contract.ts";
import { type Address, EMPTY_BYTES, fromHex, type Hash, type Hex, toHex } from "../../../primitives/bytes.ts";
import { deriveDevAccounts } from "../../../primitives/dev-accounts.ts";
import { keccak256 } from "../../../primitives/hash.ts";
import { signTransaction } from "../../../vm/transaction-signature.ts";
import type { RandomStream } from "../../simulation/random-stream.ts";
import { PROJECT_ROOT } from "../../support/vectors.ts";
import { askPatiently, callJson, pause } from "./json-call.ts";

const GWEI = 10n ** 9n;
/** Between two transactions of one account. */
const PAUSE_MS = 80;
/** Development accounts; the first owns the token. */
const SENDERS = [0, 1, 2, 3, 4];

export type Load = {
  /** Transactions a node took. */
  accepted(): number;
  /** Times a node did not answer, as a killed one does. */
  unanswered(): number;
  stop(): Promise<void>;
};

export type LoadTransaction = {
  readonly to: Address | undefined;
  readonly value: bigint;
  readonly data: Uint8Array;
  readonly gasLimit: bigint;
};

export async function startLoad(
  urls: readonly string[],
  chainId: number,
  random: RandomStream,
): Promise<Load> {
  const { token, abi } = await deployToken(urls[0] ?? "", chainId);
  let isStopping = false;
  let accepted = 0;
  let unanswered = 0;
  const send = async (sender: number) => {
    while (!isStopping) {
      const url = urls[random.below(urls.length)] ?? "";
      const to = newAccount(random);
      const data = encodeFunctionData({ abi, functionName: "transfer", args: [to, 1n] });
      const transaction =
        sender > 0
          ? { to, value: 1n, data: EMPTY_BYTES, gasLimit: 21_000n }
          : { to: token, value: 0n, data: fromHex(data), gasLimit: 200_000n };
      try {
        await submit(url, chainId, sender, transaction);
        accepted++;
      } catch {
        unanswered++;
      }
      await pause(PAUSE_MS);
    }
  };
  const running = Promise.all(SENDERS.map(send));
  return {
    accepted: () => accepted,
    unanswered: () => unanswered,
    async stop() {
      isStopping = true;
      await running;
    },
  };
}

/** An address that very likely has no account yet. */
export function newAccount(random: RandomStream): Address {
  const digits = random
    .below(2 ** 31)
    .toString(16)
    .padStart(8, "0");
  return toHex(keccak256(fromHex(`0x${digits}`)).subarray(12));
}

/** The nonce comes from the node itself: what a killed node took with it leaves no gap behind. */
export async function submit(
  url: string,
  chainId: number,
  sender: number,
  transaction: LoadTransaction,
): Promise<Hash> {
  const account = deriveDevAccounts()[sender];
  if (account === undefined) throw new Error(`no account ${sender}`);
  const nonce = BigInt(await callJson<Hex>(url, "eth_getTransactionCount", [account.address, "pending"]));
  const fees = { maxFeePerGas: 100n * GWEI, maxPriorityFeePerGas: GWEI };
  const unsigned = {
    type: 2,
    chainId: BigInt(chainId),
    nonce,
    accessList: [],
    ...fees,
    ...transaction,
  } as const;
  const { raw } = signTransaction(unsigned, fromHex(account.privateKey));
  return callJson<Hash>(url, "eth_sendRawTransaction", [toHex(raw)]);
}

export type DeployedToken = {
  readonly token: Address;
  readonly abi: Abi;
  /** Deploys another one, when sent. */
  readonly creation: LoadTransaction;
};

/** The first development account deploys a token and owns all of it. */
export async function deployToken(url: string, chainId: number): Promise<DeployedToken> {
  const artifact = await buildContract(join(PROJECT_ROOT, "contracts/examples/token.ts"));
  const abi = artifact.abi as Abi;
  const data = fromHex(encodeDeployData({ ...artifact, abi, args: ["Token", "TKN", 10n ** 24n] }));
  const creation = { to: undefined, value: 0n, data, gasLimit: 20_000_000n };
  const hash = await submit(url, chainId, 0, creation);
  for (;;) {
    const receipt = await askPatiently<{ readonly contractAddress: Address } | null>(
      url,
      "eth_getTransactionReceipt",
      [hash],
    );
    if (receipt !== null) return { token: receipt.contractAddress, abi, creation };
    await pause(PAUSE_MS);
  }
}
