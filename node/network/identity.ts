/** The node's libp2p identity: an ed25519 key that survives restarts. See specs/network/peers.md#identity */
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { generateKeyPairFromSeed } from "@libp2p/crypto/keys";
import type { Ed25519PrivateKey } from "@libp2p/interface";
import { fromHexOfLength, toHex } from "../../primitives/bytes.ts";
import { makeFolder } from "../make-folder.ts";

export type NetworkIdentity = Ed25519PrivateKey;

/** Name of the key file in the data directory: 32 bytes as hex, readable by its owner only. */
export const IDENTITY_FILE = "network-key";
const SEED_BYTES = 32;

/**
 * The identity kept in `directory`, created on the first start.
 * @throws BytesError when the file is there but does not hold a key; it is never overwritten.
 */
export async function loadIdentity(directory: string): Promise<NetworkIdentity> {
  const path = join(directory, IDENTITY_FILE);
  makeFolder(directory);
  try {
    // "wx" creates or fails, so that two processes cannot both believe that they made the key.
    writeFileSync(path, `${toHex(randomBytes(SEED_BYTES))}\n`, { flag: "wx", mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  return generateKeyPairFromSeed("Ed25519", fromHexOfLength(readFileSync(path, "utf8").trim(), SEED_BYTES));
}

/** An identity that lives as long as the process. */
export async function createIdentity(): Promise<NetworkIdentity> {
  return generateKeyPairFromSeed("Ed25519", randomBytes(SEED_BYTES));
}
