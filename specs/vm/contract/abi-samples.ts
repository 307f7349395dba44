/** Random ABI types with values of them, for the specs that compare our codec with viem's. */
import fc from "fast-check";
import { toHex } from "../../../primitives/bytes.ts";
import { type AbiParameter, type AbiType, type AbiValue, isNamed } from "../../../vm/contract/abi-type.ts";

const elementary: fc.Arbitrary<AbiType> = fc.oneof(
  fc.record({
    kind: fc.constantFrom("uint" as const, "int" as const),
    bits: fc.integer({ min: 1, max: 32 }).map((bytes) => 8 * bytes),
  }),
  fc.record({
    kind: fc.constantFrom("address" as const, "bool" as const, "bytes" as const, "string" as const),
  }),
  fc.record({
    kind: fc.constant("fixedBytes" as const),
    size: fc.integer({ min: 1, max: 32 }),
    isFunction: fc.constant(false),
  }),
);

function named(types: readonly AbiType[], isNamedList: boolean): AbiParameter[] {
  return types.map((type, i) => ({ name: isNamedList ? `member${i}` : "", type, indexed: false }));
}

export const abiTypes: fc.Arbitrary<AbiType> = fc.letrec<{ type: AbiType }>((tie) => ({
  type: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    elementary,
    fc.record({
      kind: fc.constant("array" as const),
      element: tie("type"),
      length: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
    }),
    fc
      .tuple(fc.array(tie("type"), { minLength: 1, maxLength: 4 }), fc.boolean())
      .map(([types, isNamedList]) => ({ kind: "tuple" as const, members: named(types, isNamedList) })),
  ),
})).type;

export const abiParameters: fc.Arbitrary<AbiParameter[]> = fc
  .array(abiTypes, { maxLength: 4 })
  .map((types) => named(types, true));

const hexOf = (minLength: number, maxLength: number) => fc.uint8Array({ minLength, maxLength }).map(toHex);

/** Values of `type`, with the ends of integer ranges more often than chance has them. */
export function valuesOf(type: AbiType): fc.Arbitrary<AbiValue> {
  switch (type.kind) {
    case "uint":
      return fc.bigInt({ min: 0n, max: (1n << BigInt(type.bits)) - 1n });
    case "int":
      return fc.bigInt({ min: -(1n << BigInt(type.bits - 1)), max: (1n << BigInt(type.bits - 1)) - 1n });
    case "bool":
      return fc.boolean();
    case "address":
      return hexOf(20, 20);
    case "fixedBytes":
      return hexOf(type.size, type.size);
    case "bytes":
      return hexOf(0, 70);
    case "string":
      return fc.string({ unit: "binary", maxLength: 40 });
    case "array":
      return fc.array(valuesOf(type.element), {
        minLength: type.length ?? 0,
        maxLength: type.length ?? 3,
      });
    case "tuple":
      return listsOf(type.members).map((values) =>
        isNamed(type.members)
          ? Object.fromEntries(type.members.map(({ name }, i) => [name, values[i] as AbiValue]))
          : values,
      );
  }
}

export function listsOf(parameters: readonly AbiParameter[]): fc.Arbitrary<AbiValue[]> {
  return fc.tuple(...parameters.map(({ type }) => valuesOf(type)));
}

/** viem gives small integers as numbers and addresses with a checksum; here both take our form. */
export function fromViem(parameters: readonly AbiParameter[], values: readonly unknown[]): AbiValue[] {
  return parameters.map(({ type }, i) => fromViemValue(type, values[i]));
}

function fromViemValue(type: AbiType, value: unknown): AbiValue {
  if (type.kind === "uint" || type.kind === "int") return BigInt(value as bigint | number);
  if (type.kind === "address") return (value as string).toLowerCase();
  if (type.kind === "array")
    return (value as unknown[]).map((element) => fromViemValue(type.element, element));
  if (type.kind !== "tuple") return value as AbiValue;
  if (!isNamed(type.members)) return fromViem(type.members, value as unknown[]);
  const object = value as Record<string, unknown>;
  return Object.fromEntries(type.members.map(({ name, type }) => [name, fromViemValue(type, object[name])]));
}
