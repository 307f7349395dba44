/** The layout of storage in solc's `storageLayout` form, which tools read. See specs/vm/contract/storage.md#layout-json. */
import { canonicalType } from "./abi-type.ts";
import { type StorageField, type StorageType, slotsOf, storageTypeName } from "./storage-layout.ts";

export type StorageLayoutEntry = {
  readonly astId: number;
  readonly contract: string;
  readonly label: string;
  readonly offset: number;
  /** Decimal. */
  readonly slot: string;
  readonly type: string;
};

export type StorageLayoutType = {
  readonly encoding: "inplace" | "mapping" | "dynamic_array" | "bytes";
  readonly label: string;
  readonly numberOfBytes: string;
  readonly base?: string;
  readonly key?: string;
  readonly value?: string;
  readonly members?: readonly StorageLayoutEntry[];
};

export type StorageLayout = {
  readonly storage: readonly StorageLayoutEntry[];
  readonly types: Readonly<Record<string, StorageLayoutType>>;
};

/** A namespace and what is declared in it. */
export type PlacedFields = { readonly base: bigint; readonly fields: readonly StorageField[] };

/** `contract` is solc's `source:Name`. Slots are absolute, so namespaces need no convention of their own. */
export function storageLayoutJson(contract: string, declarations: readonly PlacedFields[]): StorageLayout {
  const types: Record<string, StorageLayoutType> = {};
  const entries = ({ base, fields }: PlacedFields): StorageLayoutEntry[] =>
    fields.map((field) => ({
      astId: 0,
      contract,
      label: field.name,
      offset: field.offset,
      slot: (base + field.slot).toString(),
      type: describe(field.type),
    }));

  const describe = (type: StorageType): string => {
    const id = typeId(type);
    types[id] ??= describeType(type);
    return id;
  };

  const describeType = (type: StorageType): StorageLayoutType => {
    const label = storageTypeName(type);
    const numberOfBytes = String(type.kind === "value" ? BigInt(type.size) : 32n * slotsOf(type));
    switch (type.kind) {
      case "value":
        return { encoding: "inplace", label, numberOfBytes };
      case "mapping": {
        const isText = type.key.kind === "string" || type.key.kind === "bytes";
        const key = isText ? `t_${type.key.kind}_memory_ptr` : `t_${canonicalType(type.key)}`;
        types[key] ??= {
          encoding: isText ? "bytes" : "inplace",
          label: canonicalType(type.key),
          numberOfBytes: String(keySize(type.key)),
        };
        return { encoding: "mapping", label, numberOfBytes, key, value: describe(type.value) };
      }
      case "array": {
        const encoding = type.length === undefined ? "dynamic_array" : "inplace";
        return { encoding, label, numberOfBytes, base: describe(type.element) };
      }
      case "struct":
        return {
          encoding: "inplace",
          label,
          numberOfBytes,
          members: entries({ base: 0n, fields: type.fields }),
        };
      default:
        return { encoding: "bytes", label, numberOfBytes };
    }
  };

  return { storage: declarations.flatMap(entries), types };
}

function keySize(key: Parameters<typeof canonicalType>[0]): number {
  if (key.kind === "uint" || key.kind === "int") return key.bits / 8;
  if (key.kind === "fixedBytes") return key.size;
  if (key.kind === "address") return 20;
  return key.kind === "bool" ? 1 : 32;
}

function typeId(type: StorageType): string {
  switch (type.kind) {
    case "value":
      return `t_${canonicalType(type.type)}`;
    case "mapping": {
      const isText = type.key.kind === "string" || type.key.kind === "bytes";
      const key = isText ? `t_${type.key.kind}_memory_ptr` : `t_${canonicalType(type.key)}`;
      return `t_mapping(${key},${typeId(type.value)})`;
    }
    case "array":
      return `t_array(${typeId(type.element)})${type.length ?? "dyn"}_storage`;
    case "struct":
      return `t_struct(${type.fields.map(({ type, name }) => `${typeId(type)} ${name}`).join(",")})_storage`;
    default:
      return `t_${type.kind}_storage`;
  }
}
