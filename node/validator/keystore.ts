/** Encrypted validator keys on disk (EIP-2335, version 4). See specs/node/validator-keys.md. */
import {
  createCipheriv,
  createDecipheriv,
  pbkdf2Sync,
  randomBytes,
  randomUUID,
  scryptSync,
} from "node:crypto";
import { z } from "zod";
import { blsPublicKey } from "../../primitives/bls.ts";
import { equalBytes, fromHex, toHex, utf8ToBytes } from "../../primitives/bytes.ts";
import { CodedError } from "../../primitives/errors.ts";
import { sha256 } from "../../primitives/hash.ts";

export class KeystoreError extends CodedError<{
  readonly code:
    | "KEYSTORE_NOT_JSON"
    | "KEYSTORE_NOT_EIP2335"
    | "KEYSTORE_TOO_COSTLY"
    | "KEYSTORE_WRONG_PASSWORD"
    | "KEYSTORE_OTHER_PUBLIC_KEY";
  readonly reason?: string;
}> {}

/** The most memory a keystore may ask for: scrypt takes 128 · N · r bytes. The standard's own parameters take 256 MiB. */
export const SCRYPT_MEMORY_LIMIT_BYTES = 512 * 1024 * 1024;
export const PBKDF2_ITERATIONS_LIMIT = 10_000_000;

const hex = z.string().regex(/^(?:[0-9a-f]{2})*$/i);
const scrypt = z.object({
  function: z.literal("scrypt"),
  params: z.object({
    dklen: z.literal(32),
    n: z.int().positive(),
    p: z.int().positive().max(16),
    r: z.int().positive(),
    salt: hex,
  }),
  message: z.literal(""),
});
const pbkdf2 = z.object({
  function: z.literal("pbkdf2"),
  params: z.object({ dklen: z.literal(32), c: z.int().positive(), prf: z.literal("hmac-sha256"), salt: hex }),
  message: z.literal(""),
});
const Keystore = z.object({
  crypto: z.object({
    kdf: z.discriminatedUnion("function", [scrypt, pbkdf2]),
    checksum: z.object({ function: z.literal("sha256"), params: z.object({}), message: hex }),
    cipher: z.object({
      function: z.literal("aes-128-ctr"),
      params: z.object({ iv: hex.length(32) }),
      message: hex.length(64),
    }),
  }),
  description: z.string().optional(),
  pubkey: hex.length(96).optional(),
  path: z.string(),
  uuid: z.string(),
  version: z.literal(4),
});
export type Keystore = z.infer<typeof Keystore>;

/** @throws KeystoreError KEYSTORE_NOT_JSON or KEYSTORE_NOT_EIP2335 */
export function parseKeystore(text: string): Keystore {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new KeystoreError({ code: "KEYSTORE_NOT_JSON" }, { cause });
  }
  const parsed = Keystore.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new KeystoreError({
    code: "KEYSTORE_NOT_EIP2335",
    reason: `${issue?.path.join(".")}: ${issue?.message}`,
  });
}

/**
 * The secret key, 32 bytes.
 * @throws KeystoreError KEYSTORE_WRONG_PASSWORD, KEYSTORE_TOO_COSTLY, or KEYSTORE_OTHER_PUBLIC_KEY when the key
 *   inside is not the one the file names.
 */
export function decryptKeystore({ crypto, pubkey }: Keystore, password: string): Uint8Array {
  const derived = deriveKey(crypto.kdf, password);
  const encrypted = fromHex(`0x${crypto.cipher.message}`);
  const checksum = sha256(new Uint8Array([...derived.subarray(16, 32), ...encrypted]));
  if (!equalBytes(checksum, fromHex(`0x${crypto.checksum.message}`))) {
    throw new KeystoreError({ code: "KEYSTORE_WRONG_PASSWORD" });
  }
  const iv = fromHex(`0x${crypto.cipher.params.iv}`);
  const secretKey = new Uint8Array(
    createDecipheriv("aes-128-ctr", derived.subarray(0, 16), iv).update(encrypted),
  );
  if (pubkey !== undefined && toHex(blsPublicKey(secretKey)) !== `0x${pubkey.toLowerCase()}`) {
    throw new KeystoreError({ code: "KEYSTORE_OTHER_PUBLIC_KEY" });
  }
  return secretKey;
}

/** A keystore with the standard's scrypt parameters (N 2^18, r 8, p 1). */
export function encryptKeystore(secretKey: Uint8Array, password: string, path: string): Keystore {
  const params = { dklen: 32 as const, n: 2 ** 18, p: 1, r: 8, salt: randomBytes(32).toString("hex") };
  const kdf = { function: "scrypt" as const, params, message: "" as const };
  const derived = deriveKey(kdf, password);
  const iv = randomBytes(16);
  const encrypted = createCipheriv("aes-128-ctr", derived.subarray(0, 16), iv).update(secretKey);
  const checksum = sha256(new Uint8Array([...derived.subarray(16, 32), ...encrypted]));
  return {
    crypto: {
      kdf,
      checksum: { function: "sha256", params: {}, message: toHex(checksum).slice(2) },
      cipher: {
        function: "aes-128-ctr",
        params: { iv: iv.toString("hex") },
        message: encrypted.toString("hex"),
      },
    },
    pubkey: toHex(blsPublicKey(secretKey)).slice(2),
    path,
    uuid: randomUUID(),
    version: 4,
  };
}

function deriveKey(kdf: Keystore["crypto"]["kdf"], password: string): Uint8Array {
  const secret = passwordBytes(password);
  const salt = fromHex(`0x${kdf.params.salt}`);
  if (kdf.function === "pbkdf2") {
    if (kdf.params.c > PBKDF2_ITERATIONS_LIMIT) {
      throw new KeystoreError({ code: "KEYSTORE_TOO_COSTLY", reason: `${kdf.params.c} iterations` });
    }
    return pbkdf2Sync(secret, salt, kdf.params.c, 32, "sha256");
  }
  const { n, r, p } = kdf.params;
  const memory = 128 * n * r;
  if (memory > SCRYPT_MEMORY_LIMIT_BYTES) {
    throw new KeystoreError({ code: "KEYSTORE_TOO_COSTLY", reason: `scrypt with ${memory} bytes` });
  }
  return scryptSync(secret, salt, 32, { N: n, r, p, maxmem: 2 * memory + 1024 * 1024 });
}

/** EIP-2335, "Password requirements": NFKD, without C0, C1 and Delete control codes, UTF-8. */
function passwordBytes(password: string): Uint8Array {
  const kept = [...password.normalize("NFKD")].filter((character) => {
    const code = character.codePointAt(0) ?? 0;
    return code > 0x1f && !(code >= 0x7f && code <= 0x9f);
  });
  return utf8ToBytes(kept.join(""));
}
