import { deepEqual, equal, throws } from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { bigIntToMinimalBytes, fromHex, toHex, utf8ToBytes } from "../../primitives/bytes.ts";
import { decodeRlp, encodeRlp, RLP_DEPTH_LIMIT, RlpError, type RlpItem } from "../../primitives/rlp.ts";
import { readJson, vectorsPath } from "../support/vectors.ts";

type Input = string | number | Input[];

/** The vectors' notation: "#" and a decimal is an integer, other text is bytes. */
function itemOf(input: Input): RlpItem {
  if (Array.isArray(input)) return input.map(itemOf);
  if (typeof input === "number") return bigIntToMinimalBytes(BigInt(input));
  return input.startsWith("#") ? bigIntToMinimalBytes(BigInt(input.slice(1))) : utf8ToBytes(input);
}

const withPrefix = (hex: string) => (hex.startsWith("0x") ? hex : `0x${hex}`);

const { item } = fc.letrec<{ item: RlpItem }>((tie) => ({
  item: fc.oneof(
    { depthSize: "small" },
    fc.uint8Array({ maxLength: 80 }),
    fc.array(tie("item"), { maxLength: 5 }),
  ),
}));

const plain = (value: RlpItem): unknown => (value instanceof Uint8Array ? toHex(value) : value.map(plain));

describe("RLP", () => {
  it("passes rlptest.json, 28 cases both ways", function () {
    const cases = readJson<Record<string, { in: Input; out: string }>>(
      vectorsPath(this, "ethereum-tests", "RLPTests", "rlptest.json"),
    );
    for (const { in: input, out } of Object.values(cases)) {
      equal(toHex(encodeRlp(itemOf(input))), withPrefix(out).toLowerCase());
      deepEqual(plain(decodeRlp(fromHex(withPrefix(out)))), plain(itemOf(input)));
    }
    equal(Object.keys(cases).length, 28);
  });

  it("refuses invalidRLPTest.json and decodes the valid random one", function () {
    const folder = vectorsPath(this, "ethereum-tests", "RLPTests");
    const invalid = readJson<Record<string, { in: string; out: string }>>(
      join(folder, "invalidRLPTest.json"),
    );
    for (const [name, { out }] of Object.entries(invalid)) {
      throws(() => decodeRlp(fromHex(withPrefix(out))), RlpError, name);
    }
    equal(Object.keys(invalid).length, 26);

    let valid = 0;
    for (const file of readdirSync(join(folder, "RandomRLPTests"))) {
      const cases = readJson<Record<string, { in: string; out: string }>>(
        join(folder, "RandomRLPTests", file),
      );
      for (const { in: kind, out } of Object.values(cases)) {
        if (kind !== "VALID") continue;
        equal(toHex(encodeRlp(decodeRlp(fromHex(withPrefix(out))))), withPrefix(out).toLowerCase());
        valid++;
      }
    }
    equal(valid, 1);
  });

  it("decodes what it encodes", () => {
    fc.assert(fc.property(item, (value) => deepEqual(plain(decodeRlp(encodeRlp(value))), plain(value))));
  });

  it("accepts no bytes but the canonical encoding", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (source) => {
        let decoded: RlpItem;
        try {
          decoded = decodeRlp(source);
        } catch (error) {
          equal(error instanceof RlpError, true);
          return;
        }
        deepEqual(encodeRlp(decoded), source);
      }),
      { numRuns: 2000 },
    );
  });

  it("encodes lengths at the borders of the short and long forms", () => {
    for (const length of [0, 1, 55, 56, 255, 256, 65_535, 65_536]) {
      const value = new Uint8Array(length).fill(0x80);
      deepEqual(decodeRlp(encodeRlp(value)), value);
      deepEqual(decodeRlp(encodeRlp([value])), [value]);
    }
  });

  it("refuses nesting beyond the limit without exhausting the stack", () => {
    const nested = (levels: number): RlpItem => (levels === 0 ? [] : [nested(levels - 1)]);
    deepEqual(decodeRlp(encodeRlp(nested(RLP_DEPTH_LIMIT - 1))), nested(RLP_DEPTH_LIMIT - 1));
    throws(
      () => decodeRlp(encodeRlp(nested(3000))),
      (error: RlpError) => error.detail.code === "RLP_TOO_DEEP",
    );
  });
});
