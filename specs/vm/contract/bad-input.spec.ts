/** What nobody should send: a clear end, the same gas everywhere, and a machine that goes on. specs/vm/contract/machine.md#bad-input */
import { deepEqual, equal, match } from "node:assert/strict";
import { deflateRawSync } from "node:zlib";
import { encodeFunctionData, parseAbi, toFunctionSelector } from "viem";
import { concatBytes, fromHex, type Hex, utf8ToBytes } from "../../../primitives/bytes.ts";
import { CONTAINER_SIZE_LIMIT, ENGINE_ID, encodeContainer } from "../../../vm/contract/container.ts";
import type { CallResult } from "./sandbox.ts";
import { containerOf, contractSource, encodeArgs, reasonOf, Sandbox } from "./sandbox.ts";

const GAS = 9_000_000;
const KEEPER = contractSource(
  `init: init("address owner, uint8 level", (owner, level) => { s.level = level; }),
   functions: {
     set: external("(address who, bool on, uint8 level)", (who, on, level) => { s.level = level; }),
     note: external("(string text, uint256[] values) returns (uint256)", (text, values) => BigInt(values.length)),
     level: view("() returns (uint8)", () => s.level),
   }`,
  'const s = storage({ level: "uint8" });',
);
const NOTHING = contractSource('functions: { ping: view("() returns (uint256)", () => 1n) }');
const ARGUMENTS = encodeArgs("address, uint8", `0x${"ab".repeat(20)}`, 3);

const edited = (position: number, byte: number): Uint8Array => {
  const container = containerOf(NOTHING);
  container[position] = byte;
  return container;
};
const packedAs = (packed: Uint8Array, rawLength: number): Uint8Array =>
  encodeContainer({
    engineId: ENGINE_ID,
    isUpgradeable: false,
    rawLength,
    packed,
    metadataHash: new Uint8Array(32),
  });
const word = (value: bigint): Uint8Array => encodeArgs("uint256", value);

/** Name, creation data, and how it ends: the outcome and the reason. */
const DEPLOYMENTS: readonly (readonly [string, Uint8Array, string, RegExp])[] = [
  ["nothing", new Uint8Array(0), "invalid container", /^0x$/],
  [
    "EVM bytecode",
    fromHex("0x6080604052348015600e575f5ffd5b50603e80601a5f395ff3fe"),
    "invalid container",
    /^0x$/,
  ],
  ["bytes that are neither", utf8ToBytes("export default 1"), "invalid container", /^0x$/],
  ["another version of the container", edited(3, 9), "invalid container", /^0x$/],
  ["another engine", edited(5, 9), "invalid container", /^0x$/],
  ["unknown flags", edited(6, 4), "invalid container", /^0x$/],
  ["a container that is cut short", containerOf(NOTHING).subarray(0, 60), "invalid container", /^0x$/],
  [
    "more than a container may have",
    new Uint8Array(CONTAINER_SIZE_LIMIT + 1).fill(0xef),
    "invalid container",
    /^0x$/,
  ],
  [
    "a bomb of DEFLATE",
    packedAs(deflateRawSync(new Uint8Array(40_000_000), { level: 9 }), 1_000),
    "invalid container",
    /^0x$/,
  ],
  [
    "a bomb that says what it is",
    packedAs(deflateRawSync(new Uint8Array(40_000_000), { level: 9 }), 262_145),
    "invalid container",
    /^0x$/,
  ],
  [
    "bytes that are not DEFLATE",
    packedAs(new Uint8Array(500).fill(0xaa), 1_000),
    "invalid container",
    /^0x$/,
  ],
  [
    "a bidirectional override",
    containerOf(`${NOTHING}// ${String.fromCodePoint(0x202e)} level`),
    "invalid container",
    /^0x$/,
  ],
  [
    "a zero-width space",
    containerOf(`${NOTHING}// ${String.fromCodePoint(0x200b)}`),
    "invalid container",
    /^0x$/,
  ],
  [
    "a tag character",
    containerOf(`${NOTHING}// ${String.fromCodePoint(0xe0041)}`),
    "invalid container",
    /^0x$/,
  ],
  ["source that does not parse", containerOf("export default contract({"), "revert", /SyntaxError/],
  ["no default export", containerOf("export const a = 1;"), "revert", /default export/],
  [
    "a default export that is no contract",
    containerOf("export default { name: 'Token' };"),
    "revert",
    /default export/,
  ],
  [
    "an import of something else",
    containerOf("import fs from 'node:fs'; export default fs;"),
    "revert",
    /fs|module/,
  ],
  ["a module that throws", containerOf("throw new Error('not today');"), "revert", /^not today$/],
  [
    "a module that waits",
    containerOf("await new Promise(() => {}); export default 1;"),
    "revert",
    /promise|synchronous/,
  ],
  ["a module that never ends", containerOf("for (;;);"), "out of gas", /^0x$/],
  [
    "a module that takes all memory",
    containerOf("const a = []; for (;;) a.push(new Uint8Array(1e5));"),
    "out of memory",
    /^0x$/,
  ],
  [
    "a snapshot that is too large",
    containerOf(`const a = new Uint8Array(1_100_000).fill(7);\n${NOTHING}`),
    "revert|out of memory",
    /limit is|^0x$/,
  ],
  ["no constructor arguments", containerOf(KEEPER), "revert", /ends too early/],
  [
    "half of the constructor arguments",
    concatBytes(containerOf(KEEPER), ARGUMENTS.subarray(0, 40)),
    "revert",
    /ends too early/,
  ],
  [
    "constructor arguments with dirty bits",
    concatBytes(containerOf(KEEPER), word(1n << 255n), word(3n)),
    "revert",
    /bits are set/,
  ],
  [
    "a constructor argument out of range",
    concatBytes(containerOf(KEEPER), word(1n), word(256n)),
    "revert",
    /bits are set/,
  ],
  ["arguments for no constructor", concatBytes(containerOf(NOTHING), word(1n)), "revert", /no constructor/],
];

