/** Slots of mappings' values that were looked up lately: encoding and hashing a key costs 3 µs. See specs/vm/contract/storage.md#layout. */
import type { Hash } from "../../primitives/bytes.ts";
import type { AbiType, AbiValue } from "./abi-type.ts";
import { compileKey, type KeyEncoder, mappingSlot, slotKey } from "./storage-layout.ts";

export type MappingPlace = {
  readonly slot: bigint;
  /** The slot as the state knows it. */
  readonly key: Hash;
  /** What the hash is taken of, for its price. */
  readonly hashedBytes: number;
};

type Places = Map<bigint, Map<AbiValue, MappingPlace>>;

/** Places that are remembered, about 4 MB; then all are forgotten. */
const PLACES_LIMIT = 16_384;

let placesByType = new WeakMap<AbiType, Places>();
let remembered = 0;

/** Where the value for `key` is in the mapping at `slot`. @throws AbiError when `key` is none of `type`. */
export function mappingPlace(type: AbiType, slot: bigint, key: AbiValue): MappingPlace {
  const places = placesAt(type, slot);
  const known = places.get(key);
  if (known !== undefined) return known;
  const place = computeMappingPlace(type, slot, key);
  if (++remembered > PLACES_LIMIT) forgetPlaces();
  else places.set(key, place);
  return place;
}

/** The same, computed: what is remembered must be this. */
export function computeMappingPlace(type: AbiType, slot: bigint, key: AbiValue): MappingPlace {
  const encoded = keyEncoder(type)(key);
  const found = mappingSlot(encoded, slot);
  return { slot: found, key: slotKey(found), hashedBytes: encoded.length + 32 };
}

function placesAt(type: AbiType, slot: bigint): Map<AbiValue, MappingPlace> {
  let bySlot = placesByType.get(type);
  if (bySlot === undefined) {
    bySlot = new Map();
    placesByType.set(type, bySlot);
  }
  let places = bySlot.get(slot);
  if (places === undefined) {
    places = new Map();
    // A mapping of mappings has one for every key: they count, too.
    if (++remembered > PLACES_LIMIT) forgetPlaces();
    else bySlot.set(slot, places);
  }
  return places;
}

function forgetPlaces(): void {
  placesByType = new WeakMap();
  remembered = 0;
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
