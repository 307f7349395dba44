/** specs/vm/contract/container.md */
import { deepEqual, equal, throws } from "node:assert/strict";
import { constants, deflateRawSync, inflateRawSync } from "node:zlib";
import fc from "fast-check";
import { concatBytes, fromHex, utf8ToBytes } from "../../../primitives/bytes.ts";
import {
  CONTAINER_SIZE_LIMIT,
  type Container,
  ContainerError,
  decodeContainer,
  ENGINE_ID,
  encodeContainer,
  SOURCE_SIZE_LIMIT,
  unpackSource,
} from "../../../vm/contract/container.ts";
import { INFLATE_BLOCK_LIMIT, InflateError, inflateRaw } from "../../../vm/contract/inflate.ts";

function containerOf(source: string | Uint8Array): Container {
  const bytes = typeof source === "string" ? utf8ToBytes(source) : source;
  return {
    engineId: ENGINE_ID,
    isUpgradeable: false,
    rawLength: bytes.length,
    packed: new Uint8Array(deflateRawSync(bytes, { level: 9 })),
    metadataHash: new Uint8Array(32).fill(7),
  };
}

/** Repetitive text, as sources are, and noise; with every strategy and flush that makes other kinds of blocks. */
const streams = fc.record({
  bytes: fc.oneof(
    fc.uint8Array({ maxLength: 2_000 }),
    fc
      .array(fc.constantFrom("const ", "balance", "s.owner", " = ", "\n"), { maxLength: 800 })
      .map((words) => utf8ToBytes(words.join(""))),
  ),
  level: fc.integer({ min: 0, max: 9 }),
  strategy: fc.constantFrom(
    constants.Z_DEFAULT_STRATEGY,
    constants.Z_HUFFMAN_ONLY,
    constants.Z_RLE,
    constants.Z_FIXED,
  ),
  memLevel: fc.integer({ min: 1, max: 9 }),
});

function inflateCode(action: () => unknown): string {
  try {
    action();
    return "accepted";
  } catch (error) {
    if (!(error instanceof InflateError)) throw error;
    return error.detail.code;
  }
}

