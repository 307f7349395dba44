/** A real testnet in child processes, for specs: its JSON lines as events to wait for. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { PROJECT_ROOT } from "./vectors.ts";

export type StepLine = { readonly type: "step"; readonly step: string; readonly seconds: number };
export type ReadyLine = {
  readonly type: "ready";
  readonly chainId: number;
  readonly endpoints: readonly string[];
  readonly processes: readonly number[];
};
export type NodeLine = {
  readonly node: number;
  readonly slot: number | null;
  readonly head: number | null;
  readonly justified: number | null;
  readonly finalized: number | null;
  readonly lag: number | null;
  readonly peers: number | null;
};
export type StatusLine = { readonly type: "status"; readonly nodes: readonly NodeLine[] };
export type TestnetLine = StepLine | ReadyLine | StatusLine;

export class TestnetRun {
  readonly process: ChildProcess;
  readonly lines: TestnetLine[] = [];
  #errors = "";
  readonly #waiting = new Set<() => void>();
  /** Exit code; undefined while it runs. */
  code: number | null | undefined;

  constructor(args: readonly string[]) {
    this.process = spawn(process.execPath, [join(PROJECT_ROOT, "dist/testnet/main.js"), "--json", ...args], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    createInterface({ input: this.process.stdout! }).on("line", (line) => {
      this.lines.push(JSON.parse(line) as TestnetLine);
      this.#wake();
    });
    this.process.stderr!.on("data", (chunk: Buffer) => {
      this.#errors += chunk;
    });
    this.process.once("close", (code) => {
      this.code = code;
      this.#wake();
    });
  }

  /** What it wrote to stderr. */
  get errors(): string {
    return this.#errors;
  }

  #wake(): void {
    for (const check of [...this.#waiting]) check();
  }

  /** Resolves with the first line, from line `after` on, that fits; rejects when the testnet ends before. */
  line<T extends TestnetLine>(fits: (line: TestnetLine) => line is T, after?: number): Promise<T>;
  line(fits: (line: TestnetLine) => boolean, after?: number): Promise<TestnetLine>;
  line(fits: (line: TestnetLine) => boolean, after = 0): Promise<TestnetLine> {
    return new Promise((resolve, reject) => {
      let next = after;
      const check = () => {
        for (; next < this.lines.length; next++) {
          const line = this.lines[next]!;
          if (!fits(line)) continue;
          this.#waiting.delete(check);
          resolve(line);
          return;
        }
        if (this.code === undefined) return;
        this.#waiting.delete(check);
        reject(new Error(`the testnet ended with code ${this.code}: ${this.#errors}`));
      };
      this.#waiting.add(check);
      check();
    });
  }

  ready(): Promise<ReadyLine> {
    return this.line((line): line is ReadyLine => line.type === "ready");
  }

  step(text: string | RegExp): Promise<StepLine> {
    return this.line((line): line is StepLine => {
      return line.type === "step" && (typeof text === "string" ? line.step === text : text.test(line.step));
    });
  }

  /** The first status from now on in which every one of `nodes` fits. */
  async status(fits: (node: NodeLine) => boolean, nodes?: readonly number[]): Promise<StatusLine> {
    return this.line((line): line is StatusLine => {
      if (line.type !== "status") return false;
      return line.nodes.filter(({ node }) => nodes?.includes(node) ?? true).every(fits);
    }, this.lines.length);
  }

  /** Ctrl-C. Resolves with the exit code. */
  async stop(): Promise<number | null> {
    if (this.code !== undefined) return this.code;
    const closed = once(this.process, "close");
    this.process.kill("SIGINT");
    const [code] = (await closed) as [number | null];
    return code;
  }
}
