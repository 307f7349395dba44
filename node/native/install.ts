/** Puts the fast builds behind the primitives. Called once per thread, before anything is hashed or signed. */
import { setHasher } from "@chainsafe/persistent-merkle-tree";
import { hasher as batchHasher } from "@chainsafe/persistent-merkle-tree/hasher/hashtree";
import { useBlsBackend } from "../../primitives/bls.ts";
import { useHashBackend } from "../../primitives/hash.ts";
import { useSecp256k1Backend } from "../../primitives/secp256k1.ts";
import { blstBls } from "./bls.ts";
import { createHashBackend } from "./hashes.ts";
import { createSecp256k1Backend } from "./secp256k1.ts";

/** Which build serves what, for the log. */
export type InstalledBackends = {
  readonly keccak: "hash-wasm";
  readonly bls: "blst";
  readonly secp256k1: "libsecp256k1" | "noble";
};

export async function installNativeBackends(): Promise<InstalledBackends> {
  useHashBackend(await createHashBackend());
  useBlsBackend(blstBls);
  setHasher(batchHasher);
  const secp256k1 = createSecp256k1Backend();
  if (secp256k1 !== undefined) useSecp256k1Backend(secp256k1);
  return { keccak: "hash-wasm", bls: "blst", secp256k1: secp256k1 === undefined ? "noble" : "libsecp256k1" };
}
