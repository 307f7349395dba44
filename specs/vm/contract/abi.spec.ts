/** specs/vm/contract/abi.md */
import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import {
  decodeAbiParameters,
  encodeAbiParameters,
  encodeErrorResult,
  encodeEventTopics,
  encodeFunctionData,
  parseAbi,
  parseAbiItem,
  toEventSelector,
  toFunctionSelector,
} from "viem";
import { fromHex, toHex, utf8ToBytes } from "../../../primitives/bytes.ts";
import { keccak256Hex } from "../../../primitives/hash.ts";
import { compileDecoder } from "../../../vm/contract/abi-decode.ts";
import { compileEncoder } from "../../../vm/contract/abi-encode.ts";
import {
  compileEventEncoder,
  compileSelectedEncoder,
  errorToJson,
  eventToJson,
  eventTopic,
  functionToJson,
  selectorOf,
} from "../../../vm/contract/abi-item.ts";
import {
  parseError,
  parseEvent,
  parseFunction,
  parseParameters,
  parseType,
} from "../../../vm/contract/abi-parse.ts";
import {
  AbiError,
  type AbiErrorDetail,
  canonicalType,
  toJsonParameter,
} from "../../../vm/contract/abi-type.ts";
import { abiParameters, abiTypes, fromViem, listsOf } from "./abi-samples.ts";

const samples = abiParameters.chain((parameters) =>
  listsOf(parameters).map((values) => ({
    parameters,
    values,
    json: parameters.map((parameter) => toJsonParameter(parameter)),
  })),
);

function codeOf(action: () => unknown): AbiErrorDetail["code"] | "accepted" {
  try {
    action();
    return "accepted";
  } catch (error) {
    if (!(error instanceof AbiError)) throw error;
    return error.detail.code;
  }
}

const decodeHex = (types: string, data: string) => compileDecoder(parseParameters(types))(fromHex(data));
const encodeHex = (types: string, ...values: Parameters<ReturnType<typeof compileEncoder>>[0]) =>
  toHex(compileEncoder(parseParameters(types))(values));
const word = (value: bigint | number) => value.toString(16).padStart(64, "0");

