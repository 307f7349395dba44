import { deepEqual, doesNotMatch, equal, match, ok, throws } from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { ZERO_ADDRESS } from "../../primitives/bytes.ts";
import { readConfig, updateConfig } from "../../wallet-cli/config.ts";
import { parseCsv } from "../../wallet-cli/csv.ts";
import { createProgram } from "../../wallet-cli/program.ts";
import { EXIT_CODES, type WalletError } from "../../wallet-cli/wallet-error.ts";
import { castProgram } from "../support/cast.ts";
import { runProgram } from "../support/program-run.ts";
import { withScratchDirectory } from "../support/scratch-directory.ts";
import { PROJECT_ROOT, readJson } from "../support/vectors.ts";

const refused = (kind: string, pattern: RegExp) => (error: WalletError) => {
  equal(error.kind, kind);
  match(error.message, pattern);
  return true;
};

const wallet = (...args: string[]) =>
  runProgram(process.execPath, [join(PROJECT_ROOT, "dist/wallet-cli/main.js"), ...args], {
    env: { JURAT_CONFIG: "/nowhere/config.json", NO_COLOR: "1" },
  });

/** Commands that do something, not those that only group others. */
function leavesOf(command: Command): readonly Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(leavesOf);
}

function helpOf(command: Command): string {
  let text = "";
  command.configureOutput({ writeOut: (part) => (text += part) });
  command.outputHelp();
  return text;
}

