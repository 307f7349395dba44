/** The secret that clients of the keymanager API must show. See specs/node/keymanager.md#token. */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { toHex } from "../../primitives/bytes.ts";
import { KeyringError } from "./keyring.ts";
import { writePrivateFile, wrongModeOf } from "./private-file.ts";

/** Name of the file in the node's folder, unless another is given. */
export const TOKEN_FILE = "keymanager-token";
/** 256 bits, the least the API's description allows. */
const TOKEN_BYTES = 32;
const TOKEN = /^(0x)?[0-9a-fA-F]{64,1024}$/;

/**
 * The token in `file`, or in the node's folder, where the first start makes one.
 * @throws KeyringError when it cannot be read, is open to others, or is no token; it is never replaced.
 */
export async function loadToken(directory: string, file: string | undefined): Promise<string> {
  const path = file ?? join(directory, TOKEN_FILE);
  const text = readToken(path, file === undefined);
  if (text !== undefined) return checkedToken(path, text);
  const token = toHex(randomBytes(TOKEN_BYTES));
  await writePrivateFile(path, `${token}\n`);
  return token;
}

function readToken(path: string, mayBeMissing: boolean): string | undefined {
  try {
    const text = readFileSync(path, "utf8").trim();
    const wrong = wrongModeOf(path, "secret");
    if (wrong !== undefined) throw new KeyringError(wrong);
    return text;
  } catch (cause) {
    if (cause instanceof KeyringError) throw cause;
    if (mayBeMissing && (cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new KeyringError(`cannot read the keymanager's token: ${reason}`, { cause });
  }
}

function checkedToken(path: string, text: string): string {
  if (TOKEN.test(text)) return text;
  throw new KeyringError(`${path} holds no token: expected at least ${TOKEN_BYTES} bytes of hex on one line`);
}

/** What an Authorization header shows. Comparing takes as long for a token that is nearly right. */
export function createTokenCheck(token: string): (header: string | undefined) => "right" | "wrong" | "none" {
  const expected = digest(token);
  return (header) => {
    const [, given] = /^Bearer +(\S+)$/i.exec(header ?? "") ?? [];
    if (given === undefined) return "none";
    return timingSafeEqual(digest(given), expected) ? "right" : "wrong";
  };
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