describe("container: inflating", () => {
  it("gives back what zlib deflated", () => {
    fc.assert(
      fc.property(streams, ({ bytes, level, strategy, memLevel }) => {
        const packed = deflateRawSync(bytes, { level, strategy, memLevel });
        deepEqual(inflateRaw(packed, bytes.length), new Uint8Array(bytes));
      }),
      { numRuns: 500 },
    );
  });

  it("reads a damaged stream as zlib reads it, or refuses it", () => {
    const damaged = streams.chain(({ bytes, level, strategy, memLevel }) => {
      const packed = new Uint8Array(deflateRawSync(bytes, { level, strategy, memLevel }));
      return fc
        .array(fc.tuple(fc.nat(packed.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 })
        .map((edits) => {
          const copy = packed.slice();
          for (const [position, byte] of edits) copy[position] = byte;
          return { packed: copy, length: bytes.length };
        });
    });
    fc.assert(
      fc.property(damaged, ({ packed, length }) => {
        let zlib: Uint8Array | undefined;
        try {
          zlib = new Uint8Array(inflateRawSync(packed, { maxOutputLength: 1 << 20 }));
        } catch {
          zlib = undefined;
        }
        const code = inflateCode(() => inflateRaw(packed, zlib?.length ?? length));
        if (code === "accepted") deepEqual(inflateRaw(packed, zlib?.length ?? length), zlib);
        // zlib stops at the end of the stream and does not look behind it.
        else if (zlib !== undefined) equal(code, "INFLATE_TRAILING_BYTES");
      }),
      { numRuns: 1_500 },
    );
  });

  it("stops a bomb at the declared length", () => {
    const bomb = deflateRawSync(new Uint8Array(50_000_000));
    equal(
      inflateCode(() => inflateRaw(bomb, SOURCE_SIZE_LIMIT)),
      "INFLATE_TOO_LONG",
    );
  });

  it("wants exactly the declared length and exactly one stream", () => {
    const packed = deflateRawSync(utf8ToBytes("hello"));
    equal(
      inflateCode(() => inflateRaw(packed, 4)),
      "INFLATE_TOO_LONG",
    );
    equal(
      inflateCode(() => inflateRaw(packed, 6)),
      "INFLATE_TOO_SHORT",
    );
    equal(
      inflateCode(() => inflateRaw(concatBytes(packed, Uint8Array.of(0)), 5)),
      "INFLATE_TRAILING_BYTES",
    );
    equal(
      inflateCode(() => inflateRaw(packed.subarray(0, 3), 5)),
      "INFLATE_SHORT_DATA",
    );
    equal(
      inflateCode(() => inflateRaw(new Uint8Array(0), 0)),
      "INFLATE_SHORT_DATA",
    );
  });

  it("limits the number of blocks, each of which costs tables", () => {
    const emptyBlock = Uint8Array.of(0x00, 0x00, 0x00, 0xff, 0xff);
    const endless = concatBytes(...Array.from({ length: INFLATE_BLOCK_LIMIT + 1 }, () => emptyBlock));
    equal(
      inflateCode(() => inflateRaw(endless, 0)),
      "INFLATE_TOO_MANY_BLOCKS",
    );
  });

  it("ends whatever the bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        inflateCode(() => inflateRaw(bytes, 1_000));
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("container: format", () => {
  it("has one pinned encoding", () => {
    const container = { ...containerOf("1"), packed: Uint8Array.of(0x33, 0x04, 0x00), isUpgradeable: true };
    deepEqual(
      encodeContainer(container),
      fromHex(`0xef4a53010001010000010000033304 00${"07".repeat(32)}`.replace(" ", "")),
    );
    equal(unpackSource(container), "1");
  });

  it("is followed by constructor arguments", () => {
    const container = containerOf("export default 1;");
    const bytes = encodeContainer(container);
    deepEqual(decodeContainer(concatBytes(bytes, Uint8Array.of(1, 2, 3))), { container, size: bytes.length });
  });

  it("refuses everything else with the reason", () => {
    const good = encodeContainer(containerOf("export default 1;"));
    const edited = (position: number, byte: number) => {
      const copy = good.slice();
      copy[position] = byte;
      return copy;
    };
    const evm = fromHex("0x6080604052348015600e575f5ffd5b50");
    throws(() => decodeContainer(evm), new ContainerError({ code: "CONTAINER_WRONG_MAGIC" }));
    throws(() => decodeContainer(new Uint8Array(0)), new ContainerError({ code: "CONTAINER_WRONG_MAGIC" }));
    throws(() => decodeContainer(good.subarray(0, 12)), new ContainerError({ code: "CONTAINER_SHORT" }));
    throws(() => decodeContainer(good.subarray(0, -1)), new ContainerError({ code: "CONTAINER_SHORT" }));
    throws(
      () => decodeContainer(edited(3, 2)),
      new ContainerError({ code: "CONTAINER_UNKNOWN_VERSION", version: 2 }),
    );
    throws(
      () => decodeContainer(edited(5, 9)),
      new ContainerError({ code: "CONTAINER_UNKNOWN_ENGINE", engineId: 9 }),
    );
    throws(
      () => decodeContainer(edited(6, 2)),
      new ContainerError({ code: "CONTAINER_UNKNOWN_FLAGS", flags: 2 }),
    );
    throws(
      () => decodeContainer(edited(7, 0xff)),
      (error) => error instanceof ContainerError && error.detail.code === "CONTAINER_TOO_LARGE",
    );
    const large = { ...containerOf("1"), packed: new Uint8Array(CONTAINER_SIZE_LIMIT - 44) };
    throws(
      () => decodeContainer(encodeContainer(large)),
      new ContainerError({
        code: "CONTAINER_TOO_LARGE",
        limitBytes: CONTAINER_SIZE_LIMIT,
        actualBytes: CONTAINER_SIZE_LIMIT + 1,
      }),
    );
  });

  it("refuses source that is not packed, or not text", () => {
    throws(
      () => unpackSource({ ...containerOf("1"), rawLength: 2 }),
      new ContainerError({ code: "CONTAINER_NOT_PACKED", reason: "INFLATE_TOO_SHORT" }),
    );
    throws(
      () => unpackSource(containerOf(Uint8Array.of(0xff))),
      new ContainerError({ code: "CONTAINER_NOT_UTF8" }),
    );
  });

  it("refuses characters that readers do not see", () => {
    for (const codePoint of [0x00, 0x85, 0x200b, 0x202e, 0x2066, 0xfeff, 0xe0041]) {
      const source = `const a = 1;\nconst b = "${String.fromCodePoint(codePoint)}";`;
      const name = `U+${codePoint.toString(16).toUpperCase().padStart(4, "0")}`;
      throws(
        () => unpackSource(containerOf(source)),
        new ContainerError({ code: "CONTAINER_HIDDEN_CHARACTER", codePoint: name, line: 2 }),
      );
    }
    const visible = 'const größe = "→ 価格 🙂";\r\n\tvoid größe;';
    equal(unpackSource(containerOf(visible)), visible);
  });
});
