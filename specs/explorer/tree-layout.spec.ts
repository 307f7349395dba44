import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { layOutTree } from "../../explorer/live/tree-layout.ts";
import type { LiveBlock } from "../../rpc/live-picture.ts";

/** "c3 b2" is block c in slot 3 on b in slot 2. */
function tree(...lines: readonly string[]): LiveBlock[] {
  return lines.map((line) => {
    const [name = "", parent = "none"] = line.split(" ");
    const hex = (text: string) => `0x${text}` as const;
    return { root: hex(name), parentRoot: hex(parent), slot: Number(name.slice(1)), blockHash: hex(name) };
  });
}

const marks = (head: string, justified: string, finalized: string) => ({
  headRoot: `0x${head}`,
  justifiedRoot: `0x${justified}`,
  finalizedRoot: `0x${finalized}`,
});

const shown = (placed: ReturnType<typeof layOutTree>) =>
  placed.map(({ root, column, lane, state }) => `${root.slice(2)} ${column}/${lane} ${state}`);

describe("the drawn tree", () => {
  it("colours a chain by how settled it is", () => {
    // a1 - b2 - c3 - d4
    const blocks = tree("a1", "b2 a1", "c3 b2", "d4 c3");
    deepEqual(shown(layOutTree(blocks, marks("d4", "c3", "b2"), 4)), [
      "a1 0/0 final",
      "b2 1/0 final",
      "c3 2/0 justified",
      "d4 3/0 head",
    ]);
  });

  it("puts a branch beside the chain and says that it was left behind", () => {
    // a1 - b2 - d4
    //    \ c3
    const blocks = tree("a1", "b2 a1", "c3 a1", "d4 b2");
    deepEqual(shown(layOutTree(blocks, marks("d4", "a1", "a1"), 4)), [
      "a1 0/0 final",
      "b2 1/0 open",
      "c3 2/1 orphan",
      "d4 3/0 head",
    ]);
  });

  it("keeps a branch in its lane, and uses a lane again", () => {
    // a1 - b2 - c3 ---- f6 - h8
    //    \ d3 - e4    \ g7
    const blocks = tree("a1", "b2 a1", "c3 b2", "d3 a1", "e4 d3", "f6 c3", "g7 c3", "h8 f6");
    const lanes = Object.fromEntries(
      layOutTree(blocks, marks("h8", "a1", "a1"), 8).map(({ root, lane }) => [root.slice(2), lane]),
    );
    deepEqual(lanes, { a1: 0, b2: 0, c3: 0, d3: 1, e4: 1, f6: 0, g7: 1, h8: 0 });
  });

  it("shows the last columns only", () => {
    const blocks = tree("a1", "b2 a1", "c9 b2");
    deepEqual(shown(layOutTree(blocks, marks("c9", "a1", "a1"), 3)), ["c9 2/0 head"]);
  });

  it("draws nothing of nothing", () => {
    deepEqual(layOutTree([], marks("", "", ""), 8), []);
  });

  it("places every block of the window once, two of one slot never in one place below the last lane", () => {
    const parents = fc.array(fc.nat({ max: 1000 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(parents, fc.nat({ max: 1000 }), (choices, headChoice) => {
        const names = choices.map((_, index) => `x${index + 1}`);
        const lines = choices.map((choice, index) =>
          index === 0 ? names[0]! : `${names[index]} ${names[choice % index]}`,
        );
        const head = names[headChoice % names.length]!;
        const placed = layOutTree(tree(...lines), marks(head, names[0]!, names[0]!), 100);
        equal(placed.length, names.length);
        equal(
          placed.filter(({ lane }) => lane === 0).every(({ state }) => state !== "orphan"),
          true,
        );
      }),
    );
  });
});
