import { deepEqual, equal, match, ok } from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parse } from "yaml";
import { PROJECT_ROOT, readJson } from "../support/vectors.ts";
import { installPacked } from "./packed-package.ts";

const DEPLOY = join(PROJECT_ROOT, "deploy");
const SCRIPT = join(PROJECT_ROOT, "specs/deploy/container.sh");
// biome-ignore lint/suspicious/noExplicitAny: manifests are looked at, not modelled.
type Manifest = any;

const readManifest = (path: string): Manifest => parse(readFileSync(join(DEPLOY, path), "utf8"));

/** What the pod's container is told: the base's variables, and those of the validator overlay. */
function podEnvironment(): Record<string, string> {
  const sets = ["kubernetes/base/stateful-set.yaml", "kubernetes/overlays/validator/keys.yaml"].map(
    readManifest,
  );
  const entries = sets.flatMap(({ spec }) => spec.template.spec.containers[0].env);
  return Object.fromEntries(entries.map(({ name, value }: Manifest) => [name, String(value)]));
}

/** The Dockerfile's HEALTHCHECK, as a list of words. */
function healthCheck(): readonly string[] {
  const [, words] =
    /HEALTHCHECK [^[]*CMD (\[.*\])/.exec(readFileSync(join(DEPLOY, "docker/Dockerfile"), "utf8")) ?? [];
  return JSON.parse(words ?? "") as readonly string[];
}

/** Why no container can be imitated here, if so. */
function whatIsMissing(): string | undefined {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "root on Linux";
  try {
    const probe =
      "ip link set lo up && mount -t tmpfs tmpfs /mnt && command -v setpriv && command -v nsenter";
    execFileSync("unshare", ["--mount", "--net", "--", "sh", "-c", probe], { stdio: "pipe" });
    return undefined;
  } catch (error) {
    return `what this refused: ${error instanceof Error ? error.message : String(error)}`;
  }
}

describe("a validator's pod, without a cluster", function () {
  this.timeout(120_000);
  let volumes: string;
  let image: string;

  before(function () {
    const missing = whatIsMissing();
    if (missing !== undefined) {
      if (process.env["CI"] === "true") throw new Error(`it takes ${missing}`);
      console.error(`      pending: it takes ${missing}`);
      this.skip();
    }
    image = installPacked();
    chmodSync(image, 0o755);
    copyFileSync(process.execPath, join(image, "node"));
    chmodSync(join(image, "node"), 0o755);
    volumes = mkdtempSync(join(tmpdir(), "jurat-pod-"));
    for (const name of ["data", "validator", "chain", "keys", "password"]) mkdirSync(join(volumes, name));
    makeChain();
  });

  after(() => {
    for (const folder of [volumes, image])
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  const run = (program: string, ...args: readonly string[]) =>
    execFileSync(process.execPath, [join(image, "node_modules/jurat/dist", program), ...args], {
      stdio: "pipe",
    });

  /** One validator, whose key is made as its operator would make it. */
  function makeChain(): void {
    const [keys, password] = [join(volumes, "keys"), join(volumes, "password/keystore-password")];
    writeFileSync(password, "correct horse battery staple\n", { mode: 0o600 });
    run("wallet-cli/main.js", "staking", "key", ...["--key-password-file", password, "--out", keys]);
    const [file = ""] = readdirSync(keys);
    const { pubkey } = readJson<{ pubkey: string }>(join(keys, file));
    const list = join(volumes, "validators.json");
    const validator = { withdrawalAddress: `0x${"01".repeat(20)}`, amountGwei: "32000000000" };
    writeFileSync(list, JSON.stringify([{ publicKey: `0x${pubkey}`, ...validator }]));
    const terms = ["--chain-id", "8701", "--genesis-time", "+1", "--validators", list];
    run("node/main.js", "genesis", "make", ...terms, "--out", join(volumes, "chain/chain.json"));
  }

  /** Starts the pod: first its init container's command, then its node. */
  function startPod(): ChildProcess {
    const [init] = readManifest("kubernetes/overlays/validator/keys.yaml").spec.template.spec.initContainers;
    const [, , copyKeys] = init.command as readonly string[];
    const node = "exec /image/node /image/node_modules/jurat/dist/node/main.js run";
    const modules = join(PROJECT_ROOT, "node_modules");
    const command = ["sh", "-c", `(${copyKeys}) && ${node}`];
    return spawn("unshare", ["--mount", "--net", "--", "sh", SCRIPT, volumes, image, modules, ...command], {
      // Over the ipc channel the node ends with this process, however that ends.
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      env: { PATH: process.env["PATH"], ...podEnvironment(), JURAT_NODE_SINGLE_NODE: "true" },
    });
  }

  /** Waits for its first block, asks for its health, and ends it. */
  async function checkPod(pod: ChildProcess): Promise<void> {
    const ended = once(pod, "close");
    let ready = "";
    pod.stdout?.on("data", (bytes: Buffer) => {
      ready += bytes.toString();
    });
    let log = "";
    ok(pod.stderr !== null);
    for await (const line of createInterface({ input: pod.stderr })) {
      log += `${line}\n`;
      if (/"headSlot":[1-9]/.test(line)) break;
    }
    pod.stderr.resume();
    match(log, /"headSlot":[1-9]/);
    match(ready, /"rpc":"http:\/\/0\.0\.0\.0:8545"/);
    const [program, ...args] = healthCheck();
    equal(program, "node");
    const target = ["--target", String(pod.pid), "--net", "--", process.execPath];
    execFileSync("nsenter", [...target, ...args], { stdio: "pipe" });
    pod.kill("SIGTERM");
    deepEqual(await ended, [0, null]);
  }

  it("opens its volumes, signs, is healthy and ends at SIGTERM: user 1000, and a root that cannot be written", async () => {
    const pod = startPod();
    try {
      await checkPod(pod);
    } finally {
      pod.kill("SIGKILL");
    }
    const signed = statSync(join(volumes, "validator/data.mdb"));
    deepEqual([signed.uid, signed.gid], [1000, 1000]);
    deepEqual(readdirSync(join(volumes, "data")).sort(), [
      "consensus",
      "execution",
      "network-key",
      "validator",
    ]);
    equal(statSync(join(volumes, "data/network-key")).mode & 0o777, 0o600);
  });
});
