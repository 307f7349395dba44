/** What a build refuses although it is TypeScript, and although it evaluates. Prose: build.md. */
import { deepEqual, equal, match, throws } from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { buildContract } from "../../contracts/build/build-contract.ts";
import { BuildError } from "../../contracts/build/build-error.ts";
import { UNSUPPORTED_NAMES } from "../../contracts/build/check-features.ts";
import { checkLayout } from "../../contracts/build/check-layout.ts";
import { findNameUses } from "../../contracts/build/module-names.ts";
import { type StorageLayout, storageLayoutJson } from "../../vm/contract/storage-json.ts";
import { layOutFields, type StorageFields } from "../../vm/contract/storage-layout.ts";
import { parseModule } from "../../vm/tracing/syntax-tree.ts";
import { Sandbox } from "../vm/contract/sandbox.ts";

const fixture = (name: string) =>
  fileURLToPath(new URL(`../../../specs/contracts/fixtures/${name}`, import.meta.url));

async function refusal(name: string): Promise<BuildError> {
  try {
    await buildContract(fixture(name), { typeCheck: false });
  } catch (error) {
    if (error instanceof BuildError) return error;
    throw error;
  }
  throw new Error(`${name} builds`);
}

describe("unsupported features", () => {
  it("are all named, each with file, line and what to do instead", async () => {
    const { detail, message } = await refusal("unsupported.ts");
    equal(detail.code, "BUILD_UNSUPPORTED");
    const lines = message.split("\n").map((line) => line.replace(/^.*\/unsupported\.ts:/, ""));
    deepEqual(
      lines.map((line) => line.slice(0, line.lastIndexOf(": "))).map((line) => line.replace(/:\d+: /, " ")),
      [
        "3 calls is reset before every call",
        "10 Date is not there: a contract has no clock",
        "11 Math.random is not there: nodes must agree",
        "12 setTimeout is not there",
        "13 async functions are not supported",
        "14 await is not supported",
        "14 fetch is not there: a contract reads nothing but the chain",
        "20 localeCompare is not there",
      ],
    );
    match(message, /calls is reset before every call: .*storage\(\{ … \}\)/);
  });

  it("include import() in the middle of a file", async () => {
    const { detail, message } = await refusal("imports-late.ts");
    equal(detail.code, "BUILD_BUNDLE");
    match(message, /imports-late\.ts:6:\d+: import\(\) is not supported: import at the top of the file/);
  });

  it("are names that the engine does not have, or that mean no good there", () => {
    const own = ["eval", "Function"]; // There, and refuse to run.
    const names = Object.keys(UNSUPPORTED_NAMES).filter((name) => !own.includes(name));
    const sandbox = new Sandbox();
    const kinds = names.map((name) => `typeof ${name}`).join(", ");
    const { output } = sandbox.tryDeploy(`throw new Error([${kinds}].join());`);
    match(Buffer.from(output.slice(2), "hex").toString(), new RegExp(names.map(() => "undefined").join(",")));
  });
});

describe("names of a module", () => {
  const usesOf = (source: string) =>
    findNameUses(parseModule(source)).map(
      ({ node, isGlobal, isWrite }) => `${isGlobal ? "global " : ""}${isWrite ? "writes " : ""}${node.name}`,
    );

  it("belong to the scope that declares them", () => {
    deepEqual(usesOf("function f(a, { b: [c] }, ...d) { return a + c + d + e; }"), ["global e"]);
    deepEqual(usesOf("const f = (x = y) => { { var z; } return z + x; };"), ["global y"]);
    deepEqual(usesOf("for (let i = 0; i < n; i++) { i; } i;"), ["global n", "global i"]);
    deepEqual(usesOf("try { t; } catch (t) { t; }"), ["global t"]);
    deepEqual(usesOf("const o = { a: 1, [b]: 2, c, d() { return this.e; } }; o.f; o[g];"), [
      "global b",
      "global c",
      "o",
      "o",
      "global g",
    ]);
    deepEqual(usesOf("l: for (;;) { break l; } class A { #p = q; static r = s; }"), ["global q", "global s"]);
    deepEqual(usesOf('import { a as b } from "m"; export { b as c }; b();'), ["b"]);
  });

  it("are written by assignments, updates, patterns and loops", () => {
    deepEqual(usesOf("let a, b, c, d; a = 1; b++; [c, ...d] = []; ({ x: a = b } = {}); for (c of d);"), [
      "writes a",
      "writes b",
      "writes c",
      "writes d",
      "writes a",
      "b",
      "writes c",
      "d",
    ]);
    deepEqual(usesOf("let a; (a) => { a = 1; }; { let a; a = 2; } function f() { var a; a = 3; }"), []);
    deepEqual(usesOf("let a = {}; a.b = 1; a[0]++;"), ["a", "a"]);
  });
});

