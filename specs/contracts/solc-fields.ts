/** Kinds of fields, each declared and written in both languages; see solc.spec.ts. */

type Language = "sol" | "ts";

export type Field = {
  readonly solidity: string;
  readonly typescript: string;
  /** Statements that write to the field called `name`. */
  readonly write: (language: Language, name: string) => string;
};

export const STRUCTS = `
  struct Point { uint128 x; uint64 y; uint128 z; bool set; }
  struct Entry { address owner; string note; mapping(address => bool) seen; uint8[] marks; Point point; }`;
const POINT = 'struct({ x: "uint128", y: "uint64", z: "uint128", set: "bool" })';
const ENTRY = `struct({ owner: "address", note: "string", seen: mapping("address", "bool"), marks: array("uint8"), point: ${POINT} })`;

const ALICE = "0xa1a1A1a1A1A1A1A1A1a1a1a1a1A1A1a1A1a1A1A1".toLowerCase();
/** Solidity takes a bare hexadecimal literal of 20 bytes only with a checksum. */
const literal = (language: Language, type: string, value: string): string => {
  if (type === "address") return language === "sol" ? `address(uint160(${BigInt(value)}))` : `"${value}"`;
  if (type === "bytes") return language === "sol" ? `hex"${value.slice(2)}"` : `"${value}"`;
  if (type.startsWith("bytes")) return language === "sol" ? `${type}(hex"${value.slice(2)}")` : `"${value}"`;
  if (type === "string") return `"${value}"`;
  if (type === "bool") return value;
  return language === "sol" ? value : `${value}n`;
};

const value = (type: string, ...values: string[]): Field => ({
  solidity: type,
  typescript: `"${type}"`,
  write: (language, name) => values.map((v) => `${name} = ${literal(language, type, v)};`).join(" "),
});

/** `{key}` and `{value}` of types that differ between the languages only in literals. */
const map = (key: string, type: string, entries: readonly (readonly [string, string])[]): Field => ({
  solidity: `mapping(${key} => ${type})`,
  typescript: `mapping("${key}", "${type}")`,
  write: (language, name) =>
    entries
      .map(([k, v]) => [literal(language, key, k), literal(language, type, v)] as const)
      .map(([k, v]) => (language === "sol" ? `${name}[${k}] = ${v};` : `${name}.set(${k}, ${v});`))
      .join(" "),
});

/** Pushed one by one; then the last `pops` are taken away again. */
const list = (type: string, values: readonly string[], pops = 0): Field => ({
  solidity: `${type}[]`,
  typescript: `array("${type}")`,
  write: (language, name) =>
    [
      ...values.map((v) => `${name}.push(${literal(language, type, v)});`),
      ...Array.from({ length: pops }, () => `${name}.pop();`),
    ].join(" "),
});

const fixed = (type: string, length: number, values: readonly string[]): Field => ({
  solidity: `${type}[${length}]`,
  typescript: `array("${type}", ${length})`,
  write: (language, name) =>
    values
      .map((v) => literal(language, type, v))
      .map((v, i) => (language === "sol" ? `${name}[${i}] = ${v};` : `${name}.set(${i}n, ${v});`))
      .join(" "),
});

const other = (solidity: string, typescript: string, sol: string, ts: string): Field => ({
  solidity,
  typescript,
  write: (language, name) => (language === "sol" ? sol : ts).replaceAll("$", name),
});

const LONG = "x".repeat(70);
const WORD = `0x${"c3".repeat(32)}`;

