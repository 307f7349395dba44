/** Profiles of gas by line. Prose: profile.md. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import Ajv from "ajv";
import { GasProfile, type ProfiledRun } from "../../rpc/gas-profile.ts";

/** What speedscope's schema (file-format-schema.json) asks of a file with sampled profiles. */
const SPEEDSCOPE = {
  type: "object",
  required: ["$schema", "shared", "profiles"],
  properties: {
    $schema: { const: "https://www.speedscope.app/file-format-schema.json" },
    activeProfileIndex: { type: "number" },
    exporter: { type: "string" },
    name: { type: "string" },
    shared: {
      type: "object",
      required: ["frames"],
      properties: {
        frames: {
          type: "array",
          items: {
            type: "object",
            required: ["name"],
            additionalProperties: false,
            properties: {
              name: { type: "string" },
              file: { type: "string" },
              line: { type: "number" },
              col: { type: "number" },
            },
          },
        },
      },
    },
    profiles: {
      type: "array",
      items: {
        type: "object",
        required: ["type", "name", "unit", "startValue", "endValue", "samples", "weights"],
        additionalProperties: false,
        properties: {
          type: { const: "sampled" },
          name: { type: "string" },
          unit: { enum: ["bytes", "microseconds", "milliseconds", "nanoseconds", "none", "seconds"] },
          startValue: { type: "number" },
          endValue: { type: "number" },
          samples: { type: "array", items: { type: "array", items: { type: "number" } } },
          weights: { type: "array", items: { type: "number" } },
        },
      },
    },
  },
};

type Speedscope = {
  readonly shared: { readonly frames: readonly { readonly name: string }[] };
  readonly profiles: readonly { samples: number[][]; weights: number[]; endValue: number }[];
};

const place = (line: number) => ({ file: "a.ts", line, column: 1, text: `line ${line}` });
const entry = (line: number, parent: number | null, gas: number) => ({
  ...place(line),
  functionName: `f${line}`,
  parent,
  gas,
});
/** Line 1 calls line 2 twice over, and line 2 itself. */
const RUN: ProfiledRun = {
  gasUsed: "0x3e8",
  otherGas: 700,
  lines: [
    { ...place(1), gas: 100, hits: 1 },
    { ...place(2), gas: 200, hits: 3 },
  ],
  tree: [entry(1, null, 100), entry(2, 0, 150), entry(2, 1, 50)],
};

describe("a gas profile", () => {
  it("sums lines over runs, and a recursion's callees once", () => {
    const profile = new GasProfile();
    profile.add("x", RUN);
    profile.add("x", RUN);
    const rows = profile.table(10).map((row) => row.trim().split(/ {2,}/));
    deepEqual(rows, [
      ["gas", "with callees", "hits", "line"],
      ["400", "20.0 %", "400", "6", "a.ts:2", "line 2"],
      ["200", "10.0 %", "600", "2", "a.ts:1", "line 1"],
      ["1,400", "70.0 %", "not in TypeScript: intrinsic gas, loading contracts, decoding"],
      ["2,000", "in all, of 2 runs"],
    ]);
    match(profile.table(1).join("\n"), /200 {3}10\.0 % +1 other line$/m);
  });

  it("is a file as speedscope's schema wants it, whose weights are all of the gas", () => {
    const profile = new GasProfile();
    profile.add("x", RUN);
    const file = profile.speedscope("name") as Speedscope;
    const ajv = new Ajv.default({ strict: false });
    ok(ajv.validate(SPEEDSCOPE, file), ajv.errorsText());
    const [{ samples, weights, endValue } = { samples: [], weights: [], endValue: 0 }] = file.profiles;
    equal(samples.length, weights.length);
    deepEqual(
      samples.map((stack) => stack.map((index) => file.shared.frames[index]?.name.split(":")[0])),
      [
        ["x", "not in TypeScript"],
        ["x", "f1 a.ts"],
        ["x", "f1 a.ts", "f2 a.ts"],
        ["x", "f1 a.ts", "f2 a.ts", "f2 a.ts"],
      ],
    );
    equal(endValue, 1_000);
    equal(
      weights.reduce((sum, gas) => sum + gas),
      1_000,
    );
  });
});
