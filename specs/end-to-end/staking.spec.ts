import { deepEqual, equal, match } from "node:assert/strict";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { blsPublicKey } from "../../primitives/bls.ts";
import { toHex } from "../../primitives/bytes.ts";
import { interopSecretKey } from "../../primitives/interop-keys.ts";
import { type Run, runProgram } from "../support/program-run.ts";
import { type SingleNode, startSingleNode } from "../support/single-node.ts";
import { PROJECT_ROOT } from "../support/vectors.ts";

type Status = {
  readonly validators: readonly { readonly index: string; readonly status: string }[];
  readonly pendingDeposits: readonly { readonly pubkey: string; readonly amount: string }[];
};

describe("staking with jurat-wallet on a running node", function () {
  this.timeout(180_000);
  let node: SingleNode;
  let directory: string;

  const staking = (...args: string[]): Promise<Run> =>
    runProgram(process.execPath, [join(PROJECT_ROOT, "dist/wallet-cli/main.js"), "staking", ...args], {
      cwd: directory,
      env: { JURAT_CONFIG: join(directory, "config.json"), ETH_RPC_URL: node.url },
    });
  const answer = async <T>(...args: string[]): Promise<T> => {
    const { code, stdout, stderr } = await staking(...args, "--json");
    equal(code, 0, stderr);
    return JSON.parse(stdout) as T;
  };
  const refusal = async (...args: string[]) => {
    const { code, stdout, stderr } = await staking(...args);
    equal(stdout, "");
    return [code, stderr.trim().split("\n").at(-1)] as const;
  };

  before(async () => {
    node = await startSingleNode();
    directory = join(node.dir, "work");
    mkdirSync(directory);
    writeFileSync(join(directory, "password"), "secret\n");
    chmodSync(join(directory, "password"), 0o600);
  });
  after(() => node?.stop());

  it("deposits for a new key, which then waits, and for one that is there", async () => {
    const password = ["--key-password-file", "password"];
    const { publicKey, path } = await answer<{ publicKey: string; path: string }>(
      "key",
      "--out",
      "keys",
      ...password,
    );
    const sent = await staking("deposit", path, "--amount", "32jur", "--from", "dev:3", "--yes", ...password);
    equal(sent.code, 0, sent.stderr);
    match(sent.stderr, /a new validator, active some periods after[\s\S]*DepositEvent\(/);
    const waiting = await answer<Status>("status", path);
    deepEqual(
      [waiting.validators, waiting.pendingDeposits.map(({ pubkey, amount }) => [pubkey, amount])],
      [[], [[publicKey, "32000000000"]]],
    );
    const dry = await staking("deposit", "interop:2", "--amount", "1jur", "--from", "dev:3", "--dry-run");
    equal(dry.code, 0, dry.stderr);
    match(dry.stderr, /adds to validator 2, which has 3[12][\s\S]*its credentials stay 0x02/);
    deepEqual(await refusal("deposit", "interop:9", "--amount", "5gwei", "--from", "dev:3"), [
      2,
      "jurat-wallet: --amount is at least 1 JUR, in whole gwei",
    ]);
  });

  it("leaves by the key, or as the account that owns the stake, and refuses others beforehand", async () => {
    equal((await answer<{ index: number }>("exit", "interop:1", "--yes")).index, 1);
    for (;;) {
      const { validators } = await answer<Status>("status", "1");
      if (validators[0]?.status === "active_exiting") break;
    }
    const [code, again] = await refusal("exit", "interop:1", "--yes");
    deepEqual([code, again], [4, "jurat-wallet: validator 1 is leaving already (active_exiting)"]);
    match(
      (await refusal("exit", "2", "--from", "dev:3", "--yes"))[1] ?? "",
      /belongs to 0x\w+, not to 0x90F7/,
    );
    match((await refusal("exit", "77", "--from", "dev:3", "--yes"))[1] ?? "", /no validator 77/);

    const owned = await answer<Status>("status", "--withdrawal-account", "dev:0");
    const [first] = owned.validators;
    const sent = await staking("exit", first?.index ?? "", "--from", "dev:0", "--yes");
    equal(sent.code, 0, sent.stderr);
    match(sent.stderr, /WithdrawalRequested\(/);
    for (;;) {
      const { validators } = await answer<Status>("status", first?.index ?? "");
      if (validators[0]?.status === "active_exiting") break;
    }
    const text = await staking("status");
    match(text.stdout, /active_exiting .* leaves in about \d+ s/);
  });

  it("tells what validators earned", async () => {
    type Rewards = { readonly data: readonly { readonly deposited: string; readonly earned: string }[] };
    const key = toHex(blsPublicKey(interopSecretKey(3)));
    // The ledger may be a moment behind the block that has just become final, and says so.
    const rewards = async (...args: readonly string[]) => {
      for (;;) {
        const run = await staking("rewards", ...args);
        if (!run.stderr.includes("ask again in a moment")) return run;
      }
    };
    const { data } = JSON.parse((await rewards("0", "interop:3", key, "--json")).stdout) as Rewards;
    equal(data.length, 3);
    deepEqual(data[1], data[2]);
    match((await rewards("3")).stdout, /^validator 3 {3}earned -?[\d.]+ JUR since slot 0\n/);
    deepEqual(await refusal("rewards", "99"), [7, "jurat-wallet: the chain has no validator 99"]);
    const elsewhere = await staking("status", "--beacon-url", node.url);
    equal(elsewhere.code, 3);
    match(elsewhere.stderr, /is it a beacon API\?/);
  });
});