export const FIELDS: readonly Field[] = [
  value("bool", "true"),
  value("uint8", "255"),
  value("uint16", "513"),
  value("uint64", "18446744073709551615"),
  value("uint96", "5"),
  value("uint128", "7"),
  value("uint256", `${2n ** 256n - 1n}`),
  value("int8", "-128"),
  value("int96", "-1"),
  value("int256", "-5"),
  value("address", ALICE),
  value("bytes1", "0xfe"),
  value("bytes4", "0xdeadbeef"),
  value("bytes20", ALICE),
  value("bytes31", `0x${"31".repeat(31)}`),
  value("bytes32", WORD),
  value("uint32", "9", "0"),
  value("string", "Jurat"),
  value("string", "x".repeat(31)),
  value("string", "x".repeat(32)),
  value("string", LONG),
  value("string", LONG, "short again"),
  value("string", LONG, ""),
  value("bytes", "0x", "0x1234"),
  value("bytes", `0x${"ab".repeat(31)}`),
  value("bytes", `0x${"ab".repeat(97)}`, `0x${"cd".repeat(33)}`),
  map("address", "uint256", [[ALICE, "5"]]),
  map("uint8", "bool", [["200", "true"]]),
  map("int64", "int8", [["-3", "-4"]]),
  map("bytes4", "bytes4", [["0xdeadbeef", "0x01020304"]]),
  map("bytes32", "address", [[WORD, ALICE]]),
  map("bool", "uint64", [["true", "6"]]),
  map("string", "uint64", [["a name, with a comma", "6"]]),
  map("bytes", "string", [["0x0011", LONG]]),
  list("uint64", ["1", "2", "3", "4", "5"], 1),
  list("uint256", ["1", "2"], 2),
  list("bool", ["true", "false", "true"]),
  list("address", [ALICE, ALICE]),
  list("bytes24", [`0x${"24".repeat(24)}`, `0x${"42".repeat(24)}`]),
  list("int24", ["-1", "8388607", "-8388608"]),
  list("string", ["a", LONG, LONG], 1),
  list("bytes", [`0x${"ef".repeat(64)}`, "0xef"]),
  fixed("uint64", 5, ["1", "2", "3", "4", "5"]),
  fixed("address", 3, [ALICE, ALICE]),
  fixed("uint8", 40, ["1", "2", "3"]),
  fixed("bool", 2, ["false", "true"]),
  fixed("string", 2, ["a", LONG]),
  other(
    "mapping(address => mapping(bytes32 => uint16))",
    'mapping("address", mapping("bytes32", "uint16"))',
    `$[address(uint160(${BigInt(ALICE)}))][hex"${WORD.slice(2)}"] = 7;`,
    `$.get("${ALICE}").set("${WORD}", 7n);`,
  ),
  other(
    "mapping(uint256 => uint32[])",
    'mapping("uint256", array("uint32"))',
    "$[9].push(1); $[9].push(2);",
    "$.get(9n).push(1n); $.get(9n).push(2n);",
  ),
  other(
    "uint16[3][2]",
    'array(array("uint16", 3), 2)',
    "$[1][2] = 5; $[0][0] = 6;",
    "$.get(1n).set(2n, 5n); $.get(0n).set(0n, 6n);",
  ),
  other(
    "uint16[3][]",
    'array(array("uint16", 3))',
    "$.push(); $.push(); $[1][2] = 5;",
    "$.push(); $.push(); $.get(1n).set(2n, 5n);",
  ),
  other("uint16[][2]", 'array(array("uint16"), 2)', "$[1].push(5);", "$.get(1n).push(5n);"),
  other(
    "uint128[][]",
    'array(array("uint128"))',
    "$.push(); $[0].push(1); $[0].push(2); $[0].push(3); $.push(); $[1].push(4); $.pop();",
    "$.push(); $.get(0n).push(1n); $.get(0n).push(2n); $.get(0n).push(3n); $.push(); $.get(1n).push(4n); $.pop();",
  ),
  other(
    "Point",
    POINT,
    "$.x = 1; $.y = 2; $.z = 3; $.set = true;",
    "$.x = 1n; $.y = 2n; $.z = 3n; $.set = true;",
  ),
  other(
    "Point[]",
    `array(${POINT})`,
    "$.push(); $.push(); $[1].z = 3; $[0].set = true; $.push(); $[2].x = 1; $.pop();",
    "$.push(); $.push(); $.get(1n).z = 3n; $.get(0n).set = true; $.push().x = 1n; $.pop();",
  ),
  other("Point[2]", `array(${POINT}, 2)`, "$[1].y = 9; delete $[0];", "$.get(1n).y = 9n; $.delete(0n);"),
  other(
    "mapping(uint256 => Entry)",
    `mapping("uint256", ${ENTRY})`,
    `$[1].owner = address(1); $[1].note = "${LONG}"; $[1].seen[address(2)] = true; $[1].marks.push(7); $[1].point.z = 8;`,
    `$.get(1n).owner = "0x${"1".padStart(40, "0")}"; $.get(1n).note = "${LONG}";
     $.get(1n).seen.set("0x${"2".padStart(40, "0")}", true); $.get(1n).marks.push(7n); $.get(1n).point.z = 8n;`,
  ),
  other(
    "mapping(bytes4 => Point)",
    `mapping("bytes4", ${POINT})`,
    '$[hex"00000001"].x = 4; $[hex"00000001"].set = true; $[hex"00000002"].y = 5; delete $[hex"00000001"];',
    '$.get("0x00000001").x = 4n; $.get("0x00000001").set = true; $.get("0x00000002").y = 5n; $.delete("0x00000001");',
  ),
  other(
    "Entry",
    ENTRY,
    '$.owner = address(3); $.note = "n"; $.marks.push(1); $.marks.push(2); $.point.set = true;',
    `$.owner = "0x${"3".padStart(40, "0")}"; $.note = "n"; $.marks.push(1n); $.marks.push(2n); $.point.set = true;`,
  ),
];
