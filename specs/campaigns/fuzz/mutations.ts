/** Bytes that nobody meant: random ones, and real messages damaged. See specs/campaigns/fuzz/fuzz.md. */
import fc from "fast-check";

type Edit = (bytes: Uint8Array) => Uint8Array;

/** Numbers at which lengths, offsets and counts go wrong. */
const EXTREMES = [0, 1, 0x7f, 0x80, 0xff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];
/** Values at which readers of JSON go wrong: among them objects that no template string can hold. */
const JSON_VALUES = [
  ...['{"toString":1,"valueOf":1}', '{"__proto__":null}', '{"length":1}', '"__proto__"', '"\\ud800"'],
  ...["{}", "[]", "[null]", "null", "true", '""', "[[[[[[[[]]]]]]]]"],
  ...["-1", "1.5", "1e400", "9007199254740993"],
].map((text) => Buffer.from(text));
const GROWTH_LIMIT_BYTES = 1 << 16;

/** Positions are fractions of the length, since the length is not known yet. */
const at = (bytes: Uint8Array, part: number) => Math.min(bytes.length - 1, Math.floor(part * bytes.length));
const part = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });

function editArbitrary(seeds: readonly Uint8Array[]): fc.Arbitrary<Edit> {
  const change = (write: (copy: Uint8Array, position: number) => void, where: number): Edit => {
    return (bytes) => {
      const copy = bytes.slice();
      if (copy.length > 0) write(copy, at(copy, where));
      return copy;
    };
  };
  const flip = fc.tuple(part, fc.nat(7)).map(([where, bit]) =>
    change((copy, i) => {
      copy[i] = (copy[i] ?? 0) ^ (1 << bit);
    }, where),
  );
  const set = fc.tuple(part, fc.nat(255)).map(([where, value]) =>
    change((copy, i) => {
      copy[i] = value;
    }, where),
  );
  const extreme = fc.tuple(part, fc.constantFrom(...EXTREMES), fc.boolean()).map(([where, value, little]) =>
    change((copy, i) => {
      if (i + 4 <= copy.length) new DataView(copy.buffer, copy.byteOffset).setUint32(i, value, little);
    }, where),
  );
  const cut = fc.tuple(part, part).map(
    ([from, to]): Edit =>
      (bytes) =>
        joined(bytes.subarray(0, at(bytes, from)), bytes.subarray(at(bytes, to))),
  );
  const insert = fc.tuple(part, fc.uint8Array({ maxLength: 64 })).map(
    ([where, more]): Edit =>
      (bytes) => {
        const i = Math.max(0, at(bytes, where));
        return joined(bytes.subarray(0, i), more, bytes.subarray(i));
      },
  );
  const splice = fc.tuple(part, part, fc.constantFrom(...seeds)).map(
    ([from, to, other]): Edit =>
      (bytes) => {
        return joined(
          bytes.subarray(0, Math.max(0, at(bytes, from))),
          other.subarray(Math.max(0, at(other, to))),
        );
      },
  );
  const otherValue = fc.tuple(part, fc.constantFrom(...JSON_VALUES)).map(
    ([where, value]): Edit =>
      (bytes) =>
        withJsonValue(bytes, Math.max(0, at(bytes, where)), value),
  );
  return fc.oneof(flip, set, extreme, cut, insert, splice, otherValue);
}

/** The first value of JSON from `from` on becomes another one, if there is one. */
function withJsonValue(bytes: Uint8Array, from: number, value: Uint8Array): Uint8Array {
  const text = Buffer.from(bytes).toString("latin1");
  const known = /"[^"]*"(?!\s*:)|-?\d+|true|false|null/g;
  known.lastIndex = from;
  const found = known.exec(text);
  if (found === null) return bytes;
  return joined(bytes.subarray(0, found.index), value, bytes.subarray(found.index + found[0].length));
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts)).subarray(0, GROWTH_LIMIT_BYTES);
}

/** One input in eight is random bytes, the others are seeds after one to six edits. */
export function hostileBytes(seeds: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const edited = fc
    .tuple(fc.constantFrom(...seeds), fc.array(editArbitrary(seeds), { minLength: 1, maxLength: 6 }))
    .map(([seed, edits]) => edits.reduce((bytes, edit) => edit(bytes), seed));
  return fc.oneof(
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 256 }) },
    { weight: 7, arbitrary: edited },
  );
}

export type FuzzOptions = { readonly inputs: number; readonly seed: number };

/** @param read gives anything or throws `isExpected`; whatever else it throws fails, with the smallest input that does. */
export async function fuzz(
  { inputs, seed }: FuzzOptions,
  seeds: readonly Uint8Array[],
  read: (bytes: Uint8Array) => unknown,
  isExpected: (error: unknown) => boolean,
): Promise<void> {
  const property = fc.asyncProperty(hostileBytes(seeds), async (bytes) => {
    try {
      await read(bytes);
    } catch (error) {
      if (!isExpected(error)) throw error;
    }
  });
  await fc.assert(property, { numRuns: inputs, seed });
}