describe("storage that new code takes over", () => {
  const layout = (fields: StorageFields, base = 0n): StorageLayout =>
    storageLayoutJson("a.ts:A", [{ base, fields: layOutFields(fields).fields }]);
  const BEFORE: StorageFields = [
    ["owner", "address"],
    ["paused", "bool"],
    ["total", "uint256"],
    ["limit", "uint256"],
    ["people", { mapping: ["address", { struct: [["age", "uint8"]] }] }],
    ["list", { array: { struct: [["age", "uint8"]] } }],
  ];
  const problems = (after: StorageFields, before = BEFORE): readonly string[] => {
    try {
      checkLayout(layout(before), layout(after), "A.json");
      return [];
    } catch (error) {
      if (error instanceof BuildError && error.detail.code === "BUILD_LAYOUT") return error.detail.problems;
      throw error;
    }
  };
  const changed = (name: string, ...instead: StorageFields): StorageFields =>
    BEFORE.flatMap((field) => (field[0] === name ? instead : [field]));

  it("may grow at its end, in free bytes of the last slot, by new namespaces and in structs of mappings", () => {
    deepEqual(problems(BEFORE), []);
    deepEqual(problems([...BEFORE, ["more", "uint8"]]), []);
    deepEqual(
      problems(
        [
          ["a", "uint8"],
          ["b", "uint8"],
        ],
        [["a", "uint8"]],
      ),
      [],
    );
    deepEqual(problems(changed("total", ["sum", "uint256"])), [], "a new name");
    const grown = {
      struct: [
        ["age", "uint8"],
        ["name", "string"],
      ],
    } as const;
    deepEqual(problems(changed("people", ["people", { mapping: ["address", grown] }])), []);
    const both = layout(BEFORE).storage.concat(layout(BEFORE, 1n << 200n).storage);
    checkLayout(layout(BEFORE), { ...layout(BEFORE), storage: both }, "A.json");
  });

  it("must not move: the build says which field did, and where new ones go", () => {
    const [first, ...more] = problems([["version", "uint256"], ...BEFORE]);
    equal(
      first,
      'owner was in slot 0 and is in slot 1: add fields behind the last one, or in a namespace of their own: storage({ … }, "my.contract.v2")',
    );
    deepEqual(
      more.map((problem) => problem.slice(0, problem.indexOf(":"))),
      [
        "paused was in slot 0 from byte 20 and is in slot 1 from byte 20",
        "total was in slot 1 and is in slot 2",
        "limit was in slot 2 and is in slot 3",
        "people was in slot 3 and is in slot 4",
        "list was in slot 4 and is in slot 5",
      ],
    );
    deepEqual(
      problems(
        changed("total", ["limit", "uint256"]).map((field, i) => (i === 3 ? ["total", "uint256"] : field)),
      ).length,
      2,
      "two of one type that changed places",
    );
  });

  it("must not change its type or go", () => {
    match(
      problems(changed("total", ["total", "int256"]))[0]!,
      /^total in slot 1 was uint256 and is int256: keep the old field/,
    );
    match(problems(BEFORE.slice(0, -1))[0]!, /^list, .* in slot 4, is gone: keep it declared/);
    const grown = {
      struct: [
        ["age", "uint8"],
        ["name", "string"],
      ],
    } as const;
    equal(
      problems(changed("list", ["list", { array: grown }])).length,
      1,
      "elements of arrays are neighbours",
    );
    match(
      problems(
        [
          ["a", "uint8"],
          ["b", "uint8"],
        ],
        [["a", "uint16"]],
      )[0]!,
      /^a in slot 0 was uint16 and is uint8/,
    );
  });

  it("is compared only with what says where it is", () => {
    const damaged = { ...layout(BEFORE), types: {} };
    throws(() => checkLayout(damaged, layout(BEFORE), "A.json"), /has no type/);
  });
});
