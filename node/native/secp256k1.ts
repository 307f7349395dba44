/** libsecp256k1 by its prebuilt Node addon. */
import { createRequire } from "node:module";
import type { Secp256k1Backend } from "../../primitives/secp256k1.ts";

type Addon = {
  ecdsaSign(hash: Uint8Array, privateKey: Uint8Array): { signature: Uint8Array; recid: number };
  ecdsaRecover(signature: Uint8Array, recovery: number, hash: Uint8Array, compressed: boolean): Uint8Array;
  publicKeyCreate(privateKey: Uint8Array, compressed: boolean): Uint8Array;
};

/**
 * Undefined where no prebuilt addon exists. The package's main entry would silently fall back to
 * elliptic, slower than noble; its bindings entry throws instead.
 */
export function createSecp256k1Backend(): Secp256k1Backend | undefined {
  let addon: Addon;
  try {
    addon = createRequire(import.meta.url)("secp256k1/bindings.js") as Addon;
  } catch {
    return undefined;
  }
  return {
    sign(hash, privateKey) {
      const { signature, recid } = addon.ecdsaSign(hash, privateKey);
      return { signature, recovery: recid };
    },
    recover(hash, signature, recovery) {
      try {
        return addon.ecdsaRecover(signature, recovery, hash, false);
      } catch {
        // The addon throws plain errors for values out of range and for points that do not exist.
        return undefined;
      }
    },
    publicKey: (privateKey) => addon.publicKeyCreate(privateKey, false),
  };
}
