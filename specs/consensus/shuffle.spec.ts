import { deepEqual, equal } from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { DEVNET_PARAMS } from "../../consensus/presets.ts";
import { computeProposerIndex } from "../../consensus/selection.ts";
import { createShuffler, shuffleList } from "../../consensus/shuffle.ts";
import { concatBytes, fromHex } from "../../primitives/bytes.ts";
import { sha256 } from "../../primitives/hash.ts";
import { vectorsPath } from "../support/vectors.ts";

const range = (count: number) => Uint32Array.from({ length: count }, (_, index) => index);

describe("shuffle", () => {
  it("agrees with consensus-spec-tests v0.12.3 (10 rounds)", function () {
    const folder = vectorsPath(
      this,
      "consensus-spec-tests-v0.12.3/tests/minimal/phase0/shuffling/core/shuffle",
    );
    const cases = readdirSync(folder);
    equal(cases.length, 300);
    for (const name of cases) {
      // A YAML parser spends seconds on these plain lists.
      const text = readFileSync(join(folder, name, "mapping.yaml"), "utf8");
      const [, seed = "", count = Number.NaN, list = ""] =
        /^seed: '(\w+)'\ncount: (\d+)\nmapping: \[([\d,\s]*)\]\s*$/.exec(text) ?? [];
      const mapping = list === "" ? [] : list.split(",").map(Number);
      const indices = range(Number(count));
      deepEqual(Array.from(shuffleList(indices, fromHex(seed), 10)), mapping);
      if (indices.length === 0) continue;
      deepEqual(Array.from(indices, createShuffler(fromHex(seed), indices.length, 10)), mapping);
    }
  });

  it("agrees with eth2-shuffle (90 rounds)", function () {
    const lines = readFileSync(vectorsPath(this, "eth2-shuffle/spec/tests.csv"), "utf8")
      .trim()
      .split(/\r?\n/);
    equal(lines.length, 240);
    for (const line of lines) {
      const [seed = "", , input = "", output = ""] = line.split(",");
      const [before, after] = [input, output].map((list) => (list === "" ? [] : list.split(":").map(Number)));
      // There element i moves to its shuffled index; here index i reads from it. One permutation, both ways.
      const indices = shuffleList(range(before!.length), fromHex(`0x${seed}`), 90);
      const moved = new Array<number>(before!.length);
      for (const [index, shuffledIndex] of indices.entries()) moved[shuffledIndex] = before![index]!;
      deepEqual(moved, after);
    }
  });

  it("of a whole list is that of each index, for any seed and length", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.integer({ min: 1, max: 600 }),
        (seed, count) => {
          const shuffledIndex = createShuffler(seed, count, 90);
          deepEqual(Array.from(shuffleList(range(count), seed, 90)), Array.from(range(count), shuffledIndex));
        },
      ),
      { numRuns: 20 },
    );
  });
});

describe("proposer selection", () => {
  /** compute_proposer_index of Electra, word for word. */
  function naiveProposerIndex(balances: Uint16Array, indices: Uint32Array, seed: Uint8Array): number {
    const shuffled = shuffleList(indices, seed, 90);
    for (let i = 0n; ; i++) {
      const candidate = shuffled[Number(i % BigInt(indices.length))]!;
      const counter = new Uint8Array(8);
      new DataView(counter.buffer).setBigUint64(0, i / 16n, true);
      const random = sha256(concatBytes(seed, counter));
      const offset = Number((i % 16n) * 2n);
      const value = BigInt(random[offset]! + 256 * random[offset + 1]!);
      if (BigInt(balances[candidate]!) * 65_535n >= 2048n * value) return candidate;
    }
  }

  it("is Electra's compute_proposer_index", () => {
    const arbitrary = fc.tuple(
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      fc.array(fc.integer({ min: 16, max: 2048 }), { minLength: 1, maxLength: 40 }),
    );
    fc.assert(
      fc.property(arbitrary, ([seed, balances]) => {
        const weights = Uint16Array.from(balances);
        const indices = range(weights.length);
        equal(
          computeProposerIndex(weights, indices, seed, DEVNET_PARAMS),
          naiveProposerIndex(weights, indices, seed),
        );
      }),
      { numRuns: 30 },
    );
  });
});
