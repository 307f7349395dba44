/** specs/vm/contract/storage.md */
import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { concatHex, encodeAbiParameters, keccak256, stringToHex } from "viem";
import { toHex } from "../../../primitives/bytes.ts";
import { AbiError, type AbiType, type AbiValue } from "../../../vm/contract/abi-type.ts";
import { computeMappingPlace, type MappingType, mappingPlace } from "../../../vm/contract/mapping-slots.ts";
import {
  arrayLength,
  cellAt,
  popElement,
  pushElement,
  readCell,
  type SlotAccess,
  type Step,
  writeCell,
} from "../../../vm/contract/storage-cells.ts";
import {
  type Cell,
  layOutFields,
  namespaceSlot,
  StorageError,
  type StorageFields,
  type StorageType,
} from "../../../vm/contract/storage-layout.ts";

const point = {
  struct: [
    ["x", "uint128"],
    ["y", "uint64"],
    ["z", "uint128"],
    ["set", "bool"],
  ],
} as const;
const entry = {
  struct: [
    ["owner", "address"],
    ["note", "string"],
    ["seen", { mapping: ["address", "bool"] }],
    ["marks", { array: "uint8" }],
  ],
} as const;
const sample: StorageFields = [
  ["owner", "address"],
  ["open", "bool"],
  ["small", "uint8"],
  ["delta", "int96"],
  ["total", "uint256"],
  ["tag", "bytes4"],
  ["wide", "bytes31"],
  ["name", "string"],
  ["blob", "bytes"],
  ["balances", { mapping: ["address", "uint256"] }],
  ["nested", { mapping: ["address", { mapping: ["bytes32", "bool"] }] }],
  ["byName", { mapping: ["string", "uint64"] }],
  ["list", { array: "uint64" }],
  ["five", { array: "uint64", length: 5 }],
  ["trio", { array: "address", length: 3 }],
  ["point", point],
  ["points", { array: point }],
  ["entries", { mapping: ["uint256", entry] }],
  ["last", "uint16"],
];

class Slots implements SlotAccess {
  readonly words = new Map<bigint, bigint>();
  hashes = 0;
  load(slot: bigint): bigint {
    return this.words.get(slot) ?? 0n;
  }
  store(slot: bigint, value: bigint): void {
    if (value === 0n) this.words.delete(slot);
    else this.words.set(slot, value);
  }
  chargeHash(): void {
    this.hashes++;
  }
}

const root: Cell = { type: layOutFields(sample), slot: 0n, offset: 0 };
const field = (name: string) => BigInt(sample.findIndex(([label]) => label === name));

/** Reads and writes fields of the sample by name. */
class Sample {
  readonly slots = new Slots();
  at(name: string, ...steps: Step[]): Cell {
    return cellAt(root, [field(name), ...steps], this.slots);
  }
  get(name: string, ...steps: Step[]): AbiValue {
    return readCell(this.at(name, ...steps), this.slots);
  }
  set(value: AbiValue, name: string, ...steps: Step[]): void {
    writeCell(this.at(name, ...steps), value, this.slots);
  }
}

const alice = `0x${"a1".repeat(20)}` as const;
const word = (type: string, value: unknown) => encodeAbiParameters([{ type }], [value]);

describe("storage: layout", () => {
  it("places an ERC-7201 namespace where the ERC's example is", () => {
    equal(namespaceSlot("example.main"), 0x183a6125c38840424c4a85fa12bab2ab606c4b6d0e7cc73c0c06ba5300eab500n);
  });

  it("refuses declarations that mean nothing, with the reason", () => {
    const cases: readonly [unknown, string][] = [
      ["uint256", "fields are not a list"],
      [[["1", "uint256"]], "field name 1"],
      [
        [
          ["a", "uint256"],
          ["a", "bool"],
        ],
        'field "a" twice',
      ],
      [[["a", "uint256[]"]], "uint256[]: declare arrays with array() and structs with struct()"],
      [[["a", { mapping: ["uint256[]", "bool"] }]], "uint256[] as a mapping's key"],
      [[["a", { struct: [] }]], "a struct has fields"],
      [[["a", { array: "bool", length: 0 }]], "array length"],
      [
        [["a", { array: { array: { array: "uint256", length: 2 ** 40 }, length: 2 ** 40 } }]],
        "more than 2^64 slots",
      ],
      [[["a", 5]], "not a type"],
    ];
    for (const [fields, problem] of cases) {
      throws(() => layOutFields(fields), new StorageError({ code: "STORAGE_DECLARATION", problem }));
    }
    throws(() => layOutFields([["a", "uint7"]]), AbiError);
    let deep: unknown = "bool";
    for (let i = 0; i < 20; i++) deep = { array: deep };
    throws(
      () => layOutFields([["a", deep]]),
      new StorageError({ code: "STORAGE_DECLARATION", problem: "nested deeper than 16" }),
    );
  });
});

