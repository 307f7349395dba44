import { deepEqual, equal, ok } from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { DEVNET_PARAMS } from "../../consensus/presets.ts";
import { computeProposerIndex } from "../../consensus/selection.ts";
import { shuffleList } from "../../consensus/shuffle.ts";
import { concatBytes, fromHex } from "../../primitives/bytes.ts";
import { sha256 } from "../../primitives/hash.ts";
import { vectorsPath } from "../support/vectors.ts";

const range = (count: number) => Uint32Array.from({ length: count }, (_, index) => index);

/** compute_shuffled_index of phase0, word for word. */
function naiveShuffledIndex(index: number, count: number, seed: Uint8Array, rounds: number): number {
  for (let round = 0; round < rounds; round++) {
    const hash = sha256(concatBytes(seed, Uint8Array.of(round)));
    const pivot = Number(new DataView(hash.buffer, hash.byteOffset).getBigUint64(0, true) % BigInt(count));
    const flip = (pivot + count - index) % count;
    const position = Math.max(index, flip);
    const block = new Uint8Array(4);
    new DataView(block.buffer).setUint32(0, position >> 8, true);
    const source = sha256(concatBytes(seed, Uint8Array.of(round), block));
    const byte = source[(position % 256) >> 3]!;
    if (((byte >> (position % 8)) & 1) === 1) index = flip;
  }
  return index;
}

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
          deepEqual(
            Array.from(shuffleList(range(count), seed, 90)),
            Array.from(range(count), (index) => naiveShuffledIndex(index, count, seed, 90)),
          );
        },
      ),
      { numRuns: 20 },
    );
  });
});

describe("proposer selection", () => {
  /** The rule in big integers, one draw a time. */
  function naiveProposerIndex(balances: Uint16Array, indices: Uint32Array, seed: Uint8Array): number {
    const read = (bytes: Uint8Array) => bytes.reduceRight((sum, byte) => 256n * sum + BigInt(byte), 0n);
    for (let i = 0; ; i++) {
      const counter = new Uint8Array(8);
      new DataView(counter.buffer).setBigUint64(0, BigInt(Math.floor(i / 2)), true);
      const draw = sha256(concatBytes(seed, counter)).subarray((i % 2) * 16);
      const candidate = indices[Number(read(draw.subarray(0, 8)) % BigInt(indices.length))]!;
      if (BigInt(balances[candidate]!) * 65_535n >= 2048n * read(draw.subarray(8, 10))) return candidate;
    }
  }

  const seed32 = fc.uint8Array({ minLength: 32, maxLength: 32 });

  it("takes any candidate, with replacement, by two bytes against its balance", () => {
    const stakes = fc.array(fc.integer({ min: 16, max: 2048 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(seed32, stakes, (seed, balances) => {
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

  it("follows stake: of 32 and 96 coins the second proposes three times of four", () => {
    const weights = Uint16Array.of(32, 96);
    let second = 0;
    for (let i = 0; i < 4000; i++) {
      const seed = sha256(Uint8Array.of(i, i >> 8));
      second += computeProposerIndex(weights, range(2), seed, DEVNET_PARAMS);
    }
    // 4000 draws with a chance of 3/4: 3000, standard deviation 27.
    ok(second > 2860 && second < 3140, `${second} of 4000`);
  });
});