describe("ABI: values", () => {
  it("are encoded as viem encodes them", () => {
    fc.assert(
      fc.property(samples, ({ parameters, values, json }) => {
        equal(toHex(compileEncoder(parameters)(values)), encodeAbiParameters(json, values));
      }),
      { numRuns: 400 },
    );
  });

  it("come back from their encoding", () => {
    fc.assert(
      fc.property(samples, ({ parameters, values }) => {
        deepEqual(compileDecoder(parameters)(compileEncoder(parameters)(values)), values);
      }),
      { numRuns: 400 },
    );
  });

  it("are read from damaged data as viem reads them, or not at all", () => {
    const damaged = samples.chain(({ parameters, values, json }) => {
      const data = compileEncoder(parameters)(values);
      const edits = fc.array(fc.tuple(fc.nat(Math.max(0, data.length - 1)), fc.nat(255)), { maxLength: 3 });
      return fc.record({
        parameters: fc.constant(parameters),
        json: fc.constant(json),
        data: fc.tuple(edits, fc.nat(data.length)).map(([changes, cut]) => {
          const copy = data.slice(0, changes.length === 0 ? cut : data.length);
          for (const [position, byte] of changes) copy[position] = byte;
          return copy;
        }),
      });
    });
    fc.assert(
      fc.property(damaged, ({ parameters, json, data }) => {
        let ours: ReturnType<ReturnType<typeof compileDecoder>>;
        try {
          ours = compileDecoder(parameters)(data);
        } catch (error) {
          if (error instanceof AbiError) return;
          throw error;
        }
        if (data.length === 0) equal(parameters.length, 0);
        else deepEqual(ours, fromViem(parameters, decodeAbiParameters(json, data)));
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("ABI: strict decoding", () => {
  it("refuses bits that a value of the type cannot have", () => {
    equal(
      codeOf(() => decodeHex("uint8", `0x${word(256)}`)),
      "ABI_DIRTY_BITS",
    );
    equal(
      codeOf(() => decodeHex("int8", `0x${word(128)}`)),
      "ABI_DIRTY_BITS",
    );
    equal(
      codeOf(() => decodeHex("bool", `0x${word(2)}`)),
      "ABI_DIRTY_BITS",
    );
    equal(
      codeOf(() => decodeHex("address", `0x${word(1n << 160n)}`)),
      "ABI_DIRTY_BITS",
    );
    equal(
      codeOf(() => decodeHex("bytes4", `0x${word(1)}`)),
      "ABI_DIRTY_BITS",
    );
    deepEqual(decodeHex("int8", `0x${"f".repeat(64)}`), [-1n]);
  });

  it("refuses data that ends too early", () => {
    equal(
      codeOf(() => decodeHex("uint256", `0x${word(1).slice(2)}`)),
      "ABI_SHORT_DATA",
    );
    equal(
      codeOf(() => decodeHex("uint256, uint256", `0x${word(1)}`)),
      "ABI_SHORT_DATA",
    );
    equal(
      codeOf(() => decodeHex("bytes", `0x${word(32)}${word(5)}aabb`)),
      "ABI_SHORT_DATA",
    );
    equal(
      codeOf(() => decodeHex("bytes", `0x${word(32)}${word(33)}${word(0)}`)),
      "ABI_SHORT_DATA",
    );
  });

  it("refuses offsets outside the data", () => {
    equal(
      codeOf(() => decodeHex("bytes", `0x${word(64)}${word(0)}`)),
      "ABI_BAD_OFFSET",
    );
    equal(
      codeOf(() => decodeHex("bytes", `0x${word((1n << 256n) - 32n)}${word(0)}`)),
      "ABI_BAD_OFFSET",
    );
    equal(
      codeOf(() => decodeHex("bytes", `0x${word(1n << 32n)}${word(0)}`)),
      "ABI_BAD_OFFSET",
    );
  });

  it("refuses an array longer than the data before it allocates anything", () => {
    equal(
      codeOf(() => decodeHex("uint256[]", `0x${word(32)}${word(1n << 255n)}`)),
      "ABI_BAD_LENGTH",
    );
    equal(
      codeOf(() => decodeHex("uint256[]", `0x${word(32)}${word(3)}${word(1)}${word(2)}`)),
      "ABI_BAD_LENGTH",
    );
    equal(
      codeOf(() => decodeHex("uint256[65536][]", `0x${word(32)}${word(1)}`)),
      "ABI_BAD_LENGTH",
    );
  });

  it("refuses data whose parts are read many times over", () => {
    // Ten arrays that are all the same array of ten arrays, and so on: 10^5 values in 2 KB.
    const level = (self: number) => `${word(10)}${word(self).repeat(10)}`;
    const size = 11 * 32;
    const data = `0x${word(32)}${level(size - 32).repeat(5)}${word(0)}`;
    equal(
      codeOf(() => decodeHex("uint256[][][][][][]", data)),
      "ABI_OVERLAPPING_DATA",
    );
  });

  it("refuses strings that are not UTF-8", () => {
    equal(
      codeOf(() => decodeHex("string", `0x${word(32)}${word(1)}${"ff".padEnd(64, "0")}`)),
      "ABI_NOT_UTF8",
    );
  });

  it("ignores bytes behind the values, as Solidity does", () => {
    deepEqual(decodeHex("bool", `0x${word(1)}${word(7)}`), [true]);
  });

  it("ends in time and memory bounded by the data, whatever the data", () => {
    fc.assert(
      fc.property(abiTypes, fc.uint8Array({ maxLength: 600 }), (type, data) => {
        codeOf(() => compileDecoder([{ name: "", type, indexed: false }])(data));
      }),
      { numRuns: 500 },
    );
  });
});

describe("ABI: strict encoding", () => {
  it("refuses integers outside the range of their type", () => {
    for (const [type, value] of [
      ["uint8", 256n],
      ["uint256", -1n],
      ["uint256", 1n << 256n],
      ["int8", 128n],
      ["int8", -129n],
    ] as const) {
      throws(() => encodeHex(type, value), new AbiError({ code: "ABI_OUT_OF_RANGE", type }));
    }
  });

  it("refuses values of another type", () => {
    const cases = [
      ["uint256", "1"],
      ["bool", 1n],
      ["address", "0x12"],
      ["bytes", "12"],
      ["bytes", "0x1"],
      ["string", 5n],
      ["string", "\ud800"],
      ["uint256[]", "0x"],
      ["(uint256 a)", { b: 1n }],
      ["(uint256 a)", "a"],
      ["(uint256 toString)", {}],
    ] as const;
    for (const [type, value] of cases)
      equal(
        codeOf(() => encodeHex(type, value)),
        "ABI_WRONG_TYPE",
      );
  });

  it("refuses lists of another length", () => {
    equal(
      codeOf(() => encodeHex("uint256[2]", [1n])),
      "ABI_WRONG_LENGTH",
    );
    equal(
      codeOf(() => encodeHex("bytes4", "0x112233")),
      "ABI_WRONG_LENGTH",
    );
    equal(
      codeOf(() => encodeHex("uint256, uint256", 1n)),
      "ABI_WRONG_LENGTH",
    );
    equal(
      codeOf(() => encodeHex("(uint256, uint256)", [1n])),
      "ABI_WRONG_LENGTH",
    );
  });
});

describe("ABI: signatures", () => {
  it("give the selectors and JSON that viem gives", () => {
    for (const signature of [
      "function transfer(address to, uint256 value) returns (bool)",
      "function swap((address token, uint256 amount)[2] legs, bytes data) payable returns (uint256, bytes32 id)",
      "function get() view returns ((uint256 a, string b) pair)",
      "function f(uint, int[] memory, string calldata text) external pure",
    ]) {
      const item = parseFunction(signature);
      const viem = parseAbiItem(signature as "function f()");
      equal(selectorOf(item), toFunctionSelector(viem));
      deepEqual(encodeWithoutEmptyNames(functionToJson(item)), viem);
    }
  });

  it("give the topics that viem gives", () => {
    const signature = "event Transfer(address indexed from, address indexed to, uint256 value)" as const;
    const event = parseEvent(signature);
    equal(eventTopic(event), toEventSelector(signature));
    deepEqual(
      encodeWithoutEmptyNames({ ...eventToJson(event), anonymous: undefined }),
      parseAbiItem(signature),
    );
    const [from, to] = [`0x${"11".repeat(20)}`, `0x${"22".repeat(20)}`] as const;
    deepEqual(compileEventEncoder(event)([from, to, 5n]), {
      topics: encodeEventTopics({ abi: [parseAbiItem(signature)], args: { from, to } }),
      data: fromHex(`0x${word(5)}`),
    });
  });

  it("hash indexed values that are longer than a word in place", () => {
    const event = parseEvent(
      "Note(string indexed text, uint8[2] indexed pair, (string s, uint256 n) indexed t) anonymous",
    );
    deepEqual(compileEventEncoder(event)(["hello", [1n, 2n], { s: "hello", n: 7n }]), {
      topics: [
        keccak256Hex(utf8ToBytes("hello")),
        keccak256Hex(fromHex(`0x${word(1)}${word(2)}`)),
        keccak256Hex(fromHex(`0x${toHex(utf8ToBytes("hello")).slice(2).padEnd(64, "0")}${word(7)}`)),
      ],
      data: new Uint8Array(0),
    });
  });

  it("give the call data and revert data that viem gives", () => {
    const abi = parseAbi([
      "function pay(address to, string memo)",
      "error Short(uint256 have, uint256 need)",
    ]);
    const to = `0x${"ab".repeat(20)}` as const;
    equal(
      toHex(compileSelectedEncoder(parseFunction("pay(address to, string memo)"))([to, "rent"])),
      encodeFunctionData({ abi, functionName: "pay", args: [to, "rent"] }),
    );
    const short = parseError("Short(uint256 have, uint256 need)");
    equal(
      toHex(compileSelectedEncoder(short)([1n, 2n])),
      encodeErrorResult({ abi, errorName: "Short", args: [1n, 2n] }),
    );
    deepEqual(errorToJson(short), abi[1]);
  });

  it("survive being written and read again", () => {
    fc.assert(
      fc.property(abiTypes, (type) => {
        equal(canonicalType(parseType(canonicalType(type))), canonicalType(type));
      }),
    );
  });

  it("are refused with what is wrong and where", () => {
    const cases: readonly [() => unknown, string, number][] = [
      [() => parseType("uint7"), 'unknown type "uint7"', 5],
      [() => parseType("uint264"), 'unknown type "uint264"', 7],
      [() => parseType("bytes33"), 'unknown type "bytes33"', 7],
      [() => parseType("uint256[0]"), "an array of no elements", 10],
      [() => parseType("()"), "a tuple has members", 2],
      [() => parseType(`${"(".repeat(17)}bool${")".repeat(17)}`), "nested deeper than 16", 17],
      [() => parseType("bool[65536][65536]"), "type too large", 18],
      [() => parseFunction("f(bool"), 'expected "," or ")"', 6],
      [() => parseFunction("f() veiw"), 'unknown modifier "veiw"', 8],
      [() => parseFunction("f() returns (bool) x"), "expected the end", 19],
      [() => parseParameters("uint256 __proto__"), 'a parameter is named "__proto__"', 18],
      [
        () => parseEvent("E(bool indexed, bool indexed, bool indexed, bool indexed)"),
        "more than 3 indexed parameters",
        57,
      ],
    ];
    for (const [action, problem, position] of cases) {
      throws(action, (error: unknown) => {
        const detail = (error as AbiError).detail;
        deepEqual(detail.code === "ABI_SIGNATURE" && { problem: detail.problem, position: detail.position }, {
          problem,
          position,
        });
        return true;
      });
    }
    equal(
      codeOf(() => parseType("(".repeat(5_000))),
      "ABI_SIGNATURE",
    );
  });
});

/** viem leaves out names that are empty and flags that are not set. */
function encodeWithoutEmptyNames(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (key, field) =>
      (key === "name" && field === "") || (key === "indexed" && field === false) ? undefined : field,
    ),
  );
}