const abi = parseAbi([
  "function set(address who, bool on, uint8 level)",
  "function note(string text, uint256[] values) returns (uint256)",
]);
const SET = toFunctionSelector("function set(address who, bool on, uint8 level)");
const NOTE = toFunctionSelector("function note(string text, uint256[] values)");
const good = fromHex(
  encodeFunctionData({ abi, functionName: "set", args: [`0x${"ab".repeat(20)}`, true, 7] }),
);
const setWith = (...words: readonly bigint[]): Uint8Array => concatBytes(fromHex(SET), ...words.map(word));
const noteWith = (...words: readonly bigint[]): Uint8Array => concatBytes(fromHex(NOTE), ...words.map(word));

const CALLS: readonly (readonly [string, Uint8Array, string, RegExp])[] = [
  ["nothing", new Uint8Array(0), "revert", /no plain transfers/],
  ["three bytes", good.subarray(0, 3), "revert", /unknown function 0x/],
  ["another function", fromHex("0xdeadbeef"), "revert", /unknown function 0xdeadbeef/],
  ["no arguments", good.subarray(0, 4), "revert", /ends too early at byte 0/],
  ["an argument too few", good.subarray(0, 68), "revert", /ends too early at byte 64/],
  ["half an argument", good.subarray(0, 80), "revert", /ends too early at byte 64/],
  ["arguments and more", concatBytes(good, new Uint8Array(500).fill(0xff)), "success", /^0x$/],
  ["an address with dirty bits", setWith(1n << 160n, 1n, 7n), "revert", /bits are set.*at byte 0/],
  ["a bool that is 2", setWith(1n, 2n, 7n), "revert", /bits are set.*at byte 32/],
  ["a uint8 that is 256", setWith(1n, 1n, 256n), "revert", /bits are set.*at byte 64/],
  ["an offset behind the data", noteWith(10_000n, 64n), "revert", /offset points outside/],
  ["an offset of 2^255", noteWith(1n << 255n, 64n), "revert", /offset points outside/],
  ["a text longer than the data", noteWith(64n, 64n, 1_000n), "revert", /length goes beyond/],
  ["an array of 2^64 elements", noteWith(64n, 96n, 0n, 1n << 64n), "revert", /length goes beyond/],
  [
    "a text that is not UTF-8",
    concatBytes(noteWith(64n, 128n, 2n), fromHex(`0xc328${"00".repeat(30)}`), word(0n)),
    "revert",
    /not UTF-8/,
  ],
];

const endOf = ({ outcome, output }: CallResult): readonly [string, string] => [
  outcome,
  reasonOf(output as Hex),
];

function checkEnd(result: CallResult, outcome: string, reason: RegExp): void {
  const [actual, text] = endOf(result);
  match(actual, new RegExp(`^(${outcome})$`));
  match(text, reason);
}

describe("bad input: deployments", () => {
  for (const [name, data, outcome, reason] of DEPLOYMENTS) {
    it(`of ${name} end with ${outcome}`, () => {
      const sandbox = new Sandbox();
      const result = sandbox.send(undefined, data, { gas: GAS });
      checkEnd(result, outcome, reason);
      equal(result.address, undefined);
      // All failures but a revert take everything; a revert only what was used.
      equal(result.gasUsed === GAS, result.outcome !== "revert", `${result.gasUsed} gas`);
      deepEqual(new Sandbox({ cacheBytes: 0 }).send(undefined, data, { gas: GAS }), result);
      const at = sandbox.deploy(KEEPER, ARGUMENTS);
      equal(sandbox.send(at, good).outcome, "success");
    });
  }
});

describe("bad input: calls", () => {
  for (const [name, data, outcome, reason] of CALLS) {
    it(`with ${name} end with ${outcome}`, () => {
      const results = [new Sandbox(), new Sandbox({ cacheBytes: 0 })].map((sandbox) => {
        const at = sandbox.deploy(KEEPER, ARGUMENTS);
        const result = sandbox.send(at, data);
        equal(sandbox.send(at, good).outcome, "success");
        return result;
      });
      checkEnd(results[0]!, outcome, reason);
      deepEqual(results[1], results[0]);
      equal(results[0]!.gasUsed < 60_000, true, String(results[0]!.gasUsed));
    });
  }
});
