/** How long the wallet takes from the key press to the answer, beside cast. */
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { median } from "./median.ts";

const WALLET = fileURLToPath(new URL("../wallet-cli/main.js", import.meta.url));
const RUNS = 11;

export type WalletRow = {
  readonly name: string;
  readonly oursMs: number;
  readonly theirsMs: number | undefined;
};

/** Whole runs of each program, in turn; cast is an optional package of one platform. */
export function benchWallet(url: string): readonly WalletRow[] {
  const account = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
  const commands: readonly (readonly string[])[] = [
    ["--help"],
    ["sig", "transfer(address,uint256)"],
    ["abi-encode", "f(address,uint256)", account, "5"],
    ["balance", account, "--rpc-url", url],
  ];
  const cast = castPath();
  return commands.map((args) => {
    const [ours, theirs]: [number[], number[]] = [[], []];
    for (let run = 0; run < RUNS; run++) {
      ours.push(timeOf(process.execPath, [WALLET, ...args]));
      if (cast !== undefined) theirs.push(timeOf(cast, args));
    }
    return {
      name: args[0] ?? "",
      oursMs: median(ours),
      theirsMs: cast === undefined ? undefined : median(theirs),
    };
  });
}

function timeOf(program: string, args: readonly string[]): number {
  const start = performance.now();
  const { status, stderr } = spawnSync(program, [...args], { encoding: "utf8" });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")}: ${stderr}`);
  return performance.now() - start;
}

function castPath(): string | undefined {
  try {
    const manifest = createRequire(import.meta.url).resolve("@foundry-rs/cast-linux-amd64/package.json");
    return join(manifest, "..", "bin", "cast");
  } catch {
    return undefined;
  }
}
