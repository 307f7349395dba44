/** Places of mappings' values that were looked up lately: encoding and hashing a key costs 3 µs. See specs/vm/contract/storage.md#layout. */
import type { AbiType, AbiValue } from "./abi-type.ts";
import {
  type Cell,
  compileKey,
  type KeyEncoder,
  mappingSlot,
  type StorageType,
  slotKey,
} from "./storage-layout.ts";

export type MappingType = StorageType & { readonly kind: "mapping" };

export type MappingPlace = {
  /** The value's, with the slot as the state knows it. */
  readonly cell: Cell;
  /** What the hash is taken of, for its price. */
  readonly hashedBytes: number;
};

/** Places that are remembered, about 4 MB; then all are forgotten. */
const PLACES_LIMIT = 16_384;

/** By the mapping's cell: those of a contract's fields live as long as it, those inside mappings as their place. */
let placesByMapping = new WeakMap<Cell, Map<AbiValue, MappingPlace>>();
let remembered = 0;

/** Where the value for `key` is in `mapping`, which has the type `type`. @throws AbiError when `key` is none of its keys. */
export function mappingPlace(mapping: Cell, type: MappingType, key: AbiValue): MappingPlace {
  const places = placesByMapping.get(mapping);
  const known = places?.get(key);
  if (known !== undefined) return known;
  const place = computeMappingPlace(mapping, type, key);
  if (++remembered > PLACES_LIMIT) {
    placesByMapping = new WeakMap();
    remembered = 0;
  } else if (places === undefined) placesByMapping.set(mapping, new Map([[key, place]]));
  else places.set(key, place);
  return place;
}

/** The same, computed: what is remembered must be this. */
export function computeMappingPlace({ slot }: Cell, type: MappingType, key: AbiValue): MappingPlace {
  const encoded = keyEncoder(type.key)(key);
  const found = mappingSlot(encoded, slot);
  const cell = { type: type.value, slot: found, offset: 0, key: slotKey(found) };
  return { cell, hashedBytes: encoded.length + 32 };
}

const keyEncoders = new WeakMap<AbiType, KeyEncoder>();

/** Made once for each type. */
export function keyEncoder(type: AbiType): KeyEncoder {
  let encoder = keyEncoders.get(type);
  if (encoder === undefined) {
    encoder = compileKey(type);
    keyEncoders.set(type, encoder);
  }
  return encoder;
}
