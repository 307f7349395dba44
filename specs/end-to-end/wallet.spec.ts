import { deepEqual, doesNotMatch, equal, match } from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { toChecksumAddress } from "../../primitives/address.ts";
import { deriveDevAccounts } from "../../primitives/dev-accounts.ts";
import type { Deployment } from "../../wallet-cli/deployments.ts";
import { castProgram } from "../support/cast.ts";
import { type Run, runProgram } from "../support/program-run.ts";
import { type SingleNode, startSingleNode } from "../support/single-node.ts";
import { PROJECT_ROOT, readJson } from "../support/vectors.ts";

const TOKEN = join(PROJECT_ROOT, "contracts/examples/token.ts");
const [alice, bob] = deriveDevAccounts().map(({ address }) => toChecksumAddress(address));

describe("jurat-wallet on a running node", function () {
  this.timeout(180_000);
  let node: SingleNode;
  let directory: string;

  const wallet = (...args: string[]): Promise<Run> =>
    runProgram(process.execPath, [join(PROJECT_ROOT, "dist/wallet-cli/main.js"), ...args], {
      cwd: directory,
      env: { JURAT_CONFIG: join(directory, "config.json"), ETH_KEYSTORE: join(directory, "keys") },
    });
  /** Standard output of a run that must succeed. */
  const answer = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await wallet(...args);
    equal(code, 0, stderr);
    return stdout.trim();
  };

  before(async () => {
    node = await startSingleNode();
    directory = join(node.dir, "work");
    mkdirSync(directory);
    await answer("network", "add", "local", node.url, "--chain-id", "8700");
    await answer("contact", "add", "bob", "dev:1");
  });
  after(() => node?.stop());

  it("shows the address before it deploys, records the contract, and then knows it by name", async () => {
    const deploy = ["deploy", TOKEN, "--args", "Token", "TKN", "1000", "--from", "dev:0"];
    const dry = await wallet(...deploy, "--dry-run");
    equal(dry.code, 0, dry.stderr);
    const [, promised] = /address\s+(0x\w+)/.exec(dry.stderr) ?? [];
    equal((JSON.parse(dry.stdout) as { nonce: number }).nonce, 0);
    equal(await answer(...deploy, "--yes"), promised);
    const [deployment] = readJson<readonly Deployment[]>(join(directory, "deployments.json"));
    deepEqual(
      [deployment?.contractName, deployment?.chainId, deployment?.arguments],
      ["Token", 8700, ["Token", "TKN", "1000"]],
    );
    equal(await answer("call", "Token", "balanceOf", "dev:0"), "1000");
    equal(await answer("code", "Token"), await answer("code", promised ?? ""));
    const sent = await wallet("send", "Token", "transfer", "bob", "7", "--from", "dev:0", "--yes");
    match(sent.stderr, /returns true/);
    match(sent.stderr, /Transfer\(from .*value 7\)/);
    match(await answer("logs", "Transfer", "dev:0", "bob", "--address", "Token"), /value 7\)$/);
    match(await answer("receipt", sent.stdout.trim()), /Transfer\(/);
    const broke = await wallet("send", "Token", "transfer", "dev:0", "8", "--from", "dev:1", "--yes");
    deepEqual([broke.code, broke.stdout], [4, ""]);
    match(broke.stderr, /action +Token\.transfer\(.*value 8\)[\s\S]*would fail: ERC20InsufficientBalance\(/);
  });

  it("answers what cast answers", async function () {
    const cast = castProgram(this);
    const same = async (...args: string[]) => {
      const theirs = await runProgram(cast, [...args, "--rpc-url", node.url]);
      equal(await answer(...args), theirs.stdout.trim(), args.join(" "));
    };
    const [{ address = "" } = {}] = readJson<readonly Deployment[]>(join(directory, "deployments.json"));
    await same("nonce", alice ?? "");
    await same("code", address);
    await same("storage", address, "0");
    await same("chain-id");
    await same("block", "0", "--field", "hash");
    await same("call", address, "balanceOf(address)(uint256)", bob ?? "");
    await same("estimate", address, "transfer(address,uint256)", bob ?? "", "1", "--from", alice ?? "");
  });

  it("signs without a node, and publishes until it is final", async function () {
    const cast = castProgram(this);
    const terms = ["--chain", "8700", "--nonce", "0", "--gas-limit", "21000", "--gas-price", "3gwei"];
    const raw = await answer(
      ...["mktx", "bob", "--value", "1jur", "--from", "dev:2", ...terms],
      ...["--rpc-url", "http://127.0.0.1:9"],
    );
    const decoded = await runProgram(cast, ["decode-transaction", raw]);
    match(decoded.stdout, new RegExp(deriveDevAccounts()[2]?.address ?? "", "i"));
    const published = await wallet("publish", raw, "--confirmations", "finalized");
    equal(published.code, 0, published.stderr);
    match(published.stderr, /included[\s\S]*justified[\s\S]*final/);
    doesNotMatch(published.stderr, /waiting/, "no progress where there is no terminal");
    const again = await wallet("publish", raw);
    deepEqual([again.code, again.stdout], [4, ""]);

    const [later = "", sooner = ""] = await Promise.all(
      ["2", "1"].map((nonce) =>
        answer(
          ...["mktx", "bob", "--value", "1", "--from", "dev:2", "--rpc-url", "http://127.0.0.1:9"],
          ...["--chain", "8700", "--nonce", nonce, "--gas-limit", "21000", "--gas-price", "3gwei"],
        ),
      ),
    );
    const early = await wallet("publish", later, "--timeout", "1");
    equal(early.code, 1, early.stderr);
    equal(
      early.stderr.match(/waiting +for nonce 1 of the same account: this transaction has nonce 2\n/g)?.length,
      1,
    );
    const filled = await wallet("publish", sooner);
    equal(filled.code, 0, filled.stderr);
    doesNotMatch(filled.stderr, /waiting/);
  });

  it("sends a batch after one preview, and nothing of a batch with a bad line", async () => {
    const table = (...lines: string[]) =>
      writeFileSync(join(directory, "batch.csv"), `${lines.join("\n")}\n`);
    table("to,value,function,arguments", "dev:4,1jur", 'Token,0,transfer,"[""dev:4"",3]"');
    const sent = JSON.parse(await answer("batch", "batch.csv", "--from", "dev:0", "--yes", "--json"));
    deepEqual(
      (sent as readonly { status: string }[]).map(({ status }) => status),
      ["success", "success"],
    );
    equal(await answer("call", "Token", "balanceOf", "dev:4"), "3");
    const nonce = await answer("nonce", "dev:0");
    table("to,value", "dev:4,1jur", "dev:4,99999jur");
    const refused = await wallet("batch", "batch.csv", "--from", "dev:0", "--yes");
    equal(refused.code, 4);
    match(refused.stderr, /line 3: insufficient funds/);
    equal(await answer("nonce", "dev:0"), nonce);
  });

  it("goes on with a batch that was interrupted, and pays nobody twice", async () => {
    // The connection is lost after the node took the second of three.
    const lossy = await startLossyNode(node.url, 2);
    const table = join(directory, "pay.csv");
    const run = (...args: string[]) => wallet("batch", "pay.csv", "--from", "dev:8", "--yes", ...args);
    const fresh = `0x${"c0".repeat(20)}`;
    const balance = () => answer("balance", fresh, "--ether");
    try {
      writeFileSync(table, `to,value\n${fresh},1jur\n${fresh},2jur\n${fresh},4jur\n`);
      const cut = await run("--rpc-url", lossy.url);
      deepEqual([cut.code, statusesOf(cut)], [4, ["success", "unknown", "unsent"]], cut.stderr);
      match(cut.stderr, /unfinished: the same command goes on; pay\.csv\.batch\.json/);
    } finally {
      await lossy.stop();
    }
    equal(statSync(`${table}.batch.json`).mode & 0o777, 0o600);
    const other = await wallet("batch", "pay.csv", "--from", "dev:9", "--yes");
    deepEqual([other.code, other.stdout], [8, ""]);
    match(other.stderr, /of an unfinished batch with another account/);
    const rest = await run();
    deepEqual([rest.code, statusesOf(rest)], [0, ["success", "success", "success"]], rest.stderr);
    match(rest.stderr, /2 of 3 were sent before/);
    deepEqual([await balance(), await answer("nonce", "dev:8")], ["7", "3"]);
    equal(existsSync(`${table}.batch.json`), false);
  });

  it("refuses a node of another chain, and says what nobody knows", async () => {
    await answer("network", "add", "other", node.url, "--chain-id", "1");
    const other = await wallet("balance", "dev:0", "--rpc-url", "other");
    equal(other.code, 1);
    match(other.stderr, /is a node of chain 8700, expected chain 1/);
    const unknown = await wallet("tx", `0x${"11".repeat(32)}`);
    deepEqual([unknown.code, unknown.stdout], [7, ""]);
    const misspelt = await wallet("call", "Tokn", "balanceOf", "dev:0");
    equal(misspelt.code, 5);
    match(misspelt.stderr, /no account "Tokn" in .*; no contract "Tokn" in deployments\.json/);
  });

  it("asks at a terminal, in colour unless NO_COLOR says otherwise, and sends what is agreed to", async function () {
    const atTerminal = async (answerText: string, env: Record<string, string>) => {
      const program = `${process.execPath} ${join(PROJECT_ROOT, "dist/wallet-cli/main.js")}`;
      const command = `${program} send bob --value 1jur --from dev:6`;
      return runProgram("script", ["-qec", command, "/dev/null"], {
        cwd: directory,
        input: answerText,
        env: { JURAT_CONFIG: join(directory, "config.json"), TERM: "xterm", ...env },
      });
    };
    if ((await runProgram("sh", ["-c", "command -v script"])).code !== 0) {
      console.error("      pending: script (util-linux), which gives a terminal, is not installed");
      return this.skip();
    }
    const before = await answer("nonce", "dev:6");
    const declined = await atTerminal("n\n", { NO_COLOR: "" });
    equal(declined.code, 6, declined.stdout);
    match(declined.stdout, /\[32msucceeds[\s\S]*send it\? \[y\/N\] [\s\S]*nothing was sent/);
    equal(await answer("nonce", "dev:6"), before);
    const agreed = await atTerminal("y\n", { NO_COLOR: "1" });
    equal(agreed.code, 0, agreed.stdout);
    match(agreed.stdout, /outcome {3}succeeds/);
    doesNotMatch(agreed.stdout, /\[(2|31|32|33)m/);
    equal(await answer("nonce", "dev:6"), "1");
  });

  it("takes Ctrl-C and Ctrl-D at a question for a no, and counts the slots until final", async function () {
    if ((await runProgram("sh", ["-c", "command -v script"])).code !== 0) {
      console.error("      pending: script (util-linux), which gives a terminal, is not installed");
      return this.skip();
    }
    const typed = (keys: string, ...args: string[]) => {
      const program = `${process.execPath} ${join(PROJECT_ROOT, "dist/wallet-cli/main.js")}`;
      const command = `${program} send bob --value 1jur --from dev:6 ${args.join(" ")}`;
      return typeAt("y/N", keys, command, directory);
    };
    for (const key of ["\x03", "\x04"]) {
      const { code, text } = await typed(key);
      equal(code, 6, text);
      match(text, /nothing was done: the question had no answer/);
    }
    const { code, text } = await typed("y\r", "--confirmations", "finalized");
    equal(code, 0, text);
    match(text, /\d+ slots? until final[\s\S]*justified[\s\S]*final/);
  });

  it("does not wait when it is told not to, and gives up when it is told how long", async () => {
    const sent = await wallet("send", "bob", "--value", "1", "--from", "dev:7", "--yes", "--async", "--json");
    const { hash, receipt } = JSON.parse(sent.stdout) as { hash: string; receipt?: unknown };
    deepEqual([sent.code, receipt], [0, undefined]);
    while ((await wallet("receipt", hash, "status")).code !== 0);
    const tooShort = ["--confirmations", "9999", "--timeout", "0"];
    const given = await wallet("send", "bob", "--value", "1", "--from", "dev:7", "--yes", ...tooShort);
    equal(given.code, 1);
    match(given.stderr, /waited 0 s for 0x\w+; it may still be included: jurat-wallet receipt 0x/);
  });
});

function statusesOf({ stdout }: Run): readonly string[] {
  return stdout
    .trim()
    .split("\n")
    .map((line) => line.split(/\s+/)[1] ?? "");
}

/** A way to the node that breaks off, instead of answering, after it passed on so many transactions, and is gone then. */
async function startLossyNode(url: string, limit: number): Promise<{ url: string; stop(): Promise<void> }> {
  let sent = 0;
  const server = createServer((request, response) => {
    const pass = async () => {
      const body = Buffer.concat(await request.toArray());
      const isSending = body.includes("eth_sendRawTransaction");
      if (isSending) sent += 1;
      const headers = { "content-type": "application/json" };
      const answer = await (await fetch(url, { method: "POST", headers, body })).text();
      if (isSending && sent >= limit) response.destroy();
      else response.end(answer);
    };
    pass().catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = () =>
    new Promise<void>((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stop };
}

/** Runs a command at a terminal and types the keys when it has shown `question`. */
function typeAt(
  question: string,
  keys: string,
  command: string,
  cwd: string,
): Promise<{ code: number | null; text: string }> {
  const env = { ...process.env, JURAT_CONFIG: join(cwd, "config.json"), TERM: "xterm" };
  const child = spawn("script", ["-qec", command, "/dev/null"], { cwd, env });
  return new Promise((resolve) => {
    let text = "";
    child.stdout.on("data", (chunk: Buffer) => {
      const wasAsked = text.includes(question);
      text += chunk;
      if (!wasAsked && text.includes(question)) child.stdin.write(keys);
    });
    child.on("close", (code) => resolve({ code, text }));
  });
}
