import { deepEqual, equal, match, ok } from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Contract, ContractFactory, JsonRpcProvider, NonceManager, Wallet } from "ethers";
import type { Artifact } from "../../contracts/build/artifact.ts";
import { buildContract } from "../../contracts/build/build-contract.ts";
import { deriveDevAccounts } from "../../primitives/dev-accounts.ts";
import { castProgram } from "../support/cast.ts";
import { runProgram } from "../support/program-run.ts";
import { type SingleNode, startSingleNode } from "../support/single-node.ts";
import { PROJECT_ROOT } from "../support/vectors.ts";

const [alice, bob, carol] = deriveDevAccounts();
/** As the README writes it; programs run in the project's folder. */
const TOKEN = "contracts/examples/token.ts";

const run = (program: string, args: readonly string[]) => runProgram(program, args);

describe("Ethereum's clients, unmodified", function () {
  this.timeout(180_000);
  let node: SingleNode;
  let artifact: Artifact;

  before(async () => {
    [node, artifact] = await Promise.all([startSingleNode(), buildContract(join(PROJECT_ROOT, TOKEN))]);
  });
  after(() => node?.stop());

  it("ethers deploys, writes, reads and finds the event", async () => {
    const provider = new JsonRpcProvider(node.url, undefined, { polling: true, pollingInterval: 200 });
    const signer = new NonceManager(new Wallet(bob!.privateKey, provider));
    const factory = new ContractFactory(artifact.abi as never, artifact.bytecode, signer);
    const deployed = await factory.deploy("Ethers", "ETH", 500n);
    await deployed.waitForDeployment();
    const token = new Contract(await deployed.getAddress(), artifact.abi as never, signer);
    const sent = await token.getFunction("transfer").send(carol!.address, 40n);
    const receipt = await sent.wait();
    equal(receipt?.status, 1);
    equal(await token.getFunction("balanceOf").staticCall(carol!.address), 40n);
    const events = await token.queryFilter("Transfer", receipt!.blockNumber, receipt!.blockNumber);
    equal(events.length, 1);
    provider.destroy();
  });

  it("cast sends, calls and reads storage", async function () {
    const castRun = (...args: string[]) => run(castProgram(this), [...args, "--rpc-url", node.url]);
    const before = await castRun("balance", carol!.address);
    const sent = await castRun(
      "send",
      carol!.address,
      "--value",
      "1ether",
      "--private-key",
      alice!.privateKey,
    );
    equal(sent.code, 0, sent.stderr);
    match(sent.stdout, /status\s+1/);
    const after = await castRun("balance", carol!.address);
    equal(BigInt(after.stdout) - BigInt(before.stdout), 10n ** 18n);
    equal((await castRun("chain-id")).stdout.trim(), "8700");
    match((await castRun("block", "finalized")).stdout, /stateRoot/);
  });

  const wallet = (...args: string[]) =>
    run(process.execPath, [join(PROJECT_ROOT, "dist/wallet-cli/main.js"), ...args, "--rpc-url", node.url]);

  it("jurat-wallet deploys the example, sends, calls and follows to finality", async () => {
    const deployed = await wallet(
      "deploy",
      TOKEN,
      "--args",
      "Token",
      "TKN",
      "1000000",
      "--from",
      "dev:0",
      "--yes",
      "--json",
    );
    equal(deployed.code, 0, deployed.stderr);
    match(deployed.stderr, /deploy Token\(/);
    const { address } = JSON.parse(deployed.stdout) as { address: string };

    const transfer = [
      "send",
      address,
      "transfer(address,uint256)",
      "dev:1",
      "100",
      "--from",
      "dev:0",
      "--yes",
    ];
    const sent = await wallet(...transfer, "--confirmations", "finalized");
    equal(sent.code, 0, sent.stderr);
    match(sent.stderr, /final/);
    const read = await wallet(
      "call",
      address,
      "balanceOf(address)(uint256)",
      "dev:1",
      "--block",
      "finalized",
    );
    equal(read.stdout, "100\n");
    const receipt = await wallet("receipt", sent.stdout.trim(), "--json");
    equal((JSON.parse(receipt.stdout) as { status: string }).status, "0x1");
  });

  it("jurat-wallet keeps encrypted accounts and spends from them", async () => {
    const keystore = join(node.dir, "keys");
    const passwordFile = join(node.dir, "password");
    writeFileSync(passwordFile, "correct horse\n", { mode: 0o600 });
    const keys = ["--keystore", keystore, "--password-file", passwordFile];
    const program = (...args: string[]) =>
      run(process.execPath, [join(PROJECT_ROOT, "dist/wallet-cli/main.js"), ...args]);
    const made = await program("new", "--name", "dora", "--json", ...keys);
    equal(made.code, 0, made.stderr);
    const { address } = JSON.parse(made.stdout) as { address: string };
    deepEqual(JSON.parse((await program("list", "--json", ...keys)).stdout), [{ name: "dora", address }]);

    equal((await wallet("send", address, "--value", "2jur", "--from", "dev:0", "--yes")).code, 0);
    const spent = await wallet("send", "dev:1", "--value", "1jur", "--from", "dora", "--yes", ...keys);
    equal(spent.code, 0, spent.stderr);
    const left = await wallet("balance", "dora", "--json", ...keys);
    const { wei } = JSON.parse(left.stdout) as { wei: string };
    ok(BigInt(wei) < 10n ** 18n && BigInt(wei) > 9n * 10n ** 17n);
  });

  it("jurat-wallet says what is wrong and ends with the code of its kind", async () => {
    const wrongPassword = join(node.dir, "wrong");
    writeFileSync(wrongPassword, "no", { mode: 0o600 });
    const keys = ["--keystore", join(node.dir, "keys"), "--password-file", wrongPassword];
    const cases: readonly [number, RegExp, readonly string[]][] = [
      [2, /unknown option/, ["balance", "dev:0", "--colour"]],
      [
        2,
        /argument 2 \(uint256/,
        ["send", "dev:1", "f(address,uint256)", "dev:1", "ten", "--from", "dev:0", "--yes"],
      ],
      [4, /insufficient funds/, ["send", "dev:1", "--value", "999999jur", "--from", "dev:0", "--yes"]],
      [5, /wrong password/, ["send", "dev:1", "--value", "1", "--from", "dora", "--yes", ...keys]],
      [5, /no account "nobody"/, ["send", "dev:1", "--value", "1", "--from", "nobody", "--yes", ...keys]],
      [2, /no terminal to ask/, ["send", "dev:1", "--value", "1", "--from", "dev:0"]],
    ];
    for (const [code, pattern, args] of cases) {
      const result = await wallet(...args);
      equal(result.code, code, result.stderr);
      match(result.stderr, pattern);
      equal(result.stdout, "");
    }
    const nobody = await run(process.execPath, [
      join(PROJECT_ROOT, "dist/wallet-cli/main.js"),
      ...["balance", "dev:0", "--rpc-url", "http://127.0.0.1:9"],
    ]);
    equal(nobody.code, 3);
    match(nobody.stderr, /no node answers/);
  });
});
