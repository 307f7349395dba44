/** Keystores that take no time to open, so that as many damaged ones can be tried as of anything else. */
import { createCipheriv, createHash, pbkdf2Sync, scryptSync } from "node:crypto";
import { PBKDF2_ITERATIONS_LIMIT } from "../../../keys/keystore.ts";
import { utf8ToBytes } from "../../../primitives/bytes.ts";

export const PASSWORD = "a password";
export const secret = new Uint8Array(32).fill(7);

const KDF = {
  pbkdf2: { function: "pbkdf2", params: { dklen: 32, c: 2, prf: "hmac-sha256" } },
  scrypt: { function: "scrypt", params: { dklen: 32, n: 2, r: 1, p: 1 } },
} as const;

/** EIP-2335 with two rounds of work, where a real one has a quarter of a million. */
export function validatorKeystore(name: keyof typeof KDF): Uint8Array {
  const kdf = KDF[name];
  const salt = new Uint8Array(32).fill(1);
  const iv = new Uint8Array(16).fill(2);
  const derived =
    kdf.function === "pbkdf2"
      ? pbkdf2Sync(PASSWORD, salt, kdf.params.c, 32, "sha256")
      : scryptSync(PASSWORD, salt, 32, { N: kdf.params.n, r: kdf.params.r, p: kdf.params.p });
  const message = createCipheriv("aes-128-ctr", derived.subarray(0, 16), iv).update(secret);
  const checksum = createHash("sha256").update(derived.subarray(16)).update(message).digest();
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
  const crypto = {
    kdf: { ...kdf, params: { ...kdf.params, salt: hex(salt) }, message: "" },
    checksum: { function: "sha256", params: {}, message: hex(checksum) },
    cipher: { function: "aes-128-ctr", params: { iv: hex(iv) }, message: hex(message) },
  };
  const rest = { path: "m/12381/3600/0/0/0", uuid: "1d85ae20-35c5-4611-98e8-aa14a633906f", version: 4 };
  return utf8ToBytes(JSON.stringify({ crypto, ...rest }));
}

type KdfParams = Readonly<Partial<Record<"c" | "n" | "r" | "p", number>>>;

/** Work that takes no time. */
const QUICK_WORK = 1 << 10;
/** More than any keystore may ask for: refused before anything is derived, which takes no time either. */
const REFUSED_WORK = 16 * PBKDF2_ITERATIONS_LIMIT;

/** Whether a damaged number asks for work that is allowed and only wastes the campaign's time. */
export function isSlow({ c = 1, n = 1, r = 1, p = 1 }: KdfParams): boolean {
  const work = c * n * r * p;
  return work > QUICK_WORK && work <= REFUSED_WORK;
}

export function walletKdfParams(text: string): KdfParams {
  try {
    const file = JSON.parse(text);
    return (file.crypto ?? file.Crypto).kdfparams ?? {};
  } catch {
    return {};
  }
}
