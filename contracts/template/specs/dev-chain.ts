/** A development chain in a process of its own, for the length of a test run. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export type DevChain = { readonly url: string; stop(): void };

const JURAT = fileURLToPath(new URL("dist/node/main.js", import.meta.resolve("jurat/package.json")));

/** Takes a free port; nothing is kept. */
export function startDevChain(): Promise<DevChain> {
  const child = spawn(process.execPath, [JURAT, "dev", "--rpc-port", "0"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  return new Promise((resolve, reject) => {
    let printed = "";
    child.on("error", reject);
    child.on("exit", (code) => reject(new Error(`jurat dev ended with code ${code}:\n${printed}`)));
    child.stdout.on("data", (chunk: Buffer) => {
      printed += chunk;
      const url = /^listening on (\S+)$/m.exec(printed)?.[1];
      if (url !== undefined) resolve({ url, stop: () => void child.kill() });
    });
  });
}
