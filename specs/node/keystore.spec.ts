import { equal, rejects, throws } from "node:assert/strict";
import {
  decryptKeystore,
  decryptKeystoreInBackground,
  encryptKeystore,
  type KeystoreError,
  parseKeystore,
} from "../../keys/keystore.ts";
import { blsPublicKey } from "../../primitives/bls.ts";
import { bigIntToBytes, toHex } from "../../primitives/bytes.ts";
import { interopSecretKey } from "../../primitives/interop-keys.ts";
import { readJson, vectorsPath } from "../support/vectors.ts";

const code = (expected: string) => (error: KeystoreError) => error.detail.code === expected;

describe("EIP-2335 keystores", () => {
  it("of the standard decrypt to its secret, with scrypt and with PBKDF2", async function () {
    type Vectors = { password: string; secret: string; keystores: unknown[] };
    const vectors = readJson<Vectors>(vectorsPath(this, "derived", "erc2335.json"));
    for (const keystore of vectors.keystores) {
      const parsed = parseKeystore(JSON.stringify(keystore));
      equal(toHex(decryptKeystore(parsed, vectors.password)), vectors.secret);
      equal(toHex(await decryptKeystoreInBackground(parsed, vectors.password)), vectors.secret);
      await rejects(decryptKeystoreInBackground(parsed, "wrong"), code("KEYSTORE_WRONG_PASSWORD"));
    }
    equal(vectors.keystores.length, 2);
  });

  it("come back from what we write, whatever control codes the password has", () => {
    const secretKey = bigIntToBytes(12345n, 32);
    const keystore = parseKeystore(
      JSON.stringify(encryptKeystore(secretKey, "pass\u0007 wörd", "m/12381/3600/0/0/0")),
    );
    equal(toHex(decryptKeystore(keystore, "pass wörd")), toHex(secretKey));
    const other = { ...keystore, pubkey: "ab".repeat(48) };
    throws(() => decryptKeystore(other, "pass wörd"), code("KEYSTORE_OTHER_PUBLIC_KEY"));
  });

  it("are refused with a reason when they are something else or ask for too much", () => {
    throws(() => parseKeystore("{"), code("KEYSTORE_NOT_JSON"));
    throws(() => parseKeystore("[]"), code("KEYSTORE_NOT_EIP2335"));
    const kdf = (n: number) => ({
      function: "scrypt" as const,
      params: { dklen: 32 as const, n, p: 1, r: 8, salt: "00" },
      message: "" as const,
    });
    const greedy = {
      crypto: {
        kdf: kdf(2 ** 30),
        checksum: { function: "sha256" as const, params: {}, message: "" },
        cipher: {
          function: "aes-128-ctr" as const,
          params: { iv: "00".repeat(16) },
          message: "00".repeat(32),
        },
      },
      path: "",
      uuid: "",
      version: 4 as const,
    };
    throws(() => decryptKeystore(parseKeystore(JSON.stringify(greedy)), ""), code("KEYSTORE_TOO_COSTLY"));
    const odd = JSON.stringify({ ...greedy, crypto: { ...greedy.crypto, kdf: kdf(3) } });
    throws(() => parseKeystore(odd), code("KEYSTORE_NOT_EIP2335"));
  });
});

describe("well-known development keys", () => {
  it("are those of the other clients", () => {
    equal(toHex(interopSecretKey(0)), "0x25295f0d1d592a90b333e26e85149708208e9f8e8bc18f6c77bd62f8ad7a6866");
    equal(
      toHex(blsPublicKey(interopSecretKey(0))),
      "0xa99a76ed7796f7be22d5b7e85deeb7c5677e88e511e0b337618f8c4eb61349b4bf2d153f649f7b53359fe8b94a38e44c",
    );
  });
});
