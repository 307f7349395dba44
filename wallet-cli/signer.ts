/** Who signs: a development account, or an account of the keystore folder. */
import { type Address, bigIntToBytes, concatBytes, fromHex, type Hex, toHex } from "../primitives/bytes.ts";
import { privateKeyToAddress, type RecoverableSignature, signRecoverable } from "../primitives/secp256k1.ts";
import { findDevAccount } from "./account-names.ts";
import { findAccount } from "./key-folder.ts";
import { decryptKeystore } from "./keystore.ts";
import { readText } from "./private-file.ts";
import { readPassword } from "./prompt.ts";

export type KeyOptions = { readonly keystore: string; readonly passwordFile?: string };

export type Signer = {
  readonly address: Address;
  /** Signs a 32-byte digest. */
  sign(digest: Hex): RecoverableSignature;
};

/**
 * The signer `from` names: `dev:0` … `dev:9`, or a name or address of the keystore folder.
 * @throws WalletError when there is no such account or the password is wrong.
 */
export async function openSigner(from: string, options: KeyOptions): Promise<Signer> {
  const dev = await findDevAccount(from);
  if (dev !== undefined) return signerOf(fromHex(dev.privateKey));
  const account = findAccount(options.keystore, from);
  const text = readText(account.path, "the keystore", "key");
  const password = await readPassword(options.passwordFile, `password of ${account.name}: `);
  return signerOf(decryptKeystore(text, password));
}

export function signerOf(privateKey: Uint8Array): Signer {
  return {
    address: privateKeyToAddress(privateKey),
    sign: (digest) => signRecoverable(fromHex(digest), privateKey),
  };
}

/** r ‖ s ‖ v with v 27 or 28, as personal_sign and eth_signTypedData answer. */
export function serializeSignature({ r, s, yParity }: RecoverableSignature): Hex {
  return toHex(concatBytes(bigIntToBytes(r, 32), bigIntToBytes(s, 32), Uint8Array.of(27 + yParity)));
}
