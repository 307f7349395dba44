/** The whole state of an instance as pages that differ from the base, and as bytes. specs/vm/engine/engine.md#snapshots */
import { CodedError } from "../../primitives/errors.ts";
import { INITIAL_PAGES, PAGE_BYTES } from "./image.ts";
import { DATA_END, MARKED_PAGE_BYTES, MARKED_PAGE_SHIFT, STACK_TOP } from "./memory-layout.ts";

const INITIAL_BYTES = INITIAL_PAGES * PAGE_BYTES;
/** Pages a snapshot can have. */
export const PAGE_COUNT = INITIAL_BYTES / MARKED_PAGE_BYTES;
const LAST_DATA_PAGE = (DATA_END - 1) >>> MARKED_PAGE_SHIFT;
const FIRST_HEAP_PAGE = STACK_TOP >>> MARKED_PAGE_SHIFT;

/** The memory of an instance after the boot: static data and heap, all else zero. The stack is empty between runs. */
export type BaseImage = {
  readonly memory: Uint8Array;
  readonly words: Uint32Array;
  readonly data: Uint8Array;
  readonly heap: Uint8Array;
};

/** Everything a run can see, as what differs from the base: a contract takes a fraction of a memory. */
export type Snapshot = {
  readonly base: BaseImage;
  /** Numbers of the marked pages that differ from the base, in ascending order; a restore looks at no others. */
  readonly pages: Uint16Array;
  /** As `encodeDelta` says. Signed words are faster: V8 keeps them as small integers. */
  readonly delta: Int32Array;
};

export type SnapshotErrorDetail = { readonly code: "SNAPSHOT_DELTA_MALFORMED"; readonly reason: string };

export class SnapshotError extends CodedError<SnapshotErrorDetail> {}

export function baseImage(data: Uint8Array, heap: Uint8Array): BaseImage {
  const memory = new Uint8Array(INITIAL_BYTES);
  memory.set(data);
  memory.set(heap, STACK_TOP);
  return {
    memory,
    words: new Uint32Array(memory.buffer),
    data: memory.subarray(0, data.length),
    heap: memory.subarray(STACK_TOP, STACK_TOP + heap.length),
  };
}

/** The base as a snapshot of itself. */
export function snapshotOfBase(base: BaseImage): Snapshot {
  return { base, pages: new Uint16Array(0), delta: new Int32Array(1) };
}

/** What `memory` holds between two runs. @param candidates in ascending order; all other pages are the base's. */
export function snapshotOf(base: BaseImage, memory: Uint32Array, candidates: readonly number[]): Snapshot {
  const out = new Int32Array(1 + candidates.length * (ENTRY_WORDS + PAGE_WORDS));
  const pages: number[] = [];
  let end = 1;
  for (const page of candidates) {
    if (!isKept(page)) continue;
    const next = writeEntry(out, end, page, base.words, memory);
    if (next > end) pages.push(page);
    end = next;
  }
  out[0] = pages.length;
  return { base, pages: Uint16Array.from(pages), delta: out.slice(0, end) };
}

/** Writes what differs in a page; returns where the next goes, which is `start` when nothing does. */
function writeEntry(
  out: Int32Array,
  start: number,
  page: number,
  base: Uint32Array,
  memory: Uint32Array,
): number {
  const first = page * PAGE_WORDS;
  const count = wordsIn(page);
  let end = start + ENTRY_WORDS;
  for (let at = 0; at < count; at++) {
    const word = memory[first + at] ?? 0;
    if (word === base[first + at]) continue;
    const mask = start + 1 + (at >>> 5);
    out[mask] = (out[mask] ?? 0) | (1 << (at & 31));
    out[end++] = word;
  }
  if (end === start + ENTRY_WORDS) return start;
  out[start] = page;
  return end;
}

const WORD_BYTES = 4;
const PAGE_WORDS = MARKED_PAGE_BYTES / WORD_BYTES;

/** Between data and heap is the stack, of which nothing is kept. */
function isKept(page: number): boolean {
  return page <= LAST_DATA_PAGE || (page >= FIRST_HEAP_PAGE && page < PAGE_COUNT);
}