describe("storage: cells", () => {
  it("pack neighbours into one word without touching each other", () => {
    const s = new Sample();
    s.set(alice, "owner");
    s.set(true, "open");
    s.set(0x7fn, "small");
    s.set(-1n, "delta");
    deepEqual(
      [...s.slots.words],
      [
        [0n, BigInt(`0x7f01${alice.slice(2)}`)],
        [1n, (1n << 96n) - 1n],
      ],
    );
    s.set(false, "open");
    deepEqual([s.get("owner"), s.get("open"), s.get("small"), s.get("delta")], [alice, false, 0x7fn, -1n]);
    s.set("0xdeadbeef", "tag");
    equal(s.slots.load(3n), 0xdeadbeefn);
  });

  it("find mapping values where Solidity hashes them", () => {
    const s = new Sample();
    s.set(5n, "balances", alice);
    equal(s.slots.load(BigInt(keccak256(concatHex([word("address", alice), word("uint256", 7n)])))), 5n);
    const key = `0x${"cd".repeat(32)}` as const;
    s.set(true, "nested", alice, key);
    const inner = keccak256(concatHex([word("address", alice), word("uint256", 8n)]));
    equal(s.slots.load(BigInt(keccak256(concatHex([key, inner])))), 1n);
    s.set(9n, "byName", "köln");
    equal(s.slots.load(BigInt(keccak256(concatHex([stringToHex("köln"), word("uint256", 9n)])))), 9n);
    equal(s.slots.hashes, 4);
  });

  it("are where a hash of their key says, however often they were looked up", () => {
    const types: readonly AbiType[] = [
      { kind: "address" },
      { kind: "bytes" },
      { kind: "uint", bits: 256 },
      { kind: "string" },
    ];
    const hex = fc.uint8Array({ minLength: 20, maxLength: 20 }).map((bytes) => toHex(bytes));
    const keyOf = (type: AbiType) => (type.kind === "uint" ? fc.bigInt({ min: 0n, max: 40n }) : hex);
    const lookUp = fc
      .constantFrom(...types)
      .chain((key) => fc.tuple(fc.constant(key), fc.nat({ max: 3 }), keyOf(key)));
    const value: StorageType = { kind: "value", type: { kind: "uint", bits: 256 }, size: 32 };
    const mappings = new Map(
      types.map((key) => {
        const type: MappingType = { kind: "mapping", key, value };
        return [key, { type, cells: [0n, 1n, 2n, 3n].map((slot): Cell => ({ type, slot, offset: 0 })) }];
      }),
    );
    const placeOf = (
      find: typeof mappingPlace,
      [key, slot, step]: readonly [AbiType, number, string | bigint],
    ) => {
      const { type, cells } = mappings.get(key)!;
      return find(cells[slot]!, type, step);
    };
    // More than are remembered.
    for (const wanted of fc.sample(lookUp, { numRuns: 20_000, seed: 5 })) {
      const place = placeOf(mappingPlace, wanted);
      if (place !== placeOf(mappingPlace, wanted)) deepEqual(placeOf(mappingPlace, wanted), place);
    }
    fc.assert(
      fc.property(lookUp, (wanted) => {
        deepEqual(placeOf(mappingPlace, wanted), placeOf(computeMappingPlace, wanted));
        deepEqual(placeOf(mappingPlace, wanted), placeOf(computeMappingPlace, wanted));
      }),
    );
    throws(() => placeOf(mappingPlace, [types[0]!, 0, "0x00"]), AbiError);
  });

  it("keep short text in the slot and long text behind it, and clear what is no longer used", () => {
    const s = new Sample();
    s.set("Jurat", "name");
    deepEqual([...s.slots.words], [[5n, BigInt(`0x${stringToHex("Jurat").slice(2).padEnd(62, "0")}0a`)]]);
    const long = "x".repeat(70);
    s.set(long, "name");
    equal(s.slots.load(5n), 141n);
    equal(s.slots.words.size, 4);
    equal(
      s.slots.load(BigInt(keccak256(word("uint256", 5n))) + 2n),
      BigInt(`0x${"78".repeat(6).padEnd(64, "0")}`),
    );
    equal(s.get("name"), long);
    s.set("", "name");
    equal(s.slots.words.size, 0);
    equal(s.get("name"), "");
  });

  it("index, grow and shrink arrays", () => {
    const s = new Sample();
    const list = s.at("list");
    for (const value of [1n, 2n, 3n, 4n, 5n]) writeCell(pushElement(list, s.slots), value, s.slots);
    equal(arrayLength(list, s.slots), 5n);
    const data = BigInt(keccak256(word("uint256", 10n)));
    equal(s.slots.load(data), 1n | (2n << 64n) | (3n << 128n) | (4n << 192n));
    equal(s.get("list", 4n), 5n);
    popElement(list, s.slots);
    equal(s.slots.load(data + 1n), 0n);
    throws(() => s.get("list", 4n), new StorageError({ code: "STORAGE_INDEX_OUT_OF_BOUNDS" }));
    throws(() => s.get("five", 5n), new StorageError({ code: "STORAGE_INDEX_OUT_OF_BOUNDS" }));
    s.set(alice, "trio", 2n);
    equal(s.slots.load(15n), BigInt(alice));
    throws(
      () => popElement(s.at("points"), s.slots),
      new StorageError({ code: "STORAGE_INDEX_OUT_OF_BOUNDS" }),
    );
  });

  it("reach through structs, and clear them when they are popped", () => {
    const s = new Sample();
    pushElement(s.at("points"), s.slots);
    s.set(1n, "points", 0n, 0n);
    s.set(true, "points", 0n, 3n);
    const data = BigInt(keccak256(word("uint256", 18n)));
    equal(s.slots.load(data), 1n);
    equal(s.slots.load(data + 1n), 1n << 128n);
    popElement(s.at("points"), s.slots);
    equal(s.slots.words.size, 0);
    s.set("note", "entries", 3n, 1n);
    equal(s.get("entries", 3n, 1n), "note");
  });

  it("give back whatever was written to them", () => {
    const values = fc.record({
      small: fc.bigInt({ min: 0n, max: 255n }),
      delta: fc.bigInt({ min: -(1n << 95n), max: (1n << 95n) - 1n }),
      total: fc.bigInt({ min: 0n, max: (1n << 256n) - 1n }),
      name: fc.string({ unit: "grapheme", maxLength: 80 }),
      open: fc.boolean(),
    });
    const s = new Sample();
    fc.assert(
      fc.property(values, (record) => {
        for (const [name, value] of Object.entries(record)) s.set(value, name);
        for (const [name, value] of Object.entries(record)) equal(s.get(name), value);
      }),
    );
  });

  it("refuse values and paths that do not belong to them", () => {
    const s = new Sample();
    throws(() => s.set(256n, "small"), new AbiError({ code: "ABI_OUT_OF_RANGE", type: "uint8" }));
    throws(() => s.set("\ud800", "name"), AbiError);
    throws(() => s.get("balances", "0x12"), AbiError);
    throws(
      () => s.get("balances"),
      new StorageError({ code: "STORAGE_PATH", problem: "reading a whole mapping" }),
    );
    throws(
      () => s.set(1n, "points"),
      new StorageError({ code: "STORAGE_PATH", problem: "writing a whole array" }),
    );
    throws(
      () => s.get("total", 1n),
      new StorageError({ code: "STORAGE_PATH", problem: "a step into value" }),
    );
    throws(() => s.get("point", 9n), new StorageError({ code: "STORAGE_PATH", problem: "no such field" }));
    equal(s.slots.words.size, 0);
  });

  it("refuse heads of text that no writer leaves", () => {
    const s = new Sample();
    for (const head of [0x40n, (1n << 255n) | 1n]) {
      s.slots.store(5n, head);
      throws(
        () => s.get("name"),
        new StorageError({ code: "STORAGE_PATH", problem: "not the head of bytes" }),
      );
    }
    s.slots.store(5n, (0xffn << 248n) | 2n);
    throws(
      () => s.get("name"),
      (error) => error instanceof StorageError && error.detail.code === "STORAGE_PATH",
    );
  });
});
