import { deepEqual, equal, match } from "node:assert/strict";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { toChecksumAddress } from "../../primitives/address.ts";
import { bigIntToBytes, toHex } from "../../primitives/bytes.ts";
import { privateKeyToAddress } from "../../primitives/secp256k1.ts";
import { encryptKeystore, SCRYPT_N } from "../../wallet-cli/keystore.ts";
import { castProgram } from "../support/cast.ts";
import { runProgram } from "../support/program-run.ts";
import { withScratchDirectory } from "../support/scratch-directory.ts";
import { PROJECT_ROOT } from "../support/vectors.ts";

const key = bigIntToBytes(0x1234_5678_9abcn, 32);
const address = toChecksumAddress(privateKeyToAddress(key));

/** The wallet as a person runs it, with settings of its own. */
const wallet = (directory: string, ...args: string[]) =>
  runProgram(process.execPath, [join(PROJECT_ROOT, "dist/wallet-cli/main.js"), ...args], {
    cwd: directory,
    env: { JURAT_CONFIG: join(directory, "config.json"), ETH_KEYSTORE: join(directory, "keys") },
  });

function prepare(directory: string): void {
  mkdirSync(join(directory, "keys"));
  writeFileSync(join(directory, "key"), toHex(key), { mode: 0o600 });
  writeFileSync(join(directory, "password"), "pässword\n", { mode: 0o600 });
}

describe("keystores and signatures, ours and cast's", function () {
  this.timeout(60_000);

  it("cast decrypts an account the wallet made", async function () {
    const cast = castProgram(this);
    await withScratchDirectory(async (directory) => {
      prepare(directory);
      const made = await wallet(directory, "import", "key", "--name", "ours", "--password-file", "password");
      equal(made.code, 0, made.stderr);
      equal(statSync(join(directory, "keys", "ours")).mode & 0o777, 0o600);
      const opened = await runProgram(cast, [
        ...["wallet", "decrypt-keystore", "ours", "--keystore-dir", join(directory, "keys")],
        ...["--unsafe-password", "pässword"],
      ]);
      equal(opened.code, 0, opened.stderr);
      match(opened.stdout, new RegExp(toHex(key)));
    });
  });

  it("the wallet signs with an account cast made, and each verifies what the other signed", async function () {
    const cast = castProgram(this);
    await withScratchDirectory(async (directory) => {
      prepare(directory);
      const made = await runProgram(cast, [
        ...["wallet", "import", "theirs", "--keystore-dir", join(directory, "keys")],
        ...["--private-key", toHex(key), "--unsafe-password", "pässword"],
      ]);
      equal(made.code, 0, made.stderr);
      const from = ["--from", "theirs", "--password-file", "password"];
      const signed = await wallet(directory, "wallet", "sign", "hello", ...from);
      equal(signed.code, 0, signed.stderr);
      const theirs = await runProgram(cast, ["wallet", "sign", "hello", "--private-key", toHex(key)]);
      equal(signed.stdout, theirs.stdout);
      const checked = await runProgram(cast, [
        ...["wallet", "verify", "--address", address, "hello", signed.stdout.trim()],
      ]);
      equal(checked.code, 0, checked.stderr);
      const signature = theirs.stdout.trim();
      const right = await wallet(directory, "verify", "hello", signature, "--address", address);
      equal(right.code, 0, right.stderr);
      const wrong = await wallet(directory, "verify", "hallo", signature, "--address", address);
      equal(wrong.code, 1);
      match(wrong.stderr, /signature is not/);
    });
  });

  it("typed data hashes as in cast", async function () {
    const cast = castProgram(this);
    const permit = JSON.stringify({
      domain: { name: "Token", version: "1", chainId: 8700, verifyingContract: address },
      primaryType: "Permit",
      types: {
        EIP712Domain: [
          { name: "name", type: "string" },
          { name: "version", type: "string" },
          { name: "chainId", type: "uint256" },
          { name: "verifyingContract", type: "address" },
        ],
        Permit: [
          { name: "owner", type: "address" },
          { name: "value", type: "uint256" },
        ],
      },
      message: { owner: address, value: "340282366920938463463374607431768211455" },
    });
    await withScratchDirectory(async (directory) => {
      prepare(directory);
      writeFileSync(join(directory, "permit.json"), permit);
      await wallet(directory, "import", "key", "--name", "ours", "--password-file", "password");
      const from = ["--from", "ours", "--password-file", "password"];
      const ours = await wallet(directory, "sign", "--data", "--from-file", "permit.json", ...from);
      const theirs = await runProgram(cast, [
        "wallet",
        "sign",
        "--data",
        permit,
        "--private-key",
        toHex(key),
      ]);
      equal(ours.stdout, theirs.stdout);
    });
  });

  it("a changed password opens the file and the old one does not", async () => {
    await withScratchDirectory(async (directory) => {
      prepare(directory);
      writeFileSync(join(directory, "new"), "other");
      writeFileSync(join(directory, "keys", "ours"), encryptKeystore(key, "pässword", SCRYPT_N.light));
      const change = (old: string) =>
        wallet(directory, "change-password", "ours", "--password-file", old, "--new-password-file", "new");
      const changed = await change("password");
      equal(changed.code, 0, changed.stderr);
      const again = await change("password");
      deepEqual([again.code, again.stderr], [5, "jurat-wallet: wrong password\n"]);
      const file = join(directory, "keys", "ours");
      writeFileSync(`${file}.new`, "");
      const before = readFileSync(file, "utf8");
      const locked = await change("new");
      equal(locked.code, 8);
      match(locked.stderr, /is locked/);
      equal(readFileSync(file, "utf8"), before);
    });
  });
});
