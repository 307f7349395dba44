/** Transactions of the development accounts, signed beforehand. */
import { fromHex, type Hex, toHex } from "../primitives/bytes.ts";
import { deriveDevAccounts } from "../primitives/dev-accounts.ts";
import { signTransaction } from "../vm/transaction-signature.ts";

const GWEI = 10n ** 9n;

/** Derived once: a mnemonic takes a while. */
export const ACCOUNTS = deriveDevAccounts();

export type SignedCall = {
  /** Index of the development account that sends it. */
  readonly account: number;
  readonly nonce: number;
  readonly chainId: number;
  readonly to: Hex | undefined;
  readonly data: Uint8Array;
  readonly gasLimit: bigint;
  readonly value?: bigint;
};

export function signCall({ account, nonce, chainId, to, data, gasLimit, value = 0n }: SignedCall): Hex {
  const key = fromHex(ACCOUNTS[account]?.privateKey ?? "0x");
  const fields = { nonce: BigInt(nonce), to, value, data, gasLimit, accessList: [] };
  const fees = { maxFeePerGas: 100n * GWEI, maxPriorityFeePerGas: GWEI };
  return toHex(signTransaction({ type: 2, chainId: BigInt(chainId), ...fields, ...fees }, key).raw);
}
