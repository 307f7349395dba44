/** A real Prometheus over a running network, for specs that prove that dashboards and alerts have something to show. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parse, stringify } from "yaml";
import { PROJECT_ROOT } from "./vectors.ts";

const DEPLOY = join(PROJECT_ROOT, "deploy");
const ANSWER_LIMIT_MS = 60_000;
const POLL_MS = 250;

/** Debian's package `prometheus`. Where it is absent the spec is pending; with CI=true that is a failure. */
export function prometheusInstalled(context: Mocha.Context): void {
  try {
    execFileSync("promtool", ["--version"], { stdio: "ignore" });
  } catch {
    const reason = "prometheus and promtool are not installed (Debian: apt-get install prometheus)";
    if (process.env["CI"] === "true") throw new Error(reason);
    console.error(`      pending: ${reason}`);
    context.skip();
  }
}

/** Throws with promtool's words when it refuses. */
export function promtool(...args: readonly string[]): string {
  return execFileSync("promtool", [...args], {
    cwd: join(DEPLOY, "prometheus"),
    encoding: "utf8",
    stdio: "pipe",
  });
}

type Rule = { readonly alert: string; readonly expr: string };
type Panel = { readonly title: string; readonly targets?: readonly { readonly expr: string }[] };

export function alertRules(): readonly Rule[] {
  const text = readFileSync(join(DEPLOY, "prometheus/alerts.yml"), "utf8");
  const { groups } = parse(text) as { groups: readonly { readonly rules: readonly Rule[] }[] };
  return groups.flatMap(({ rules }) => rules);
}

/** Every query of the dashboard, its variables replaced by what Grafana would put there. */
export function dashboardQueries(): readonly { readonly panel: string; readonly query: string }[] {
  const text = readFileSync(join(DEPLOY, "grafana/jurat.json"), "utf8");
  const { panels } = JSON.parse(text) as { readonly panels: readonly Panel[] };
  return panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({
      panel: title,
      query: expr.replaceAll("$instance", ".*").replaceAll("$__rate_interval", "1m"),
    })),
  );
}

export class Prometheus {
  readonly #process: ChildProcess;
  readonly #dir: string;
  readonly #url: string;
  #words = "";

  private constructor(process: ChildProcess, dir: string, url: string) {
    this.#process = process;
    this.#dir = dir;
    this.#url = url;
    process.stderr?.on("data", (chunk: Buffer) => {
      this.#words = `${this.#words}${chunk}`.slice(-4000);
    });
  }

  /** Scrapes these targets with the project's own configuration, once a second. */
  static async start(targets: readonly string[]): Promise<Prometheus> {
    const dir = mkdtempSync(join(tmpdir(), "jurat-prometheus-"));
    cpSync(join(DEPLOY, "prometheus"), dir, { recursive: true });
    const config = parse(readFileSync(join(dir, "prometheus.yml"), "utf8"));
    config.global = { scrape_interval: "1s", evaluation_interval: "1s" };
    config.scrape_configs[0].static_configs[0].targets = targets;
    writeFileSync(join(dir, "prometheus.yml"), stringify(config));
    const address = `127.0.0.1:${await freePort()}`;
    const child = spawn(
      "prometheus",
      [
        `--config.file=${join(dir, "prometheus.yml")}`,
        `--storage.tsdb.path=${join(dir, "data")}`,
        `--web.listen-address=${address}`,
      ],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    return new Prometheus(child, dir, `http://${address}`);
  }

  /** The samples an expression gives now; none while Prometheus is not up. */
  async query(expression: string): Promise<readonly unknown[]> {
    if (this.#process.exitCode !== null) throw new Error(`prometheus ended: ${this.#words}`);
    const url = `${this.#url}/api/v1/query?query=${encodeURIComponent(expression)}`;
    const response = await fetch(url).catch(() => undefined);
    if (response === undefined) return [];
    const answer = (await response.json()) as {
      status: string;
      error?: string;
      data?: { result: unknown[] };
    };
    if (response.status === 400) throw new Error(`${expression}: ${answer.error}`);
    return answer.data?.result ?? [];
  }

  /** Those of the expressions that still have no data when the time is over. */
  async withoutData(expressions: readonly string[]): Promise<readonly string[]> {
    const deadline = performance.now() + ANSWER_LIMIT_MS;
    let missing = expressions;
    while (missing.length > 0 && performance.now() < deadline) {
      const answers = await Promise.all(missing.map((expression) => this.query(expression)));
      missing = missing.filter((_, index) => answers[index]?.length === 0);
      if (missing.length > 0) await pause(POLL_MS);
    }
    return missing;
  }

  async stop(): Promise<void> {
    const ended = once(this.#process, "close");
    if (this.#process.exitCode === null) {
      this.#process.kill("SIGTERM");
      await ended;
    }
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}
