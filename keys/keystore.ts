/** Encrypted validator keys on disk (EIP-2335, version 4). See specs/node/validator-keys.md. */
import {
  createCipheriv,
  createDecipheriv,
  pbkdf2,
  pbkdf2Sync,
  randomBytes,
  randomUUID,
  type ScryptOptions,
  scrypt,
  scryptSync,
} from "node:crypto";
import { promisify } from "node:util";
import { z } from "zod";
import { BlsError, blsPublicKey } from "../primitives/bls.ts";
import { equalBytes, fromHex, toHex, utf8ToBytes } from "../primitives/bytes.ts";
import { CodedError } from "../primitives/errors.ts";
import { sha256 } from "../primitives/hash.ts";

export class KeystoreError extends CodedError<{
  readonly code:
    | "KEYSTORE_NOT_JSON"
    | "KEYSTORE_NOT_EIP2335"
    | "KEYSTORE_TOO_COSTLY"
    | "KEYSTORE_WRONG_PASSWORD"
    | "KEYSTORE_INVALID_KEY"
    | "KEYSTORE_OTHER_PUBLIC_KEY";
  readonly reason?: string;
}> {}

/** What is wrong with a keystore, for whoever owns it. */
export function describeKeystoreFault({ code, reason }: KeystoreError["detail"]): string {
  const texts: Readonly<Record<typeof code, string>> = {
    KEYSTORE_NOT_JSON: "the file is damaged: it is not JSON",
    KEYSTORE_NOT_EIP2335: `the file is no validator keystore (EIP-2335): ${reason}`,
    KEYSTORE_TOO_COSTLY: `the file asks for more work than any honest one: ${reason}`,
    KEYSTORE_WRONG_PASSWORD: "wrong password",
    KEYSTORE_INVALID_KEY: "what the file holds is no BLS secret key",
    KEYSTORE_OTHER_PUBLIC_KEY: "the key in it is not the one it names: the file was tampered with",
  };
  return texts[code];
}

/** The most memory a keystore may ask for: scrypt takes 128 · r · (N + p) bytes, 256 MiB by the standard. */
export const SCRYPT_MEMORY_LIMIT_BYTES = 512 * 1024 * 1024;
export const PBKDF2_ITERATIONS_LIMIT = 10_000_000;

