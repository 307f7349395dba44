/** Typed storage: every read is one load, every assignment one store. See specs/contracts/storage.md. */
import { type Kind, OPERATION, type StorageKind } from "../../vm/contract/operation.ts";
import { type Flat, host, hostInteger, hostJson } from "./host.ts";
import {
  applyPack,
  applyUnpack,
  compileKey,
  compilePack,
  compileUnpack,
  type Pack,
  type Unpack,
} from "./wire.ts";

type Declaration =
  | string
  | { readonly mapping: readonly [string, Declaration] }
  | { readonly array: Declaration; readonly length?: number }
  | { readonly struct: readonly (readonly [string, Declaration])[] };

export function mapping(key: string, value: Declaration): Declaration {
  return { mapping: [key, value] };
}

export function array(element: Declaration, length?: number): Declaration {
  return length === undefined ? { array: element } : { array: element, length };
}

export function struct(fields: Record<string, Declaration>): Declaration {
  return { struct: Object.entries(fields) };
}

type Fields = readonly (readonly [name: string, kind: StorageKind])[];

/** Fields from slot 0, from the slot of an ERC-7201 namespace, or from a slot given as an integer. */
export function storage(fields: Record<string, Declaration>, at?: string | bigint): object {
  return declareStorage(fields, at, 0);
}

/** The same, of storage that ends with the transaction (EIP-1153). */
export function transientStorage(fields: Record<string, Declaration>, at?: string | bigint): object {
  return declareStorage(fields, at, 1);
}

function declareStorage(
  fields: Record<string, Declaration>,
  at: string | bigint | undefined,
  isTransient: 0 | 1,
): object {
  const declared = hostJson<{ id: number; fields: Fields }>(
    OPERATION.declareStorage,
    JSON.stringify(Object.entries(fields)),
    typeof at === "bigint" ? `0x${at.toString(16)}` : at,
    isTransient,
  );
  const object = Object.create(null) as object;
  declared.fields.forEach(([name, kind], i) => {
    const path = String(i);
    const access = compileAccess(declared.id, kind);
    const property = access.isValue
      ? {
          get: () => access.get(path, undefined),
          set: (value: unknown) => access.set(path, undefined, value),
        }
      : { value: access.get(path, undefined) };
    Object.defineProperty(object, name, { enumerable: true, ...property });
  });
  return Object.freeze(object);
}

/**
 * Reads and writes what lies at a path, a list of steps joined by commas, or one step further when there is a key.
 * The key goes to the host on its own, because joining texts costs more than passing one.
 */
type Access = {
  readonly isValue: boolean;
  readonly id: number;
  get(path: string, key: string | undefined): unknown;
  set(path: string, key: string | undefined, value: unknown): void;
};

function compileAccess(id: number, kind: StorageKind): Access {
  if ("value" in kind) return compileValue(id, kind.value);
  const reference = compileReference(id, kind);
  return {
    isValue: false,
    id,
    get: (path, key) => reference(key === undefined ? path : `${path},${key}`),
    set() {
      throw new TypeError("assign the parts of a container, not the container");
    },
  };
}

function compileReference(
  id: number,
  kind: Exclude<StorageKind, { readonly value: Kind }>,
): (path: string) => object {
  if ("fields" in kind) return compileStruct(id, kind.fields);
  if ("array" in kind) {
    const access = compileAccess(id, kind.array);
    return (path) => new ArrayReference(id, access, path);
  }
  const packKey = compileKey(kind.key, kind.isText === true);
  if ("value" in kind.mapping) {
    const { value } = kind.mapping;
    const shape = { id, packKey, pack: compilePack(value), unpack: compileUnpack(value) };
    return (path) => new ValueMapping(shape, path);
  }
  const access = compileAccess(id, kind.mapping);
  return (path) => new ContainerMapping(access, path, packKey);
}

function compileValue(id: number, kind: Kind): Access {
  const pack = compilePack(kind);
  const unpack = compileUnpack(kind);
  return {
    isValue: true,
    id,
    get: (path, key) => applyUnpack(unpack, host(OPERATION.load, id, path, key) as Flat),
    set: (path, key, value) => {
      host(OPERATION.store, id, path, key, applyPack(pack, value));
    },
  };
}

