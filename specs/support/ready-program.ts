/** A long-running command of jurat as a real process, from its ready line to its end. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { PROJECT_ROOT } from "./vectors.ts";

export type ReadyProgram = {
  /** What the ready line says: its addresses, by name. */
  readonly endpoints: Readonly<Record<string, string>>;
  readonly peerAddresses: readonly string[];
  /** Everything on stderr so far. */
  errors(): string;
  /** Resolves with the exit code, or null after a signal. */
  readonly ended: Promise<number | null>;
  end(signal: NodeJS.Signals): Promise<number | null>;
};

/** @throws with what it wrote when it ends before it is ready. */
export async function startProgram(args: readonly string[]): Promise<ReadyProgram> {
  const program = join(PROJECT_ROOT, "dist/node/main.js");
  // Over the ipc channel it ends with this process, however that ends.
  const child: ChildProcess = spawn(process.execPath, ["--enable-source-maps", program, ...args], {
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  let errors = "";
  child.stderr!.on("data", (chunk: Buffer) => {
    errors += chunk;
  });
  const ended = once(child, "close").then(([code]) => code as number | null);
  const line = once(createInterface({ input: child.stdout! }), "line").then(([text]) => String(text));
  const first = await Promise.race([line, ended]);
  if (typeof first !== "string") throw new Error(`it ended with code ${first}: ${errors}`);
  const endpoints = JSON.parse(first) as Record<string, string>;
  return {
    endpoints,
    peerAddresses: (endpoints as unknown as { readonly p2p?: readonly string[] }).p2p ?? [],
    errors: () => errors,
    ended,
    end(signal) {
      child.kill(signal);
      return ended;
    },
  };
}

/** `jurat run` on free ports. */
export function startNodeProgram(
  dir: string,
  chainSpec: string,
  flags: readonly string[],
): Promise<ReadyProgram> {
  const ports = ["rpc", "p2p", "metrics", "beacon", "keymanager"].flatMap((name) => [`--${name}-port`, "0"]);
  const feeRecipient = ["--fee-recipient", `0x${"fe".repeat(20)}`];
  return startProgram(["run", "--dir", dir, "--chain-spec", chainSpec, ...ports, ...feeRecipient, ...flags]);
}
