import { deepEqual, equal, match, throws } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { bytesToUtf8, fromHex, toHex } from "../../primitives/bytes.ts";
import { deriveKey, masterKey } from "../../wallet-cli/key-derivation.ts";
import {
  createMnemonic,
  derivePrivateKey,
  mnemonicToSeed,
  parseMnemonic,
  WORD_COUNTS,
} from "../../wallet-cli/mnemonic.ts";
import type { WalletError } from "../../wallet-cli/wallet-error.ts";
import { readJson, vectorsPath } from "../support/vectors.ts";

const refused = (kind: string, pattern: RegExp) => (error: WalletError) => {
  equal(error.kind, kind);
  match(error.message, pattern);
  return true;
};

const BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/** Private key and chain code inside an "xprv…" text (BIP-32, "Serialization format"). */
function readExtendedKey(text: string) {
  const value = [...text].reduce((sum, digit) => sum * 58n + BigInt(BASE58.indexOf(digit)), 0n);
  const bytes = fromHex(`0x${value.toString(16).padStart(82 * 2, "0")}`);
  return { privateKey: bytes.slice(46, 78), chainCode: bytes.slice(13, 45) };
}

describe("mnemonics", () => {
  it("of BIP-39 come from their entropy and give their seed and root key", function () {
    type Vector = readonly [entropy: string, phrase: string, seed: string, xprv: string];
    const { english } = readJson<{ english: readonly Vector[] }>(vectorsPath(this, "bip39", "vectors.json"));
    equal(english.length, 24);
    for (const [entropy, phrase, seed, xprv] of english) {
      equal(createMnemonic(phrase.split(" ").length, fromHex(`0x${entropy}`)), phrase);
      equal(parseMnemonic(phrase), phrase);
      equal(toHex(mnemonicToSeed(phrase, "TREZOR")), `0x${seed}`);
      deepEqual(masterKey(fromHex(`0x${seed}`)), readExtendedKey(xprv));
    }
  });

  it("in ten languages give the seeds and keys ethers gives", function () {
    type Node = { readonly path: string; readonly privateKey: string; readonly chainCode: string };
    type Case = {
      locale: string;
      phrase: string;
      password: string;
      entropy: string;
      seed: string;
      nodes: Node[];
    };
    const packed = readFileSync(vectorsPath(this, "ethers-testcases", "testcases", "mnemonics.json.gz"));
    const cases = JSON.parse(gunzipSync(packed).toString()) as readonly Case[];
    equal(cases.length, 400);
    for (const { locale, phrase, password, entropy, seed, nodes } of cases) {
      const words = bytesToUtf8(fromHex(phrase));
      equal(toHex(mnemonicToSeed(words, bytesToUtf8(fromHex(password)))), seed);
      if (locale === "en") equal(createMnemonic(words.split(" ").length, fromHex(entropy)), words);
      for (const { path, privateKey, chainCode } of nodes) {
        const key = deriveKey(masterKey(fromHex(seed)), path);
        deepEqual([toHex(key.privateKey), toHex(key.chainCode)], [privateKey, chainCode]);
      }
    }
  });

  it("are read with any spacing and case, and refused without saying the words", () => {
    const phrase = createMnemonic(12, new Uint8Array(16));
    equal(parseMnemonic(`  ${phrase.toUpperCase().replaceAll(" ", "\n ")} `), phrase);
    throws(() => parseMnemonic("abandon"), refused("key", /this one has 1/));
    throws(
      () => parseMnemonic(phrase.replace("about", "secretword")),
      (error: WalletError) => refused("key", /word 12 /)(error) && !error.message.includes("secretword"),
    );
    throws(() => parseMnemonic(phrase.replace("about", "abandon")), refused("key", /checksum/));
  });

  it("have the length that was asked for and pass their own checksum", () => {
    fc.assert(
      fc.property(fc.constantFrom(...WORD_COUNTS), (words) => {
        const phrase = createMnemonic(words);
        equal(phrase.split(" ").length, words);
        equal(parseMnemonic(phrase), phrase);
      }),
    );
  });
});

describe("derived keys", () => {
  it("are those of BIP-32", function () {
    type Chain = { readonly path: string; readonly xprv: string };
    const { vectors } = readJson<{ vectors: readonly { seed: string; chains: readonly Chain[] }[] }>(
      vectorsPath(this, "derived", "bip32.json"),
    );
    // The fifth has no chains: it lists serialized keys that are invalid, a format the wallet does not read.
    const derivable = vectors.filter(({ chains }) => chains.length > 0);
    equal(derivable.length, 4);
    for (const { seed, chains } of derivable) {
      for (const { path, xprv } of chains) {
        deepEqual(deriveKey(masterKey(fromHex(`0x${seed}`)), path), readExtendedKey(xprv), path);
      }
    }
  });

  it("need a path", () => {
    const seed = new Uint8Array(64).fill(1);
    equal(toHex(derivePrivateKey(seed, "m/44h/60H")), toHex(derivePrivateKey(seed, "m/44'/60'")));
    for (const path of ["", "44'/60'", "m/", "m/-1", "m/x", "m/2147483648", "m//0"]) {
      throws(() => derivePrivateKey(seed, path), refused("usage", /derivation/), path);
    }
  });
});