/** The last page of the data has some of the stack's room in it. */
function wordsIn(page: number): number {
  return page === LAST_DATA_PAGE ? (DATA_END % MARKED_PAGE_BYTES) / WORD_BYTES : PAGE_WORDS;
}

/** Words of a page's entry: its number, and a bit for each of its words. */
const MASK_WORDS = PAGE_WORDS / 32;
const ENTRY_WORDS = 1 + MASK_WORDS;

/**
 * What differs from the base, as little-endian words: how many pages do; for each of them its number, a bit for each of
 * its words that differs, the first word's lowest, and those words.
 */
export function encodeDelta({ delta }: Snapshot): Uint8Array {
  return new Uint8Array(delta.slice().buffer);
}

/** @throws SnapshotError when `bytes` are not what encodeDelta makes for a snapshot with this base. */
export function applyDelta(base: BaseImage, bytes: Uint8Array): Snapshot {
  if (bytes.length % WORD_BYTES !== 0) throw malformed("half a word");
  const delta = new Int32Array(bytes.slice().buffer);
  return { base, pages: pagesIn(delta), delta };
}

/** Puts the words that differ into a memory that holds the base in the snapshot's pages. */
export function writeDelta(memory: Uint32Array, { pages, delta }: Snapshot): void {
  let at = 1;
  for (let i = 0; i < pages.length; i++) at = writeWords(memory, (delta[at] ?? 0) * PAGE_WORDS, delta, at);
}

/** Where the entry of each page begins in the delta. */
export function entryStarts({ pages, delta }: Snapshot): Uint32Array {
  const starts = new Uint32Array(pages.length);
  let at = 1;
  for (let i = 0; i < pages.length; i++) {
    starts[i] = at;
    at += ENTRY_WORDS + wordCount(delta, at);
  }
  return starts;
}

/** What the page, whose entry begins at `start`, holds. */
export function pageContents({ base, delta }: Snapshot, start: number): Uint8Array {
  const page = delta[start] ?? 0;
  const words = base.words.slice(page * PAGE_WORDS, (page + 1) * PAGE_WORDS);
  writeWords(words, 0, delta, start);
  return new Uint8Array(words.buffer);
}

/** Writes the words of an entry into the page that begins at `first`; returns where the next entry begins. */
function writeWords(memory: Uint32Array, first: number, delta: Int32Array, start: number): number {
  let at = start + ENTRY_WORDS;
  for (let part = 0; part < MASK_WORDS; part++) {
    const place = first + 32 * part + 31;
    for (let bits = delta[start + 1 + part] ?? 0; bits !== 0; bits &= bits - 1) {
      memory[place - Math.clz32(bits & -bits)] = delta[at++] ?? 0;
    }
  }
  return at;
}

function wordCount(delta: Int32Array, start: number): number {
  let count = 0;
  for (let part = 1; part <= MASK_WORDS; part++) count += bitCount(delta[start + part] ?? 0);
  return count;
}

/** The pages that a delta has entries of. */
function pagesIn(words: Int32Array): Uint16Array {
  const pages: number[] = [];
  for (let at = 1; at < words.length; ) {
    const page = words[at] ?? 0;
    if (!isKept(page) || page <= (pages.at(-1) ?? -1)) throw malformed("pages");
    const count = wordCount(words, at);
    if (count === 0) throw malformed("a page without differences");
    at += ENTRY_WORDS + count;
    if (at > words.length) throw malformed("cut short");
    pages.push(page);
  }
  if (pages.length !== words[0]) throw malformed("the number of pages");
  return Uint16Array.from(pages);
}

/** How many bits are set, by sums of ever more of them side by side (Warren, Hacker's Delight, section 5-1). */
function bitCount(word: number): number {
  const pairs = word - ((word >>> 1) & 0x5555_5555);
  const nibbles = (pairs & 0x3333_3333) + ((pairs >>> 2) & 0x3333_3333);
  return Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}

function malformed(reason: string): SnapshotError {
  return new SnapshotError({ code: "SNAPSHOT_DELTA_MALFORMED", reason });
}
