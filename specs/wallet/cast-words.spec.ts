/** jurat-wallet and cast, the same words to both, side by side on one chain. Prose: wallet.md#casts-words. */
import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { join } from "node:path";
import { toHex } from "../../primitives/bytes.ts";
import { createProgram } from "../../wallet-cli/program.ts";
import type { WalletError } from "../../wallet-cli/wallet-error.ts";
import { withServer } from "../rpc/server-fixture.ts";
import { castProgram } from "../support/cast.ts";
import { accounts, signed } from "../support/execution-chain.ts";
import { COUNTER, LOGGER } from "../support/live-chain.ts";
import { runProgram } from "../support/program-run.ts";
import { PROJECT_ROOT } from "../support/vectors.ts";

const [ALICE, BOB] = [accounts[0]!, accounts[1]!];
const TYPED = JSON.stringify({
  types: { EIP712Domain: [{ name: "name", type: "string" }], Mail: [{ name: "text", type: "string" }] },
  ...{ primaryType: "Mail", domain: { name: "spec" }, message: { text: "hi" } },
});

const wallet = (...args: string[]) =>
  runProgram(process.execPath, [join(PROJECT_ROOT, "dist/wallet-cli/main.js"), ...args], {
    env: { JURAT_CONFIG: "/nowhere/config.json", NO_COLOR: "1" },
  });

/** Given to both as they are; `--rpc-url` is added to those that ask a node. */
const ASKING: readonly (readonly string[])[] = [
  ["b", ALICE, "-e", "-B", "0"],
  ["nonce", ALICE],
  ["n", ALICE, "--block", "0"],
  ["ci"],
  ["block-number"],
  ["g"],
  ["code", COUNTER],
  ["st", COUNTER, "0"],
  ["storage", COUNTER, "0x0", "--block", "latest"],
  ["bl", "1", "-f", "hash"],
  ["block", "1", "--field", "gasUsed"],
  ["block", "1", "--full", "--json"],
  ["estimate", BOB, "--value", "1ether", "--from", ALICE],
  ["rp", "eth_getBlockByNumber", "0x1", "false"],
  ["rpc", "eth_chainId"],
  ["pr", COUNTER, "0"],
];
const ALONE: readonly (readonly string[])[] = [
  ["sig", "transfer(address,uint256)"],
  ["ae", "f(uint256,string,(bool,int8)[])", "5", "hi", "[(true,-1)]"],
  ["abi-encode", "--packed", "f(uint8,string)", "5", "hi"],
  ["cd", "transfer(address,uint256)", BOB, "100"],
  [
    "ad",
    "f()(uint8,string)",
    `0x${"5".padStart(64, "0")}${"40".padStart(64, "0")}${"2".padStart(64, "0")}${"6869".padEnd(64, "0")}`,
  ],
];

/** cast writes decimals where JSON-RPC has hex, and aligns what ours does not. */
function plain(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text.trim().replaceAll('"', "");
  }
}

describe("cast's words", function () {
  this.timeout(120_000);

  it("get cast's answers", async function () {
    const cast = castProgram(this);
    await withServer(async ({ live, url }) => {
      live.pool.submit(signed(0, { to: COUNTER, data: Uint8Array.of(5), gasLimit: 100_000n }).raw);
      live.pool.submit(signed(0, { nonce: 1n, to: LOGGER, gasLimit: 100_000n }).raw);
      await live.mine();
      const words = [...ASKING.map((one) => [...one, "--rpc-url", url]), ...ALONE];
      const answers = await Promise.all(
        words.map(async (args) => {
          const [theirs, ours] = await Promise.all([runProgram(cast, args), wallet(...args)]);
          return { args, theirs, ours };
        }),
      );
      const said = (of: "theirs" | "ours") =>
        answers.map((one) => [one.args.join(" "), one[of].code, same(one[of].stdout)]);
      deepEqual(said("ours"), said("theirs"));
    });
  });

  it("name every command that both have", async function () {
    const cast = castProgram(this);
    const [help, walletHelp] = await Promise.all([
      runProgram(cast, ["--help"]),
      runProgram(cast, ["wallet", "--help"]),
    ]);
    const program = createProgram();
    const group = program.commands.find((command) => command.name() === "wallet")!;
    for (const [theirs, ours] of [
      [namesIn(help.stdout), program],
      [namesIn(walletHelp.stdout), group],
    ] as const) {
      for (const command of ours.commands) {
        const names = [command.name(), ...command.aliases()];
        const words = theirs.find(([name]) => name !== undefined && names.includes(name)) ?? [];
        const missing = words.filter((word) => !word.startsWith("-") && !names.includes(word));
        deepEqual(
          missing.filter((word) => !OTHER_WORDS.includes(word)),
          [],
          command.name(),
        );
      }
    }
  });

  it("that would show a secret are refused, and do not repeat it", async () => {
    const secret = toHex(new Uint8Array(32).fill(7));
    for (const [flag, advice] of [
      ["--private-key", /jurat-wallet import - --name NAME/],
      ["--mnemonic", /import --mnemonic-file/],
      ["--password", /--password-file/],
    ] as const) {
      const words = ["node", "jurat-wallet", "send", BOB, flag, secret];
      await rejects(createProgram().parseAsync(words), ({ kind, message }: WalletError) => {
        equal(kind, "usage");
        match(message, advice);
        return !message.includes(secret);
      });
    }
  });

  it("sign the same", async function () {
    const cast = castProgram(this);
    const key = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
    for (const args of [["hello"], ["0x1234"], ["--data", TYPED]]) {
      const [theirs, ours] = await Promise.all([
        runProgram(cast, ["wallet", "sign", "--private-key", key, ...args]),
        wallet("w", "s", "--from", "dev:0", ...args),
      ]);
      equal(ours.stdout, theirs.stdout, ours.stderr);
    }
  });
});

/** Words of cast for something else, which are ours too. */
const OTHER_WORDS: readonly string[] = [];

/** Of `cast --help`: each command with its aliases. */
function namesIn(help: string): readonly (readonly string[])[] {
  const joined = help.replace(/\n {10,}/g, " ");
  return [...joined.matchAll(/^ {2}([a-z0-9][\w-]*) .*?(?:\[aliases: ([^\]]+)\])?$/gm)].map(
    ([, name = "", aliases = ""]) => [name, ...aliases.split(",").map((one) => one.trim())].filter(Boolean),
  );
}

/** Values, without how they are set: key order, letter case of addresses, and quotes. */
function same(text: string): unknown {
  return plain(text.toLowerCase());
}