const PATH = Symbol("path");

/** Accessors are made once for each struct type; a reference is an object with a path. */
function compileStruct(id: number, fields: Fields): (path: string) => object {
  const prototype = Object.create(null) as object;
  fields.forEach(([name, kind], i) => {
    const access = compileAccess(id, kind);
    const step = String(i);
    Object.defineProperty(prototype, name, {
      enumerable: true,
      get(this: { [PATH]: string }) {
        return access.get(this[PATH], step);
      },
      set(this: { [PATH]: string }, value: unknown) {
        access.set(this[PATH], step, value);
      },
    });
  });
  return (path) => Object.create(prototype, { [PATH]: { value: path } }) as object;
}

type PackKey = ((key: unknown) => string) | undefined;
type ValueMappingShape = {
  readonly id: number;
  readonly packKey: PackKey;
  readonly pack: Pack;
  readonly unpack: Unpack;
};

/** Keys to values, written out: this is what contracts do most. */
class ValueMapping {
  readonly shape: ValueMappingShape;
  readonly path: string;

  constructor(shape: ValueMappingShape, path: string) {
    this.shape = shape;
    this.path = path;
  }

  get(key: unknown): unknown {
    const { id, packKey, unpack } = this.shape;
    const step = packKey === undefined ? (key as string) : packKey(key);
    const flat = host(OPERATION.load, id, this.path, step) as Flat;
    return unpack === undefined ? flat : unpack(flat);
  }

  set(key: unknown, value: unknown): void {
    const { id, packKey, pack } = this.shape;
    const step = packKey === undefined ? (key as string) : packKey(key);
    host(OPERATION.store, id, this.path, step, pack === undefined ? (value as Flat) : pack(value));
  }

  delete(key: unknown): void {
    const { id, packKey } = this.shape;
    host(OPERATION.clear, id, this.path, packKey === undefined ? (key as string) : packKey(key));
  }

  /** The host checks that the sum fits its type: Panic 0x11 when it does not. */
  add(key: unknown, amount: bigint): bigint {
    const sum = (this.get(key) as bigint) + amount;
    this.set(key, sum);
    return sum;
  }

  sub(key: unknown, amount: bigint): bigint {
    return this.add(key, -amount);
  }
}

/** Keys to mappings, arrays and structs. */
class ContainerMapping {
  readonly access: Access;
  readonly path: string;
  readonly packKey: PackKey;

  constructor(access: Access, path: string, packKey: PackKey) {
    this.access = access;
    this.path = path;
    this.packKey = packKey;
  }

  get(key: unknown): unknown {
    const { packKey } = this;
    return this.access.get(this.path, packKey === undefined ? (key as string) : packKey(key));
  }

  delete(key: unknown): void {
    const { access, packKey, path } = this;
    host(OPERATION.clear, access.id, path, packKey === undefined ? (key as string) : packKey(key));
  }
}

/** An index as a step of a path. */
const packIndex = compileKey("i", false) as (index: unknown) => string;

class ArrayReference {
  readonly id: number;
  readonly access: Access;
  readonly path: string;

  constructor(id: number, access: Access, path: string) {
    this.id = id;
    this.access = access;
    this.path = path;
  }

  get length(): bigint {
    return hostInteger(OPERATION.arrayLength, this.id, this.path);
  }

  get(index: unknown): unknown {
    return this.access.get(this.path, packIndex(index));
  }

  set(index: unknown, value: unknown): void {
    this.access.set(this.path, packIndex(index), value);
  }

  delete(index: unknown): void {
    host(OPERATION.clear, this.id, this.path, packIndex(index));
  }

  /** Without a value, a reference to the new element, which is zero. */
  push(...values: unknown[]): unknown {
    const index = hostInteger(OPERATION.arrayPush, this.id, this.path).toString(16);
    if (values.length === 0) return this.access.get(this.path, index);
    this.access.set(this.path, index, values[0]);
    return undefined;
  }

  pop(): void {
    host(OPERATION.arrayPop, this.id, this.path);
  }
}
