/** One `jurat` process of the testnet: started, watched, stopped. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, mkdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { assert } from "../primitives/errors.ts";

const NODE_PROGRAM = fileURLToPath(new URL("../node/main.js", import.meta.url));
/** A node flushes its databases within this time after SIGTERM; then it is killed, which loses nothing. */
const STOP_TIMEOUT_MS = 10_000;
/** Lines of a failing node's log that are shown to the user. */
const LAST_LINES = 12;

/** A node that ended although nobody stopped it; the message holds its last words. */
export class NodeFailedError extends Error {
  override readonly name = "NodeFailedError";
}

export type NodeProcess = {
  readonly number: number;
  readonly url: string;
  readonly logPath: string;
  readonly process: ChildProcess;
  /** Resolves when the node serves JSON-RPC; rejects with its last words when it ends before. */
  readonly ready: Promise<void>;
  /** Resolves when the process has ended, whatever the reason. */
  readonly ended: Promise<void>;
  lastWords(): string;
};

export type NodeLaunch = {
  readonly number: number;
  readonly dir: string;
  readonly rpcPort: number;
  readonly args: readonly string[];
  /** Flags of Node itself. */
  readonly runtimeFlags?: readonly string[];
  /** Where JSON-RPC is reached, when not on loopback. */
  readonly rpcHost?: string;
  /** In front of the command: a program that enters a namespace, say. */
  readonly enter?: readonly string[];
};

/** Starts `jurat run` with its log in <dir>/node.log. The node ends by itself when this process dies. */
export function startNode(launch: NodeLaunch): NodeProcess {
  const { number, dir, rpcPort, args, runtimeFlags = [], rpcHost = "127.0.0.1", enter = [] } = launch;
  mkdirSync(dir, { recursive: true });
  const logPath = join(dir, "node.log");
  const node = [process.execPath, "--enable-source-maps", ...runtimeFlags, NODE_PROGRAM, "run", ...args];
  const [program = process.execPath, ...rest] = [...enter, ...node];
  const child = spawn(program, rest, {
    // The ipc channel closes when this process dies, also by kill -9: the node then stops.
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    // A group of its own, so that Ctrl-C reaches this process only, which then stops the nodes in order.
    detached: true,
  });
  const { stdout, stderr } = child;
  assert(stdout !== null && stderr !== null, "a child with pipes has streams");
  const log = createWriteStream(logPath, { flags: "a" });
  const lastLines: string[] = [];
  createInterface({ input: stderr }).on("line", (line) => {
    log.write(`${line}\n`);
    lastLines.push(line);
    if (lastLines.length > LAST_LINES) lastLines.shift();
  });

  const lastWords = () =>
    `node ${number} ended. Its last lines (all in ${logPath}):\n${lastLines.join("\n")}`;
  const ended = once(child, "close").then(() => {
    log.end();
  });
  const ready = new Promise<void>((resolve, reject) => {
    createInterface({ input: stdout }).on("line", (line) => {
      if (line.startsWith('{"ready":true')) resolve();
    });
    ended.then(() => reject(new NodeFailedError(lastWords())));
    child.once("error", reject);
  });
  // Whoever starts the node awaits `ready` or `ended`; neither may crash this process by itself.
  ready.catch(() => undefined);
  return { number, url: `http://${rpcHost}:${rpcPort}`, logPath, process: child, ready, ended, lastWords };
}

/** Asks the node to stop and waits; a node that hangs is killed. */
export async function stopNode(node: NodeProcess): Promise<void> {
  if (node.process.exitCode !== null || node.process.signalCode !== null) return;
  const killer = setTimeout(() => node.process.kill("SIGKILL"), STOP_TIMEOUT_MS);
  node.process.kill("SIGTERM");
  await node.ended;
  clearTimeout(killer);
}
