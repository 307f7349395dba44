/** Word lists that are keys: BIP-39 phrases and BIP-32/44 derivation. See specs/wallet/wallet.md#mnemonics. */
import { pbkdf2Sync, randomBytes } from "node:crypto";
import { entropyToMnemonic, validateMnemonic } from "@scure/bip39";
import { wordlist } from "@scure/bip39/wordlists/english";
import { deriveChild, deriveKey, masterKey } from "./key-derivation.ts";
import { WalletError } from "./wallet-error.ts";

export const WORD_COUNTS = [12, 15, 18, 21, 24] as const;
/** BIP-44 for Ethereum's coin type, first account, external chain; the index follows. */
export const DEFAULT_DERIVATION_PATH = "m/44'/60'/0'/0";
/** BIP-39 stretches with this many rounds of HMAC-SHA512. */
const SEED_ITERATIONS = 2048;

/** A phrase of 12 to 24 words; 32 bits of entropy for every three words (BIP-39, "Generating the mnemonic"). */
export function createMnemonic(words: number, entropy: Uint8Array = randomBytes((words / 3) * 4)): string {
  return entropyToMnemonic(new Uint8Array(entropy), wordlist);
}

/**
 * The phrase in its plain form: English words, single spaces.
 * @throws WalletError (key) naming the word that is not in the list, or saying that the checksum fails.
 */
export function parseMnemonic(text: string): string {
  const words = text.normalize("NFKD").trim().toLowerCase().split(/\s+/);
  if (!WORD_COUNTS.some((count) => count === words.length)) {
    throw new WalletError(
      "key",
      `a mnemonic has ${WORD_COUNTS.join(", ")} words; this one has ${words.length}`,
    );
  }
  // The word itself stays unsaid: what is shown here may end in a log, and the other words are right.
  const strange = words.findIndex((word) => !wordlist.includes(word));
  if (strange !== -1)
    throw new WalletError("key", `word ${strange + 1} of the mnemonic is not in the BIP-39 list`);
  const phrase = words.join(" ");
  if (validateMnemonic(phrase, wordlist)) return phrase;
  throw new WalletError("key", "the mnemonic's checksum is wrong: a word is mistaken or out of order");
}

/** The 64-byte seed of a phrase in any language (BIP-39, "From mnemonic to seed"). */
export function mnemonicToSeed(phrase: string, passphrase = ""): Uint8Array {
  const salt = `mnemonic${passphrase}`.normalize("NFKD");
  return new Uint8Array(pbkdf2Sync(phrase.normalize("NFKD"), salt, SEED_ITERATIONS, 64, "sha512"));
}

/** Private key at a path like `m/44'/60'/0'/0/0`. @throws WalletError (usage) when it is no path. */
export function derivePrivateKey(seed: Uint8Array, path: string): Uint8Array {
  return deriveKey(masterKey(seed), path).privateKey;
}

/** Private keys of the children 0 to `count` - 1 of the key at `path`, which is derived once. */
export function deriveChildren(seed: Uint8Array, path: string, count: number): readonly Uint8Array[] {
  const parent = deriveKey(masterKey(seed), path);
  return Array.from({ length: count }, (_, index) => deriveChild(parent, index).privateKey);
}
