/** Signatures over messages: personal_sign (ERC-191 version 0x45) and typed data (EIP-712). */
import type { TypedDataDefinition } from "viem";
import { hashMessage, hashTypedData } from "viem/utils";
import { toChecksumAddress } from "../../primitives/address.ts";
import { bytesToBigInt, fromHex, type Hex } from "../../primitives/bytes.ts";
import { recoverAddress, SECP256K1_HALF_ORDER } from "../../primitives/secp256k1.ts";
import { resolveAddress } from "../account-names.ts";
import type { MessageFlags, SignFlags, VerifyFlags } from "../commands/accounts.ts";
import { senderOf } from "../options.ts";
import { note, printResult } from "../output.ts";
import { readText } from "../private-file.ts";
import { openSigner, serializeSignature } from "../signer.ts";
import { WalletError } from "../wallet-error.ts";

export async function sign(message: string, flags: SignFlags): Promise<void> {
  const digest = digestOf(message, flags);
  const signer = await openSigner(senderOf(flags), flags);
  const signature = serializeSignature(signer.sign(digest));
  printResult(flags.json, { address: toChecksumAddress(signer.address), digest, signature }, [signature]);
}

/** @throws WalletError (failure) when another account signed, or nobody. */
export async function verify(message: string, signature: string, flags: VerifyFlags): Promise<void> {
  const claimed = await resolveAddress(flags.address, flags.keystore);
  const signer = recoverSigner(digestOf(message, flags), signature);
  if (signer !== claimed) {
    const who = signer === undefined ? "it is no account's" : `${toChecksumAddress(signer)} signed`;
    throw new WalletError("failure", `the signature is not ${toChecksumAddress(claimed)}'s: ${who}`);
  }
  note("the signature is right");
  printResult(flags.json, { address: toChecksumAddress(claimed), valid: true }, [toChecksumAddress(claimed)]);
}

function recoverSigner(digest: Hex, text: string) {
  if (!/^0x[0-9a-fA-F]{130}$/.test(text)) {
    throw new WalletError("usage", "a signature has 65 bytes (0x and 130 hex digits)");
  }
  const bytes = fromHex(text);
  const v = bytes[64] ?? 0;
  const s = bytesToBigInt(bytes.subarray(32, 64));
  // The other s of the same signature would verify too; contracts that follow EIP-2 refuse it.
  if (s > SECP256K1_HALF_ORDER) return undefined;
  return recoverAddress(fromHex(digest), bytesToBigInt(bytes.subarray(0, 32)), s, v >= 27 ? v - 27 : v);
}

/** The 32 bytes that are signed. @throws WalletError (usage) */
function digestOf(message: string, { data, fromFile, hash }: MessageFlags): Hex {
  if (data) return typedDataDigest(fromFile ? readText(message, "the typed data", "usage") : message);
  if (fromFile) throw new WalletError("usage", "--from-file goes with --data");
  if (hash) return hashMessage(isHex(message) ? { raw: message } : message);
  if (/^0x[0-9a-fA-F]{64}$/.test(message)) return message as Hex;
  throw new WalletError("usage", "with --no-hash the message is a 32-byte digest");
}

/** Messages that start with 0x are bytes, as in cast. */
function isHex(message: string): message is Hex {
  if (!message.startsWith("0x")) return false;
  if (/^0x([0-9a-fA-F]{2})*$/.test(message)) return true;
  throw new WalletError("usage", "a message that starts with 0x is bytes, and these are no hex digits");
}

function typedDataDigest(text: string): Hex {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new WalletError("usage", "the typed data is not JSON", { cause });
  }
  try {
    return hashTypedData(value as TypedDataDefinition);
  } catch (cause) {
    const [reason] = cause instanceof Error ? cause.message.split("\n") : [];
    throw new WalletError("usage", `the typed data does not fit its types: ${reason ?? "unknown"}`, {
      cause,
    });
  }
}
