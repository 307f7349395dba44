import { deepEqual, equal, throws } from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  deriveChildSecretKey,
  deriveMasterSecretKey,
  deriveSecretKey,
  KeyDerivationError,
  signingKeyPath,
} from "../../keys/key-derivation.ts";
import { decryptKeystore, parseKeystore } from "../../keys/keystore.ts";
import { blsPublicKey } from "../../primitives/bls.ts";
import { bytesToBigInt, fromHex, toHex } from "../../primitives/bytes.ts";
import { mnemonicToSeed } from "../../wallet-cli/mnemonic.ts";
import { runProgram } from "../support/program-run.ts";
import { withScratchDirectory } from "../support/scratch-directory.ts";
import { PROJECT_ROOT, vectorsPath } from "../support/vectors.ts";

const FOLDER = "eip2333-2335-staking-deposit-cli/tests/test_key_handling/test_key_derivation/test_vectors";
const WORDS = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";

/** Secret keys are numbers too large for JSON's: they are read as text. */
function readVectors<T>(context: Mocha.Context, file: string): T {
  const text = readFileSync(vectorsPath(context, FOLDER, file), "utf8");
  return JSON.parse(text.replace(/: (\d{16,})/g, ': "$1"')) as T;
}

type Case = { seed: string; master_SK: string; child_index: number; child_SK: string };

describe("validator keys of a seed (EIP-2333, EIP-2334)", () => {
  it("are those of the EIP's test vectors", function () {
    const { kdf_tests } = readVectors<{ kdf_tests: readonly Case[] }>(this, "tree_kdf.json");
    const one = readVectors<Case & { mnemonic: string; password: string }>(
      this,
      "tree_kdf_intermediate.json",
    );
    equal(toHex(mnemonicToSeed(one.mnemonic, one.password)), `0x${one.seed.replace(/^0x/, "")}`);
    for (const { seed, master_SK, child_index, child_SK } of [...kdf_tests, one]) {
      const master = deriveMasterSecretKey(fromHex(`0x${seed.replace(/^0x/, "")}`));
      equal(bytesToBigInt(master), BigInt(master_SK));
      equal(bytesToBigInt(deriveChildSecretKey(master, child_index)), BigInt(child_SK));
    }
    equal(kdf_tests.length, 4);
  });

  it("have a path without hardened steps, and a seed of 32 bytes at least", () => {
    const seed = new Uint8Array(32).fill(7);
    const steps = [12381, 3600, 2, 0, 0];
    deepEqual(
      deriveSecretKey(seed, signingKeyPath(2)),
      steps.reduce(deriveChildSecretKey, deriveMasterSecretKey(seed)),
    );
    const code = (expected: string) => (error: unknown) =>
      error instanceof KeyDerivationError && error.detail.code === expected;
    for (const path of ["", "12381/0", "m/0'", "m/-1", "m/4294967296", "m//0"])
      throws(() => deriveSecretKey(seed, path), code("PATH_INVALID"));
    throws(() => deriveSecretKey(new Uint8Array(31), "m/0"), code("SEED_TOO_SHORT"));
  });

  it("come back from their words: jurat-wallet staking key --mnemonic-file", async function () {
    this.timeout(60_000);
    await withScratchDirectory(async (dir) => {
      writeFileSync(join(dir, "words"), `${WORDS}\n`, { mode: 0o600 });
      writeFileSync(join(dir, "password"), "secret\n", { mode: 0o600 });
      const { code, stdout, stderr } = await runProgram(process.execPath, [
        ...[join(PROJECT_ROOT, "dist/wallet-cli/main.js"), "staking", "key", "--out", join(dir, "keys")],
        ...["--mnemonic-file", join(dir, "words"), "--mnemonic-index", "3", "--json"],
        ...["--key-password-file", join(dir, "password")],
      ]);
      equal(code, 0, stderr);
      const { publicKey, path } = JSON.parse(stdout) as { publicKey: string; path: string };
      const secretKey = deriveSecretKey(mnemonicToSeed(WORDS), "m/12381/3600/3/0/0");
      equal(publicKey, toHex(blsPublicKey(secretKey)));
      const keystore = parseKeystore(readFileSync(path, "utf8"));
      equal(keystore.path, "m/12381/3600/3/0/0");
      deepEqual(decryptKeystore(keystore, "secret"), secretKey);
    });
  });
});
