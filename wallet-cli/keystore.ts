/** Encrypted account keys: Web3 Secret Storage, version 3, as geth, cast and MetaMask read and write it. */
import {
  createCipheriv,
  createDecipheriv,
  pbkdf2Sync,
  randomBytes,
  randomUUID,
  scryptSync,
} from "node:crypto";
import { scrypt as nobleScrypt } from "@noble/hashes/scrypt.js";
import { z } from "zod";
import { concatBytes, equalBytes, fromHex, toHex } from "../primitives/bytes.ts";
import { keccak256 } from "../primitives/hash.ts";
import { isValidPrivateKey, privateKeyToAddress } from "../primitives/secp256k1.ts";
import { WalletError } from "./wallet-error.ts";

/** The most work a file may ask for: scrypt takes 128 · N · r bytes; geth's standard takes 256 MiB. */
export const SCRYPT_MEMORY_LIMIT_BYTES = 512 * 1024 * 1024;
export const PBKDF2_ITERATIONS_LIMIT = 10_000_000;
/** geth's "light" N for accounts of no value, and its standard. */
export const SCRYPT_N = { light: 4096, standard: 262_144 } as const;

const hex = z
  .string()
  .regex(/^(?:0x)?(?:[0-9a-f]{2})*$/i)
  .transform((text) => fromHex(text.startsWith("0x") ? text : `0x${text}`));
const scrypt = z.object({
  kdf: z.literal("scrypt"),
  kdfparams: z.object({
    dklen: z.int().min(32).max(64),
    n: z.int().min(2),
    r: z.int().min(1),
    p: z.int().min(1).max(16),
    salt: hex,
  }),
});
const pbkdf2 = z.object({
  kdf: z.literal("pbkdf2"),
  kdfparams: z.object({
    dklen: z.int().min(32).max(64),
    c: z.int().min(1),
    prf: z.literal("hmac-sha256"),
    salt: hex,
  }),
});
const cipher = z.object({
  cipher: z.literal("aes-128-ctr"),
  cipherparams: z.object({ iv: hex.refine((iv) => iv.length === 16, "expected 16 bytes") }),
  ciphertext: hex,
  mac: hex,
});
const crypto = z.discriminatedUnion("kdf", [scrypt, pbkdf2]).and(cipher);
/** Some writers spell the field "Crypto". */
const KeystoreFile = z
  .object({ version: z.literal(3), crypto: crypto.optional(), Crypto: crypto.optional() })
  .transform((file) => file.crypto ?? file.Crypto);

type Crypto = z.infer<typeof crypto>;

/**
 * The private key inside a keystore file's text.
 *
 * geth and cast take a password's bytes as they are typed, ethers and MetaMask its NFKC form: where the two
 * differ, both are tried.
 * @throws WalletError (key) when the text is no version 3 keystore, asks for too much work, or the password is wrong.
 */
export function decryptKeystore(text: string, password: string): Uint8Array {
  const file = parse(text);
  const spellings = new Set([password, password.normalize("NFKC")]);
  for (const spelling of spellings) {
    const derived = deriveKey(file, spelling);
    const mac = keccak256(concatBytes(derived.subarray(16, 32), file.ciphertext));
    if (!equalBytes(mac, file.mac)) continue;
    const decipher = createDecipheriv("aes-128-ctr", derived.subarray(0, 16), file.cipherparams.iv);
    const privateKey = new Uint8Array(decipher.update(file.ciphertext));
    if (isValidPrivateKey(privateKey)) return privateKey;
    throw new WalletError("key", "the keystore holds no valid private key");
  }
  throw new WalletError("key", "wrong password");
}

function parse(text: string): Crypto {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new WalletError("key", "the keystore file is damaged: it is not JSON", { cause });
  }
  const parsed = KeystoreFile.safeParse(value);
  if (parsed.success && parsed.data !== undefined) return parsed.data;
  const [issue] = parsed.error?.issues ?? [];
  const where = issue === undefined ? "crypto is missing" : `${issue.path.join(".")}: ${issue.message}`;
  throw new WalletError("key", `the file is no version 3 keystore (${where})`);
}

/** Text of a keystore file for `privateKey`. */
export function encryptKeystore(
  privateKey: Uint8Array,
  password: string,
  n: number = SCRYPT_N.standard,
): string {
  const salt = randomBytes(32);
  const iv = randomBytes(16);
  const kdfparams = { dklen: 32, n, r: 8, p: 1 };
  const derived = scryptSync(password, salt, 32, scryptOptions(n, 8, 1));
  const ciphertext = createCipheriv("aes-128-ctr", derived.subarray(0, 16), iv).update(privateKey);
  const mac = keccak256(concatBytes(derived.subarray(16, 32), ciphertext));
  const file = {
    address: privateKeyToAddress(privateKey).slice(2),
    crypto: {
      cipher: "aes-128-ctr",
      cipherparams: { iv: iv.toString("hex") },
      ciphertext: ciphertext.toString("hex"),
      kdf: "scrypt",
      kdfparams: { ...kdfparams, salt: salt.toString("hex") },
      mac: toHex(mac).slice(2),
    },
    id: randomUUID(),
    version: 3,
  };
  return `${JSON.stringify(file)}\n`;
}

function deriveKey(file: Crypto, secret: string): Uint8Array {
  if (file.kdf === "pbkdf2") {
    const { c, dklen, salt } = file.kdfparams;
    if (c > PBKDF2_ITERATIONS_LIMIT) throw new WalletError("key", `the keystore asks for ${c} PBKDF2 rounds`);
    return pbkdf2Sync(secret, salt, c, dklen, "sha256");
  }
  const { n, r, p, dklen, salt } = file.kdfparams;
  if (128 * n * r > SCRYPT_MEMORY_LIMIT_BYTES || (n & (n - 1)) !== 0) {
    throw new WalletError("key", `the keystore asks for scrypt with N=${n} r=${r}, which is refused`);
  }
  // OpenSSL holds to RFC 7914's N < 2^(16 r), which files written by early geth (N 262144, r 1) break.
  if (n >= 2 ** (16 * r))
    return nobleScrypt(secret, salt, { N: n, r, p, dkLen: dklen, maxmem: SCRYPT_MEMORY_LIMIT_BYTES * 2 });
  return scryptSync(secret, salt, dklen, scryptOptions(n, r, p));
}

function scryptOptions(n: number, r: number, p: number) {
  return { N: n, r, p, maxmem: 128 * n * r + 128 * r * p + 1024 * 1024 };
}
