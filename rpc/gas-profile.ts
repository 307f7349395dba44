/** What lines cost over many runs: a table for people and a flamegraph for speedscope. See specs/rpc/profile.md. */

/** What of a jsTracer's answer is needed; it was asked `withTree`. */
export type ProfiledRun = {
  readonly gasUsed: string;
  readonly otherGas: number;
  readonly lines: readonly ProfiledLine[];
  readonly tree?: readonly TreeEntry[];
};
type Place = { readonly file: string; readonly line: number; readonly column: number; readonly text: string };
type ProfiledLine = Place & { readonly gas: number; readonly hits: number };
type TreeEntry = Place & {
  readonly functionName: string;
  readonly parent: number | null;
  readonly gas: number;
};

type LineSum = Place & { gas: number; withCallees: number; hits: number };
type Frame = { readonly name: string; readonly file?: string; readonly line?: number; readonly col?: number };
type Stack = { readonly frames: readonly number[]; gas: number };

/** Different ways through the code that are told apart; what goes beyond is counted with the run's name alone. */
export const STACKS_LIMIT = 200_000;

const OTHER = "not in TypeScript: intrinsic gas, loading contracts, decoding";

export class GasProfile {
  readonly #lines = new Map<string, LineSum>();
  readonly #frames: Frame[] = [];
  readonly #frameIndices = new Map<string, number>();
  readonly #stacks = new Map<string, Stack>();
  #runs = 0;
  #otherGas = 0;
  #totalGas = 0;

  get runs(): number {
    return this.#runs;
  }

  /** @param name what ran, as the outermost frame of the flamegraph. */
  add(name: string, { gasUsed, otherGas, lines, tree = [] }: ProfiledRun): void {
    this.#runs++;
    this.#totalGas += Number(BigInt(gasUsed));
    this.#otherGas += otherGas;
    for (const { gas, hits, ...place } of lines) {
      const sum = this.#lineAt(place);
      sum.gas += gas;
      sum.hits += hits;
    }
    const root = this.#frameOf(name, { name });
    // A refund may outweigh the rest; a flamegraph has no negative width.
    this.#addStack([root, this.#frameOf(OTHER, { name: OTHER })], Math.max(0, otherGas));
    this.#addTree(root, tree);
  }

  /** The most expensive lines first, then what is of no line, then the total. */
  table(rows: number): string[] {
    const sorted = [...this.#lines.values()].sort((a, b) => b.gas - a.gas);
    const shown = sorted.slice(0, rows);
    const lines = shown.map(({ gas, withCallees, hits, file, line, text }) =>
      row(grouped(gas), this.#share(gas), grouped(withCallees), grouped(hits), `${file}:${line}  ${text}`),
    );
    const rest = sorted.slice(rows);
    const restGas = rest.reduce((sum, { gas }) => sum + gas, 0);
    return [
      row("gas", "", "with callees", "hits", "line"),
      ...lines,
      ...(rest.length > 0
        ? [
            row(
              grouped(restGas),
              this.#share(restGas),
              "",
              "",
              `${rest.length} other ${rest.length === 1 ? "line" : "lines"}`,
            ),
          ]
        : []),
      row(grouped(this.#otherGas), this.#share(this.#otherGas), "", "", OTHER),
      row(
        grouped(this.#totalGas),
        "",
        "",
        "",
        `in all, of ${this.#runs} ${this.#runs === 1 ? "run" : "runs"}`,
      ),
    ];
  }

  /**
   * A sampled profile whose weights are gas.
   * @see https://www.speedscope.app/file-format-schema.json
   */
  speedscope(name: string): object {
    const stacks = [...this.#stacks.values()].filter(({ gas }) => gas > 0);
    const weights = stacks.map(({ gas }) => gas);
    return {
      $schema: "https://www.speedscope.app/file-format-schema.json",
      exporter: "jurat",
      name,
      activeProfileIndex: 0,
      shared: { frames: this.#frames },
      profiles: [
        {
          type: "sampled",
          name,
          unit: "none",
          startValue: 0,
          endValue: weights.reduce((sum, gas) => sum + gas, 0),
          samples: stacks.map(({ frames }) => frames),
          weights,
        },
      ],
    };
  }

  #addTree(root: number, tree: readonly TreeEntry[]): void {
    const paths: number[][] = [];
    const totals = tree.map(({ gas }) => gas);
    for (const { file, line, column, functionName, parent, gas } of tree) {
      const above = parent === null ? [root] : (paths[parent] ?? [root]);
      const label = `${functionName} ${file}:${line}`;
      const path = [...above, this.#frameOf(label, { name: label, file, line, col: column })];
      paths.push(path);
      this.#addStack(path, gas);
    }
    // Parents stand before their children.
    for (let index = tree.length - 1; index >= 0; index--) {
      const parent = tree[index]?.parent;
      if (typeof parent === "number") totals[parent] = (totals[parent] ?? 0) + (totals[index] ?? 0);
    }
    for (const [index, entry] of tree.entries()) {
      if (!hasAncestorAtSameLine(tree, entry)) this.#lineAt(entry).withCallees += totals[index] ?? 0;
    }
  }

  #lineAt({ file, line, column, text }: Place): LineSum {
    const key = `${file}:${line}`;
    const known = this.#lines.get(key);
    if (known !== undefined) return known;
    const sum = { file, line, column, text, gas: 0, withCallees: 0, hits: 0 };
    this.#lines.set(key, sum);
    return sum;
  }

  #frameOf(key: string, frame: Frame): number {
    const known = this.#frameIndices.get(key);
    if (known !== undefined) return known;
    this.#frameIndices.set(key, this.#frames.length);
    return this.#frames.push(frame) - 1;
  }

  #addStack(frames: readonly number[], gas: number): void {
    const key = frames.join();
    const known = this.#stacks.get(key);
    if (known !== undefined) known.gas += gas;
    else if (this.#stacks.size < STACKS_LIMIT || frames.length === 1) this.#stacks.set(key, { frames, gas });
    else this.#addStack(frames.slice(0, 1), gas);
  }

  #share(gas: number): string {
    return this.#totalGas === 0 ? "" : `${((100 * gas) / this.#totalGas).toFixed(1)} %`;
  }
}

/** A line that calls itself is counted once on each way. */
function hasAncestorAtSameLine(tree: readonly TreeEntry[], entry: TreeEntry): boolean {
  for (let parent = entry.parent; parent !== null; ) {
    const above = tree[parent];
    if (above === undefined) return false;
    if (above.file === entry.file && above.line === entry.line) return true;
    parent = above.parent;
  }
  return false;
}

function row(gas: string, share: string, withCallees: string, hits: string, what: string): string {
  return `  ${gas.padStart(12)}  ${share.padStart(7)}  ${withCallees.padStart(12)}  ${hits.padStart(8)}  ${what}`;
}

function grouped(value: number): string {
  return value.toLocaleString("en-US");
}
