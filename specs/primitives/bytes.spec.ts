/** Spec of primitives/bytes.ts: hex and integers, each with one strict meaning. */
import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import {
  bigIntToBytes,
  bigIntToMinimalBytes,
  bytesToBigInt,
  compareBytes,
  fromHex,
  fromHexOfLength,
  toHex,
} from "../../primitives/bytes.ts";

describe("bytes: hex", () => {
  it("is two lower-case digits a byte, and back in either case", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        equal(toHex(bytes), `0x${Buffer.from(bytes).toString("hex")}`);
        deepEqual(fromHex(toHex(bytes)), bytes);
        deepEqual(fromHex(`0x${toHex(bytes).slice(2).toUpperCase()}`), bytes);
      }),
    );
  });

  it("refuses everything else", () => {
    const texts = [
      "",
      "0",
      "0x0",
      "0X00",
      "00",
      "0xg0",
      "0x0g",
      "0x 0",
      "0x0\u0130",
      "0x00\n",
      "x000",
      "0x-1",
    ];
    for (const text of texts) throws(() => fromHex(text), { detail: { code: "BYTES_NOT_HEX", text } });
    fc.assert(
      fc.property(fc.string({ maxLength: 12, unit: "binary" }), (text) => {
        if (!/^0x(?:[0-9a-fA-F]{2})*$/.test(text)) throws(() => fromHex(text));
      }),
    );
    throws(() => fromHexOfLength("0x0102", 3), {
      detail: { code: "BYTES_WRONG_LENGTH", expected: 3, actual: 2 },
    });
  });
});

describe("bytes: integers", () => {
  it("gives back every unsigned integer, padded or minimal", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }), (value) => {
        equal(bytesToBigInt(bigIntToBytes(value, 32)), value);
        equal(bytesToBigInt(bigIntToMinimalBytes(value)), value);
        equal(bigIntToMinimalBytes(value)[0] === 0, false);
      }),
    );
  });

  it("refuses what does not fit", () => {
    for (const value of [256n, -1n]) {
      throws(() => bigIntToBytes(value, 1), {
        detail: { code: "BYTES_NUMBER_TOO_LARGE", value: `${value}` },
      });
    }
  });
});

describe("bytes: order", () => {
  it("is that of their hex", () => {
    const short = fc.uint8Array({ maxLength: 4 });
    fc.assert(
      fc.property(short, short, (a, b) => {
        const [left, right] = [toHex(a), toHex(b)];
        equal(Math.sign(compareBytes(a, b)), left < right ? -1 : left > right ? 1 : 0);
      }),
    );
  });
});