const hex = z.string().regex(/^(?:[0-9a-f]{2})*$/i);
const scryptFields = z.object({
  function: z.literal("scrypt"),
  params: z.object({
    dklen: z.literal(32),
    n: z.int().refine((n) => n > 1 && Number.isInteger(Math.log2(n)), "expected a power of two"),
    p: z.int().positive().max(16),
    r: z.int().positive(),
    salt: hex,
  }),
  message: z.literal(""),
});
const pbkdf2Fields = z.object({
  function: z.literal("pbkdf2"),
  params: z.object({ dklen: z.literal(32), c: z.int().positive(), prf: z.literal("hmac-sha256"), salt: hex }),
  message: z.literal(""),
});
const Keystore = z.object({
  crypto: z.object({
    kdf: z.discriminatedUnion("function", [scryptFields, pbkdf2Fields]),
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

const scryptInBackground = promisify<Uint8Array, Uint8Array, number, ScryptOptions, Buffer>(scrypt);
const pbkdf2InBackground = promisify(pbkdf2);

/**
 * The secret key, 32 bytes. Takes the better part of a second, as it is meant to.
 * @throws KeystoreError KEYSTORE_WRONG_PASSWORD, KEYSTORE_TOO_COSTLY, KEYSTORE_INVALID_KEY, or KEYSTORE_OTHER_PUBLIC_KEY when the key
 *   inside is not the one the file names.
 */
export function decryptKeystore(keystore: Keystore, password: string): Uint8Array {
  return openWith(keystore, deriveKey(keystore.crypto.kdf, password));
}

/** As decryptKeystore, without holding up the thread: a node decrypts keys while it votes. */
export async function decryptKeystoreInBackground(keystore: Keystore, password: string): Promise<Uint8Array> {
  const work = workOf(keystore.crypto.kdf, password);
  const derived =
    work.kind === "pbkdf2"
      ? await pbkdf2InBackground(work.secret, work.salt, work.iterations, DERIVED_BYTES, "sha256")
      : await scryptInBackground(work.secret, work.salt, DERIVED_BYTES, work.options);
  return openWith(keystore, derived);
}

function openWith({ crypto, pubkey }: Keystore, derived: Uint8Array): Uint8Array {
  const encrypted = fromHex(`0x${crypto.cipher.message}`);
  const checksum = sha256(new Uint8Array([...derived.subarray(16, 32), ...encrypted]));
  if (!equalBytes(checksum, fromHex(`0x${crypto.checksum.message}`))) {
    throw new KeystoreError({ code: "KEYSTORE_WRONG_PASSWORD" });
  }
  const iv = fromHex(`0x${crypto.cipher.params.iv}`);
  const secretKey = new Uint8Array(
    createDecipheriv("aes-128-ctr", derived.subarray(0, 16), iv).update(encrypted),
  );
  const publicKey = publicKeyOf(secretKey);
  if (pubkey !== undefined && publicKey !== `0x${pubkey.toLowerCase()}`) {
    throw new KeystoreError({ code: "KEYSTORE_OTHER_PUBLIC_KEY" });
  }
  return secretKey;
}

function publicKeyOf(secretKey: Uint8Array): string {
  try {
    return toHex(blsPublicKey(secretKey));
  } catch (cause) {
    if (!(cause instanceof BlsError)) throw cause;
    throw new KeystoreError({ code: "KEYSTORE_INVALID_KEY" }, { cause });
  }
}

/** The standard's scrypt cost N; r is 8 and p is 1. */
export const STANDARD_COST = 2 ** 18;

/** @param cost a power of two; less than the standard's only for keys that are worth nothing. */
export function encryptKeystore(
  secretKey: Uint8Array,
  password: string,
  path: string,
  cost = STANDARD_COST,
): Keystore {
  const params = { dklen: 32 as const, n: cost, p: 1, r: 8, salt: randomBytes(32).toString("hex") };
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

const DERIVED_BYTES = 32;

function deriveKey(kdf: Keystore["crypto"]["kdf"], password: string): Uint8Array {
  const work = workOf(kdf, password);
  return work.kind === "pbkdf2"
    ? pbkdf2Sync(work.secret, work.salt, work.iterations, DERIVED_BYTES, "sha256")
    : scryptSync(work.secret, work.salt, DERIVED_BYTES, work.options);
}

type Work = { readonly secret: Uint8Array; readonly salt: Uint8Array } & (
  | { readonly kind: "pbkdf2"; readonly iterations: number }
  | { readonly kind: "scrypt"; readonly options: ScryptOptions }
);

/** What there is to compute, unless it is more than anyone honest asks for. @throws KeystoreError KEYSTORE_TOO_COSTLY */
function workOf(kdf: Keystore["crypto"]["kdf"], password: string): Work {
  const input = { secret: passwordBytes(password), salt: fromHex(`0x${kdf.params.salt}`) };
  if (kdf.function === "pbkdf2") {
    const { c: iterations } = kdf.params;
    if (iterations > PBKDF2_ITERATIONS_LIMIT) {
      throw new KeystoreError({ code: "KEYSTORE_TOO_COSTLY", reason: `${iterations} iterations` });
    }
    return { kind: "pbkdf2", iterations, ...input };
  }
  const { n, r, p } = kdf.params;
  const memory = 128 * r * (n + p);
  if (memory > SCRYPT_MEMORY_LIMIT_BYTES) {
    throw new KeystoreError({ code: "KEYSTORE_TOO_COSTLY", reason: `scrypt with ${memory} bytes` });
  }
  return { kind: "scrypt", options: { N: n, r, p, maxmem: 2 * memory + 1024 * 1024 }, ...input };
}

/** EIP-2335, "Password requirements": NFKD, without C0, C1 and Delete control codes, UTF-8. */
function passwordBytes(password: string): Uint8Array {
  const kept = [...password.normalize("NFKD")].filter((character) => {
    const code = character.codePointAt(0) ?? 0;
    return code > 0x1f && !(code >= 0x7f && code <= 0x9f);
  });
  return utf8ToBytes(kept.join(""));
}
