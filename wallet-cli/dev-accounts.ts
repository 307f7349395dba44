/** The ten development accounts every Ethereum tool knows. Their keys are public: never use them for value. */
import { pbkdf2Sync } from "node:crypto";
import { HDKey } from "viem/accounts";
import type { Address, Hex } from "../primitives/bytes.ts";
import { toHex } from "../primitives/bytes.ts";
import { assert } from "../primitives/errors.ts";
import { privateKeyToAddress } from "../primitives/secp256k1.ts";

/** The ecosystem's public test mnemonic, as in anvil and Hardhat. */
export const DEV_MNEMONIC = "test test test test test test test test test test test junk";
export const DEV_ACCOUNT_COUNT = 10;

export type DevAccount = { readonly address: Address; readonly privateKey: Hex };

/** Accounts at m/44'/60'/0'/0/i (BIP-39 without passphrase, BIP-44). */
export function deriveDevAccounts(): readonly DevAccount[] {
  const seed = pbkdf2Sync(DEV_MNEMONIC, "mnemonic", 2048, 64, "sha512");
  const root = HDKey.fromMasterSeed(seed).derive("m/44'/60'/0'/0");
  return Array.from({ length: DEV_ACCOUNT_COUNT }, (_, index) => {
    const { privateKey } = root.deriveChild(index);
    assert(privateKey !== null, "a child of a private key has a private key");
    return { address: privateKeyToAddress(privateKey), privateKey: toHex(privateKey) };
  });
}
