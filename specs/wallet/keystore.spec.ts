import { deepEqual, equal, match, throws } from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { mnemonicToAccount } from "viem/accounts";
import { bigIntToBytes, bytesToUtf8, fromHex, toHex } from "../../primitives/bytes.ts";
import { DEV_MNEMONIC, deriveDevAccounts } from "../../primitives/dev-accounts.ts";
import { privateKeyToAddress } from "../../primitives/secp256k1.ts";
import { findAccount, listAccounts, listDamaged, storeAccount } from "../../wallet-cli/key-folder.ts";
import { decryptKeystore, encryptKeystore, SCRYPT_N } from "../../wallet-cli/keystore.ts";
import { WalletError } from "../../wallet-cli/wallet-error.ts";
import { readJson, vectorsPath } from "../support/vectors.ts";

const refused = (pattern: RegExp) => (error: WalletError) => {
  equal(error.kind, "key");
  match(error.message, pattern);
  return true;
};

describe("wallet keystores", () => {
  it("of ethereum/tests decrypt to their keys", function () {
    type Case = { json: unknown; password: string; priv: string };
    const cases = readJson<Record<string, Case>>(
      vectorsPath(this, "ethereum-tests", "KeyStoreTests", "basic_tests.json"),
    );
    for (const { json, password, priv } of Object.values(cases)) {
      equal(toHex(decryptKeystore(JSON.stringify(json), password)), `0x${priv}`);
    }
    equal(Object.keys(cases).length, 5);
  });

  it("of ethers' test cases decrypt to their accounts", function () {
    this.timeout(60_000);
    type Case = { name: string; type: string; address: string; password: string; content: string };
    const packed = readFileSync(vectorsPath(this, "ethers-testcases", "testcases", "wallets.json.gz"));
    const cases = JSON.parse(gunzipSync(packed).toString()) as readonly Case[];
    // The two others are files of the 2014 sale, a format of its own.
    const keystores = cases.filter(({ type }) => type === "keystore");
    equal(keystores.length, 7);
    for (const { address, password, content, name } of keystores) {
      const privateKey = decryptKeystore(content, bytesToUtf8(fromHex(password)));
      equal(privateKeyToAddress(privateKey), address.toLowerCase(), name);
    }
  });

  it("open with a password that was typed in another Unicode form", () => {
    const privateKey = bigIntToBytes(7n, 32);
    const composed = "\u00e9\ufb01";
    for (const written of [composed, composed.normalize("NFKC")]) {
      const text = encryptKeystore(privateKey, written, SCRYPT_N.light);
      deepEqual(decryptKeystore(text, composed), privateKey);
    }
  });

  it("come back with their password and with no other", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 2n ** 255n }), fc.string({ unit: "binary" }), (key, password) => {
        const privateKey = bigIntToBytes(key, 32);
        const text = encryptKeystore(privateKey, password, SCRYPT_N.light);
        deepEqual(decryptKeystore(text, password), privateKey);
        throws(() => decryptKeystore(text, `${password}!`), refused(/wrong password/));
      }),
      { numRuns: 10 },
    );
  });

  it("that are damaged or greedy are refused with a reason", () => {
    const good = encryptKeystore(bigIntToBytes(7n, 32), "pw", SCRYPT_N.light);
    throws(() => decryptKeystore(good.slice(0, 50), "pw"), refused(/not JSON/));
    throws(() => decryptKeystore(good.replace('"version":3', '"version":4'), "pw"), refused(/version/));
    throws(() => decryptKeystore(good.replace("aes-128-ctr", "rot13"), "pw"), refused(/cipher/));
    throws(() => decryptKeystore(good.replace('"n":4096', '"n":1073741824'), "pw"), refused(/refused/));
    throws(() => decryptKeystore("{}", "pw"), refused(/version/));
  });
});

describe("the keystore folder", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "jurat-keys-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("keeps files private, finds accounts by name and by address, and passes over other files", () => {
    const privateKey = bigIntToBytes(7n, 32);
    const path = storeAccount(folder, "alice", encryptKeystore(privateKey, "pw", SCRYPT_N.light));
    writeFileSync(join(folder, "notes.txt"), "nothing");
    const address = privateKeyToAddress(privateKey);
    deepEqual(listAccounts(folder), [{ name: "alice", address, path }]);
    equal(findAccount(folder, "alice").address, address);
    equal(findAccount(folder, address).name, "alice");
    equal(statSync(path).mode & 0o777, 0o600);
    equal(readFileSync(path, "utf8").includes(address.slice(2)), true);
    writeFileSync(join(folder, "torn"), readFileSync(path, "utf8").slice(0, 99));
    throws(() => findAccount(folder, "torn"), refused(/torn is damaged/));
    deepEqual(listDamaged(folder), [{ name: "torn", reason: "it is no whole version 3 keystore" }]);
    throws(() => findAccount(folder, "bob"), refused(/no account "bob"/));
    throws(() => storeAccount(folder, "alice", ""), refused(/exists already/));
    throws(() => storeAccount(folder, "../alice", ""), WalletError);
  });
});

describe("development accounts", () => {
  it("are those of the mnemonic that anvil and Hardhat use", () => {
    const derived = Array.from({ length: 10 }, (_, addressIndex) => {
      const account = mnemonicToAccount(DEV_MNEMONIC, { addressIndex });
      const privateKey = toHex(account.getHdKey().privateKey!);
      return { address: account.address.toLowerCase(), privateKey };
    });
    deepEqual(deriveDevAccounts(), derived);
    equal(derived[0]?.address, "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266");
  });
});
