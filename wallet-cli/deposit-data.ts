/** What a deposit is made of: key, credentials, amount and the key's signature. See specs/wallet/staking.md#deposits. */
import { z } from "zod";
import { DepositData, DepositMessage } from "../consensus/containers.ts";
import { computeDomain, computeSigningRoot, DOMAIN_DEPOSIT } from "../consensus/signing-root.ts";
import { blsSign, blsVerify } from "../primitives/bls.ts";
import { type Address, concatBytes, fromHex, toHex } from "../primitives/bytes.ts";
import { readText } from "./private-file.ts";
import type { ValidatorKey } from "./validator-key.ts";
import { WalletError } from "./wallet-error.ts";

export type Deposit = {
  readonly publicKey: Uint8Array;
  readonly credentials: Uint8Array;
  readonly amountGwei: bigint;
  readonly signature: Uint8Array;
};

const NO_CHAIN = new Uint8Array(32);
const COMPOUNDING_PREFIX = 2;
const ACCOUNT_PREFIX = 1;

/** Credentials that name an account: rewards are added to the stake, or paid out to it. */
export function credentialsOf(account: Address, isCompounding: boolean): Uint8Array {
  const prefix = Uint8Array.of(isCompounding ? COMPOUNDING_PREFIX : ACCOUNT_PREFIX);
  return concatBytes(prefix, new Uint8Array(11), fromHex(account));
}

/** @param forkVersion of the chain's first fork. */
export function signDeposit(
  { publicKey, secretKey }: ValidatorKey,
  credentials: Uint8Array,
  amountGwei: bigint,
  forkVersion: string,
): Deposit {
  const message = { pubkey: publicKey, withdrawalCredentials: credentials, amount: amountGwei };
  const signature = blsSign(secretKey, signingRoot(message, forkVersion));
  return { publicKey, credentials, amountGwei, signature };
}

export function depositDataRoot({ publicKey, credentials, amountGwei, signature }: Deposit): Uint8Array {
  return DepositData.hashTreeRoot({
    ...{ pubkey: publicKey, withdrawalCredentials: credentials },
    ...{ amount: amountGwei, signature },
  });
}

function signingRoot(message: DepositMessage, forkVersion: string): Uint8Array {
  return computeSigningRoot(
    DepositMessage,
    message,
    computeDomain(DOMAIN_DEPOSIT, fromHex(forkVersion), NO_CHAIN),
  );
}

const hex = (bytes: number) => z.string().regex(new RegExp(`^(0x)?[0-9a-fA-F]{${2 * bytes}}$`));
const DepositFile = z.array(
  z.object({
    pubkey: hex(48),
    withdrawal_credentials: hex(32),
    amount: z.int().positive(),
    signature: hex(96),
    deposit_data_root: hex(32),
    fork_version: hex(4),
  }),
);

/**
 * The deposits of a file that Ethereum's staking-deposit-cli writes, each checked: a deposit whose signature is wrong
 * would be lost.
 * @throws WalletError (file) for another file, (failure) for deposits that would be lost on this chain.
 */
export function readDepositFile(path: string, forkVersion: string): readonly Deposit[] {
  let value: unknown;
  try {
    value = JSON.parse(readText(path, "the deposits"));
  } catch (cause) {
    if (cause instanceof WalletError) throw cause;
    throw new WalletError("file", `${path} is no deposit data: it is not JSON`, { cause });
  }
  const parsed = DepositFile.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new WalletError("file", `${path} is no deposit data: ${issue?.path.join(".")}: ${issue?.message}`);
  }
  return parsed.data.map((entry, index) => {
    const bytes = (text: string) => fromHex(text.startsWith("0x") ? text : `0x${text}`);
    const deposit = {
      publicKey: bytes(entry.pubkey),
      credentials: bytes(entry.withdrawal_credentials),
      amountGwei: BigInt(entry.amount),
      signature: bytes(entry.signature),
    };
    const lost = (why: string) =>
      new WalletError("failure", `deposit ${index + 1} of ${path} would be lost: ${why}`);
    if (toHex(bytes(entry.fork_version)) !== forkVersion) {
      throw lost(
        `it was signed for the chain of fork version ${entry.fork_version}, this one has ${forkVersion}`,
      );
    }
    const message = {
      ...{ pubkey: deposit.publicKey, withdrawalCredentials: deposit.credentials },
      amount: deposit.amountGwei,
    };
    if (!blsVerify(deposit.publicKey, signingRoot(message, forkVersion), deposit.signature)) {
      throw lost("its signature is not its key's");
    }
    if (toHex(depositDataRoot(deposit)) !== toHex(bytes(entry.deposit_data_root))) {
      throw lost("its deposit_data_root is not the root of its fields");
    }
    return deposit;
  });
}
