/** Hosts in network namespaces of their own, joined by a switch in user space that can delay, lose and cut. See specs/campaigns/netfaults/netfaults.md. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { PROJECT_ROOT } from "../../support/vectors.ts";

/** What one direction of a link does to what it carries; all zero is a cable. */
export type LinkFault = {
  readonly delayMs?: number;
  /** Up to so much more, at random. */
  readonly jitterMs?: number;
  readonly lossPercent?: number;
  readonly bytesPerSecond?: number;
  /** Silence: nothing arrives, and nobody is told. */
  readonly isCut?: boolean;
};

export type SwitchCounts = { readonly forwarded: number; readonly lost: number; readonly dropped: number };

export type Host = {
  readonly number: number;
  /** Where other hosts reach it, over the switch. */
  readonly address: string;
  /** Where this process reaches it, past the switch and its faults. */
  readonly controlAddress: string;
  /** Put in front of a command, it makes it run on this host. */
  readonly enter: readonly string[];
};

export type FaultSwitch = {
  /** Makes one more host, with the next number from 1. */
  addHost(): Promise<Host>;
  setLink(from: number, to: number, fault: LinkFault): Promise<void>;
  counts(): Promise<SwitchCounts>;
  close(): Promise<void>;
};

/** The networks that RFC 2544 sets apart for tests of network devices. */
const PEER_NETWORK = "198.18.0";
const CONTROL_NETWORK = "198.19";
/** Frames of TCP over a TAP device; the switch reads frames of up to 2048 bytes. */
const MTU = 1500;
const HOSTS_LIMIT = 64;

/** What is missing to make namespaces here; undefined when nothing is. */
export function whatIsMissing(): string | undefined {
  if (process.platform !== "linux") return "Linux";
  if (process.getuid?.() !== 0) return "root, to make network namespaces";
  for (const [program, ...args] of [
    ["unshare", "--net", "true"],
    ["nsenter", "--version"],
    ["ip", "-V"],
    ["python3", "--version"],
  ] as const) {
    try {
      execFileSync(program, args, { stdio: "ignore" });
    } catch {
      return `the program ${program}`;
    }
  }
  try {
    accessSync("/dev/net/tun", constants.R_OK | constants.W_OK);
  } catch {
    return "/dev/net/tun";
  }
  return undefined;
}

/**
 * Begins without hosts. The process itself should be in a namespace of its own (`enterOwnNamespace`): devices and
 * namespaces then vanish with it, however it ends.
 */
export function startFaultSwitch(): FaultSwitch {
  const program = fileURLToPath(new URL("specs/campaigns/netfaults/switch.py", `file://${PROJECT_ROOT}/`));
  const child = spawn("python3", [program], { stdio: ["pipe", "pipe", "inherit"], detached: true });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const keepers: ChildProcess[] = [];
  // One at a time, since answers come in the order of the questions.
  let last: Promise<unknown> = Promise.resolve();
  const ask = <Answer>(request: object): Promise<Answer> => {
    const answer = last.then(async () => {
      child.stdin.write(`${JSON.stringify(request)}\n`);
      const { value, done } = await answers.next();
      if (done === true) throw new Error("the switch ended");
      return JSON.parse(value) as Answer;
    });
    last = answer.catch(() => undefined);
    return answer;
  };

  return {
    async addHost() {
      const number = keepers.length + 1;
      if (number > HOSTS_LIMIT) throw new Error(`more than ${HOSTS_LIMIT} hosts`);
      // A namespace lives as long as a process in it; this one ends when its stdin does.
      const keeper = spawn("unshare", ["--net", "--", "sh", "-c", "echo in; read -r _"], {
        stdio: ["pipe", "pipe", "inherit"],
        detached: true,
      });
      keepers.push(keeper);
      await once(keeper.stdout, "data");
      await ask({ open: number });
      return furnish(number, keeper.pid ?? 0);
    },
    async setLink(from, to, fault) {
      await ask({ from, to, ...fault });
    },
    counts: () => ask({ counts: true }),
    async close() {
      const ended = [child, ...keepers].map((one) => (one.exitCode === null ? once(one, "exit") : undefined));
      for (const keeper of keepers) keeper.stdin?.end();
      child.stdin.end();
      await Promise.all(ended);
    },
  };
}

/** Gives a new namespace its two devices: one on the switch, one to this process. */
function furnish(number: number, pid: number): Host {
  const enter = ["nsenter", `--net=/proc/${pid}/ns/net`, "--"];
  const ip = (...args: readonly string[]) => execFileSync("ip", args, { stdio: "pipe" });
  const inside = (...args: readonly string[]) =>
    execFileSync(enter[0] ?? "", [...enter.slice(1), "ip", ...args], { stdio: "pipe" });
  const [address, controlAddress] = [`${PEER_NETWORK}.${number}`, `${CONTROL_NETWORK}.${number}.2`];
  const mac = `02:00:00:00:00:${number.toString(16).padStart(2, "0")}`;
  ip("link", "set", `jurat${number}`, "netns", String(pid));
  inside("link", "set", `jurat${number}`, "address", mac, "mtu", String(MTU));
  inside("addr", "add", `${address}/24`, "dev", `jurat${number}`);
  ip("link", "add", `control${number}`, "type", "veth", "peer", "name", "control", "netns", String(pid));
  ip("addr", "add", `${CONTROL_NETWORK}.${number}.1/30`, "dev", `control${number}`);
  ip("link", "set", `control${number}`, "up");
  inside("addr", "add", `${controlAddress}/30`, "dev", "control");
  for (const device of ["lo", "control", `jurat${number}`]) inside("link", "set", device, "up");
  return { number, address, controlAddress, enter };
}

const INSIDE = "JURAT_NETFAULTS_NAMESPACE";

/** Whether this process runs in the namespace it made for itself. */
export const isInOwnNamespace = (): boolean => process.env[INSIDE] !== undefined;

/** Runs this program again in a network namespace of its own; resolves with its exit code. */
export async function enterOwnNamespace(): Promise<number> {
  const args = ["--net", "--", process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const child = spawn("unshare", args, { stdio: "inherit", env: { ...process.env, [INSIDE]: "1" } });
  // A signal to the group reaches the child too, which then stops in order; this process waits for it.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal));
  const [code] = (await once(child, "exit")) as [number | null];
  return code ?? 1;
}
