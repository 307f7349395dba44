/** Whether new code can take over the storage of old code. See specs/contracts/build.md#layout. */
import type { StorageLayout, StorageLayoutEntry, StorageLayoutType } from "../../vm/contract/storage-json.ts";
import { BuildError } from "./build-error.ts";

const SLOT_BYTES = 32n;

/** A field, and the bytes it takes, counted from the first of slot 0. */
type Placed = {
  readonly label: string;
  readonly slot: string;
  readonly offset: number;
  readonly start: bigint;
  readonly end: bigint;
  readonly type: TypeAt;
  readonly typeLabel: string;
};

type TypeAt = { readonly id: string; readonly layout: StorageLayout };

/**
 * @param against where the old layout is from, for the reader of the error.
 * @throws BuildError BUILD_LAYOUT that names each field that moved, changed or went, and what to do.
 */
export function checkLayout(before: StorageLayout, after: StorageLayout, against: string): void {
  const old = before.storage.map((entry) => place(entry, before));
  const current = after.storage.map((entry) => place(entry, after));
  const problems = old.flatMap((field) => problemOf(field, old, current) ?? []);
  const intruders = current.filter((field) => isBetween(field, old, current));
  for (const { label, slot } of intruders) {
    problems.push(`${label} begins in slot ${slot}, inside what was another field: ${HOW_TO_ADD}`);
  }
  if (problems.length > 0) throw new BuildError({ code: "BUILD_LAYOUT", against, problems });
}

const HOW_TO_ADD =
  'add fields behind the last one, or in a namespace of their own: storage({ … }, "my.contract.v2")';

/** A new name for the same bytes and the same type is no problem. */
function problemOf(field: Placed, old: readonly Placed[], current: readonly Placed[]): string | undefined {
  const here = current.find(({ start }) => start === field.start);
  if (here !== undefined && isSameType(field.type, here.type) && !isSwapped(field, here, old, current))
    return undefined;
  const moved = current.find(
    ({ label, typeLabel }) => label === field.label && typeLabel === field.typeLabel,
  );
  if (moved !== undefined && moved.start !== field.start) {
    return `${field.label} was in ${positionOf(field)} and is in ${positionOf(moved)}: ${HOW_TO_ADD}`;
  }
  if (here === undefined) {
    return `${field.label}, ${field.typeLabel} in ${positionOf(field)}, is gone: keep it declared, unused, so that nothing takes its place`;
  }
  return `${field.label} in ${positionOf(field)} was ${field.typeLabel} and is ${here.typeLabel}: keep the old field and add a new one of the new type behind the last`;
}

/** The bytes have the name of another field, which is somewhere else now: two fields of one type changed places. */
function isSwapped(field: Placed, here: Placed, old: readonly Placed[], current: readonly Placed[]): boolean {
  if (here.label === field.label) return false;
  const wasElsewhere = old.some(({ label, start }) => label === here.label && start !== here.start);
  return (
    wasElsewhere || current.some(({ label, type }) => label === field.label && isSameType(field.type, type))
  );
}

/** A field nobody had before, in bytes somebody had, which is not where that one began. */
function isBetween(field: Placed, old: readonly Placed[], current: readonly Placed[]): boolean {
  if (old.some(({ start }) => start === field.start)) return false;
  const owner = old.find(({ start, end }) => start < field.end && field.start < end);
  // When that one has moved or changed, this has been said.
  return (
    owner !== undefined &&
    current.some(({ start, type }) => start === owner.start && isSameType(owner.type, type))
  );
}

function positionOf({ slot, offset }: Placed): string {
  const place = BigInt(slot) < 1n << 64n ? `slot ${slot}` : `slot 0x${BigInt(slot).toString(16)}`;
  return offset === 0 ? place : `${place} from byte ${offset}`;
}

function place(entry: StorageLayoutEntry, layout: StorageLayout): Placed {
  const { label, slot, offset } = entry;
  const start = BigInt(slot) * SLOT_BYTES + BigInt(offset);
  const type = { id: entry.type, layout };
  const { numberOfBytes, label: typeLabel } = typeOf(type);
  return { label, slot, offset, start, end: start + BigInt(numberOfBytes), type, typeLabel };
}

/**
 * Whether what was written as `before` reads the same as `after`. A struct that only a mapping leads to may grow at its
 * end, since nothing lies behind it.
 */
function isSameType(before: TypeAt, after: TypeAt, mayGrow = false): boolean {
  const [old, current] = [typeOf(before), typeOf(after)];
  if (old.encoding !== current.encoding) return false;
  if (old.members !== undefined && current.members !== undefined) {
    return isSameStruct(old.members, current.members, before.layout, after.layout, mayGrow);
  }
  if (old.value !== undefined && current.value !== undefined) {
    const inside = {
      before: { id: old.value, layout: before.layout },
      after: { id: current.value, layout: after.layout },
    };
    return old.key === current.key && isSameType(inside.before, inside.after, true);
  }
  if (old.base !== undefined && current.base !== undefined) {
    return (
      lengthOf(old) === lengthOf(current) &&
      isSameType({ id: old.base, layout: before.layout }, { id: current.base, layout: after.layout })
    );
  }
  return old.label === current.label;
}

function isSameStruct(
  old: readonly StorageLayoutEntry[],
  current: readonly StorageLayoutEntry[],
  before: StorageLayout,
  after: StorageLayout,
  mayGrow: boolean,
): boolean {
  if (current.length < old.length || (current.length > old.length && !mayGrow)) return false;
  return old.every((member, index) => {
    const other = current[index];
    return (
      other?.slot === member.slot &&
      other.offset === member.offset &&
      isSameType({ id: member.type, layout: before }, { id: other.type, layout: after })
    );
  });
}

/** Of an array: the number in the last brackets, nothing when it is dynamic. */
function lengthOf({ label }: StorageLayoutType): string | undefined {
  return /\[(\d*)\]$/.exec(label)?.[1];
}

function typeOf({ id, layout }: TypeAt): StorageLayoutType {
  const type = layout.types[id];
  if (type === undefined) throw new Error(`the storage layout has no type ${id}: it is damaged`);
  return type;
}