describe("the wallet's commands", () => {
  it("each have a description, an example and --json", () => {
    const leaves = leavesOf(createProgram());
    ok(leaves.length > 40);
    const silent = leaves.filter(
      (command) => !/Examples?[:,]/.test(helpOf(command)) || command.description() === "",
    );
    deepEqual(
      silent.map((command) => command.name()),
      [],
    );
    const withoutJson = leaves.filter((command) => !command.options.some(({ long }) => long === "--json"));
    deepEqual(
      withoutJson.map((command) => command.name()),
      [],
    );
  });

  it("end with the code the book gives them", () => {
    const book = readFileSync(join(PROJECT_ROOT, "specs/wallet/wallet.md"), "utf8");
    const listed = [...book.matchAll(/^\| (\d) \|/gm)].map(([, code]) => Number(code));
    deepEqual(listed, Object.values(EXIT_CODES));
  });

  it("load neither viem nor the compiler until one of them is run", async () => {
    const folder = join(PROJECT_ROOT, "dist/wallet-cli");
    const loadedBy = async (...args: string[]) => {
      const run = [join(folder, "main.js"), ...args];
      const { stderr } = await runProgram(process.execPath, run, { env: { NODE_DEBUG: "esm" } });
      const files = new Set(["main.js", ...(stderr.match(/packed-[A-Z0-9]+\.js/g) ?? [])]);
      return [...files].map((name) => readFileSync(join(folder, name), "utf8")).join("\n");
    };
    match(await loadedBy("--help"), /node_modules\/commander\//);
    doesNotMatch(await loadedBy("--help"), /node_modules\/(?:viem|zod|@noble)\//);
    doesNotMatch(await loadedBy("balance", "dev:0"), /node_modules\/(?:viem|zod)\//);
    match(await loadedBy("sig", "f()"), /node_modules\/viem\//);
  });

  it("complete in bash: the script parses and offers what may follow", async () => {
    const script = (await wallet("completions", "bash")).stdout;
    const complete = async (...words: string[]) => {
      const line = `${script}\nCOMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length - 1}; _jurat_wallet; echo "\${COMPREPLY[*]}"`;
      return (await runProgram("bash", ["-c", line])).stdout.trim();
    };
    equal(await complete("jurat-wallet", "bal"), "balance");
    equal(await complete("jurat-wallet", "network", "us"), "use");
    equal(await complete("jurat-wallet", "send", "--dry"), "--dry-run");
    equal(await complete("jurat-wallet", "send", "dev:1", "--dry"), "--dry-run");
    match(await complete("jurat-wallet", "send", "dev:1", "--from", "dev:"), /^dev:0 dev:1 /);
    equal(await complete("jurat-wallet", "send", "dev:1", "--confirmations", ""), "finalized");
    equal(await complete("jurat-wallet", "staking", "de"), "deposit");
    const asJson = JSON.parse((await wallet("completions", "bash", "--json")).stdout) as { script: string };
    equal(asJson.script, script);
  });

  it("complete in zsh and fish, with what each word means", async () => {
    const lines = [
      "jurat-wallet bal",
      "jurat-wallet network us",
      "jurat-wallet send --dry",
      "jurat-wallet send x --from dev:9",
    ];
    await withScratchDirectory(async (directory) => {
      for (const shell of ["zsh", "fish"] as const) {
        if (!(await isInstalled(shell))) {
          console.error(`      pending: ${shell} is not installed`);
          continue;
        }
        const file = join(directory, shell);
        writeFileSync(file, (await wallet("completions", shell)).stdout);
        const [commands, below, flags, accounts = ""] = await Promise.all(
          lines.map((line) => offersOf[shell](file, line)),
        );
        const parts = (text = "") => text.trim().split(/[\t:]/);
        deepEqual([commands, below, flags].map(parts), [
          ["balance", "balance of an account"],
          ["use", "the network that is used when none is named"],
          ["--dry-run", "show what would be sent, and send nothing"],
        ]);
        match(accounts, /^dev:9\b/);
      }
    });
  });
});

async function isInstalled(shell: string): Promise<boolean> {
  return (await runProgram("sh", ["-c", `command -v ${shell}`])).code === 0;
}

/** What a shell would offer at the end of a line. */
const offersOf = {
  fish: async (file: string, line: string) =>
    (await runProgram("fish", ["-N", "-c", `source ${file}; complete -C "${line}"`])).stdout,
  // Its own functions are put in place of the ones that draw; they get what is offered.
  async zsh(file: string, line: string) {
    const [prefix = ""] = line.split(" ").slice(-1);
    const stand = `compdef() { : }; _files() { : }
      _describe() { print -l -- \${(M)\${(P)2}:#${prefix.replaceAll("-", "\\-")}*} }
      compadd() { shift; print -l -- \${(M)@:#${prefix}*} }`;
    const words = line
      .split(" ")
      .map((word) => `'${word}'`)
      .join(" ");
    const run = `${stand}\nsource ${file}\nwords=(${words}); CURRENT=\${#words}; _jurat_wallet`;
    return (await runProgram("zsh", ["-f", "-c", run])).stdout;
  },
} as const;

describe("the wallet's ABI commands", function () {
  this.timeout(60_000);

  it("encode, decode and select as cast does", async function () {
    const cast = castProgram(this);
    const same = async (...args: string[]) => {
      const [ours, theirs] = await Promise.all([wallet(...args), runProgram(cast, args)]);
      equal(ours.code, 0, ours.stderr);
      equal(ours.stdout, theirs.stdout);
      return ours.stdout.trim();
    };
    const data = await same(
      "abi-encode",
      "f(uint256,string,bool,bytes4)",
      "7",
      "héllo",
      "true",
      "0x01020304",
    );
    await same(
      "calldata",
      "transfer(address,uint256)",
      ZERO_ADDRESS,
      "340282366920938463463374607431768211456",
    );
    await same("sig", "transfer(address,uint256)");
    const decoded = await wallet("abi-decode", "f(uint256,string,bool,bytes4)", data, "--input", "--json");
    deepEqual(JSON.parse(decoded.stdout), ["7", "héllo", true, "0x01020304"]);
  });

  it("find a selector in local contracts, and say when there is none", async () => {
    await withScratchDirectory(async (directory) => {
      const file = join(directory, "abi.json");
      const inputs = [{ type: "address" }, { type: "uint256" }];
      writeFileSync(file, JSON.stringify([{ type: "function", name: "transfer", inputs, outputs: [] }]));
      equal((await wallet("4byte", "0xa9059cbb0000", "--abi", file)).stdout, "transfer(address,uint256)\n");
      const unknown = await wallet("4byte", "0x00000000", "--abi", file);
      deepEqual([unknown.code, unknown.stdout], [EXIT_CODES.notFound, ""]);
    });
  });
});

describe("the wallet's settings", () => {
  it("are written whole, and refused with a reason when they are damaged or locked", async () => {
    await withScratchDirectory(async (directory) => {
      const path = join(directory, "below", "config.json");
      deepEqual(readConfig(path), { networks: {}, contacts: {} });
      const settings = {
        network: "a",
        networks: { a: { rpcUrl: "http://a", chainId: 1 } },
        contacts: { bob: ZERO_ADDRESS },
      };
      updateConfig(() => settings, path);
      deepEqual(readConfig(path), settings);
      deepEqual(readJson(path), settings);
      writeFileSync(`${path}.new`, "");
      throws(() => updateConfig((config) => config, path), refused("file", /is locked/));
      for (const [text, pattern] of [
        ["{", /not JSON/],
        ["[]", /no object/],
        ['{"networks":{"a":{}}}', /rpcUrl/],
        ['{"network":"b"}', /"b"/],
        ['{"contacts":{"bob":"0x1"}}', /contact bob/],
      ] as const) {
        writeFileSync(path, text);
        throws(() => readConfig(path), refused("file", pattern), text);
      }
    });
  });
});

describe("a batch's table", () => {
  const columns = ["to", "value", "function"];
  const read = (text: string) => parseCsv(text, columns, ["to", "value"]);

  it("is CSV: quotes hold commas, quotes and line ends, and empty lines do not count", () => {
    deepEqual(read('To,value,function\r\na,1,"f(uint256,""x"")"\n\nb,"2\n"\n'), [
      { line: 2, cells: { to: "a", value: "1", function: 'f(uint256,"x")' } },
      { line: 4, cells: { to: "b", value: "2", function: "" } },
    ]);
    deepEqual(read("to,value"), []);
  });

  it("is refused with the line that is wrong", () => {
    throws(() => read("to,amount\na,1"), refused("usage", /to,value,function/));
    throws(() => read("to,value\na,1,2"), refused("usage", /line 2 has 3 cells/));
    throws(() => read('to,value\na,"1'), refused("usage", /line 2: a quote/));
  });
});
