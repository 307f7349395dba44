/** Foundry's anvil as a child process, where its package for this platform is installed. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { join } from "node:path";
import { freeBasePort } from "../specs/support/free-ports.ts";
import { createBenchClient } from "./bench-client.ts";

const CHAIN_ID = 8701;

export type Anvil = { readonly url: string; readonly chainId: number; stop(): Promise<void> };

/** Blocks every second with our gas limit. Undefined where the package is not installed. */
export async function startAnvil(): Promise<Anvil | undefined> {
  const program = anvilProgram();
  if (program === undefined) return undefined;
  const port = await freeBasePort(1);
  const args = [
    "--port",
    String(port),
    "--block-time",
    "1",
    "--gas-limit",
    "30000000",
    "--chain-id",
    String(CHAIN_ID),
  ];
  const child = spawn(program, [...args, "--silent"], { stdio: "ignore" });
  const exited = once(child, "exit");
  const url = `http://127.0.0.1:${port}`;
  const client = createBenchClient(url, 1);
  for (let isUp = false; !isUp; ) {
    isUp = await client.call("eth_chainId", []).then(
      () => true,
      () => false,
    );
    if (child.exitCode !== null) throw new Error(`anvil ended with code ${child.exitCode}`);
  }
  client.close();
  return {
    url,
    chainId: CHAIN_ID,
    async stop() {
      child.kill();
      await exited;
    },
  };
}

function anvilProgram(): string | undefined {
  try {
    const manifest = createRequire(import.meta.url).resolve("@foundry-rs/anvil-linux-amd64/package.json");
    return join(manifest, "..", "bin", "anvil");
  } catch {
    return undefined;
  }
}
