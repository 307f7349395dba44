import { deepEqual, equal, match, rejects, throws } from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TESTNET_PARAMS } from "../../consensus/presets.ts";
import { depositSigningRoot } from "../../consensus/process-pending-deposits.ts";
import { decryptKeystore, parseKeystore } from "../../keys/keystore.ts";
import { blsPublicKey, blsVerify } from "../../primitives/bls.ts";
import { toHex } from "../../primitives/bytes.ts";
import { interopSecretKey } from "../../primitives/interop-keys.ts";
import {
  credentialsOf,
  depositDataRoot,
  readDepositFile,
  signDeposit,
} from "../../wallet-cli/deposit-data.ts";
import { describeEpoch, describeSpan, NEVER } from "../../wallet-cli/staking-chain.ts";
import { createValidatorKey, readValidatorKey } from "../../wallet-cli/validator-key.ts";
import type { WalletError } from "../../wallet-cli/wallet-error.ts";
import { withScratchDirectory } from "../support/scratch-directory.ts";

const refused = (kind: string, pattern: RegExp) => (error: WalletError) => {
  equal(error.kind, kind, error.message);
  match(error.message, pattern);
  return true;
};

const VERSION = TESTNET_PARAMS.forks[0]!.version;
const key = { secretKey: interopSecretKey(7), publicKey: blsPublicKey(interopSecretKey(7)) };
const account = `0x${"ab".repeat(20)}` as const;

describe("a validator key", function () {
  this.timeout(60_000);

  it("is written as the node reads it, for its owner alone, and opened with its password only", async () => {
    await withScratchDirectory(async (directory) => {
      const made = createValidatorKey(join(directory, "keys"), "secret");
      equal(statSync(made.path).mode & 0o777, 0o600);
      deepEqual(decryptKeystore(parseKeystore(readFileSync(made.path, "utf8")), "secret"), made.secretKey);
      const passwordFile = join(directory, "password");
      writeFileSync(passwordFile, "secret\n");
      deepEqual((await readValidatorKey(made.path, passwordFile)).secretKey, made.secretKey);
      writeFileSync(passwordFile, "other\n");
      await rejects(readValidatorKey(made.path, passwordFile), refused("key", /wrong password/));
      writeFileSync(made.path, readFileSync(made.path, "utf8").slice(0, 99));
      await rejects(readValidatorKey(made.path, passwordFile), refused("key", /damaged/));
      await rejects(
        readValidatorKey(join(directory, "none"), passwordFile),
        refused("key", /no validator key/),
      );
      deepEqual((await readValidatorKey("interop:7", undefined)).publicKey, key.publicKey);
    });
  });
});

describe("a deposit", () => {
  it("is signed as the chain checks it, for an account that compounds or does not", () => {
    for (const [isCompounding, prefix] of [
      [true, "0x02"],
      [false, "0x01"],
    ] as const) {
      const credentials = credentialsOf(account, isCompounding);
      equal(toHex(credentials), `${prefix}${"00".repeat(11)}${"ab".repeat(20)}`);
      const deposit = signDeposit(key, credentials, 32n * 10n ** 9n, VERSION);
      const message = {
        ...{ pubkey: deposit.publicKey, withdrawalCredentials: credentials },
        amount: deposit.amountGwei,
      };
      equal(blsVerify(key.publicKey, depositSigningRoot(message, TESTNET_PARAMS), deposit.signature), true);
    }
  });

  it("of a file is taken only when the chain would not lose it", async () => {
    const deposit = signDeposit(key, credentialsOf(account, true), 32n * 10n ** 9n, VERSION);
    const bare = (bytes: Uint8Array) => toHex(bytes).slice(2);
    const entry = {
      pubkey: bare(deposit.publicKey),
      withdrawal_credentials: bare(deposit.credentials),
      amount: 32_000_000_000,
      signature: bare(deposit.signature),
      deposit_message_root: "00".repeat(32),
      deposit_data_root: bare(depositDataRoot(deposit)),
      fork_version: VERSION.slice(2),
      network_name: "jurat",
      deposit_cli_version: "2.7.0",
    };
    await withScratchDirectory(async (directory) => {
      const path = join(directory, "deposit_data-1.json");
      const read = (change: Partial<typeof entry>) => {
        writeFileSync(path, JSON.stringify([{ ...entry, ...change }]));
        return readDepositFile(path, VERSION);
      };
      deepEqual(read({}), [deposit]);
      throws(() => read({ amount: 31_000_000_000 }), refused("failure", /signature is not its key's/));
      throws(() => read({ fork_version: "00000000" }), refused("failure", /signed for the chain of/));
      throws(() => read({ deposit_data_root: "11".repeat(32) }), refused("failure", /not the root/));
      throws(() => read({ pubkey: "12" }), refused("file", /0\.pubkey/));
      writeFileSync(path, "{");
      throws(() => readDepositFile(path, VERSION), refused("file", /not JSON/));
    });
  });
});

describe("a time until something happens", () => {
  it("is told as people would", () => {
    const time = { genesisTime: 0, slotSeconds: 4, slotsPerEpoch: 1, epoch: 100 };
    deepEqual(
      ["145", "70", "100", "2000", "90000", NEVER].map((epoch) => describeEpoch(epoch, time)),
      ["in about 3 min", "2 min ago", "0 s ago", "in about 2 h", "in about 4 d", ""],
    );
    equal(describeSpan(119), "119 s");
  });
});
