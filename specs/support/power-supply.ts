/** Databases in memory that share one power supply: cutting it takes away what was not flushed, at any write. */
import type { Database, Entry, KeyRange, Table } from "../../node/storage/database.ts";
import { compareBytes, toHex } from "../../primitives/bytes.ts";

/** Thrown by the write at which the power is cut, and by everything after it. */
export class PowerCutError extends Error {
  override readonly name = "PowerCutError";
}

/** Sorted when read; immutable, so that a state of the disk is a reference. */
type Contents = ReadonlyMap<string, ReadonlyMap<string, Entry>>;

/** Counts the writes of every database it feeds, and stops before number `cutAtWrite` (from 1). */
export class PowerSupply {
  writes = 0;
  readonly #cutAtWrite: number;

  constructor(cutAtWrite = Number.POSITIVE_INFINITY) {
    this.#cutAtWrite = cutAtWrite;
  }

  isCut(): boolean {
    return this.writes >= this.#cutAtWrite;
  }

  spendOnWrite(): void {
    if (!this.isCut()) this.writes++;
    this.mustBeOn();
  }

  mustBeOn(): void {
    if (this.isCut()) throw new PowerCutError();
  }
}

/**
 * Promises exactly what the Database interface does. Transactions reach the disk in order, so after a cut it holds all
 * up to some point between the last one flushed and the last one made.
 */
export class PoweredDatabase implements Database {
  readonly #power: PowerSupply;
  /** What the disk may hold after a cut, from the last flush on; the last is what is visible. */
  #states: Contents[];
  #draft: Map<string, Map<string, Entry>> | undefined;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(power: PowerSupply, contents: Contents = new Map()) {
    this.#power = power;
    this.#states = [contents];
  }

  /** Every state the disk may be in when the power goes now. */
  survivors(): readonly Contents[] {
    return this.#states;
  }

  table(name: string): Table {
    return {
      get: (key) => this.#entries(name).get(toHex(key))?.value.slice(),
      put: (key, value) =>
        void this.#changing(name).set(toHex(key), { key: key.slice(), value: value.slice() }),
      remove: (key) => void this.#changing(name).delete(toHex(key)),
      range: (range) => selectRange(this.#entries(name), range),
    };
  }

  write<T>(action: () => T): T {
    if (this.#draft !== undefined) return action();
    const result = this.#transact(action);
    this.#states = this.#states.slice(-1);
    return result;
  }

  commit<T>(action: () => T): Promise<T> {
    const done = this.#queue.then(() => this.#transact(action));
    this.#queue = done.catch(() => undefined);
    return done;
  }

  async copyTo(): Promise<void> {
    throw new Error("a database in memory has no file to copy");
  }

  async flushed(): Promise<void> {
    await this.#queue;
    this.#power.mustBeOn();
    this.#states = this.#states.slice(-1);
  }

  refresh(): void {}

  async close(): Promise<void> {
    await this.flushed();
  }

  #transact<T>(action: () => T): T {
    this.#power.spendOnWrite();
    this.#draft = new Map();
    try {
      const result = action();
      this.#states.push(new Map([...this.#visible(), ...this.#draft]));
      return result;
    } finally {
      this.#draft = undefined;
    }
  }

  #visible(): Contents {
    return this.#states.at(-1) ?? new Map();
  }

  #entries(name: string): ReadonlyMap<string, Entry> {
    return this.#draft?.get(name) ?? this.#visible().get(name) ?? new Map();
  }

  #changing(name: string): Map<string, Entry> {
    if (this.#draft === undefined) throw new Error("tables change inside a write");
    let table = this.#draft.get(name);
    if (table === undefined) {
      table = new Map(this.#visible().get(name));
      this.#draft.set(name, table);
    }
    return table;
  }
}

function* selectRange(
  entries: ReadonlyMap<string, Entry>,
  { from, to, reverse = false, limit }: KeyRange,
): Iterable<Entry> {
  const within = [...entries.values()]
    .filter(({ key }) => from === undefined || compareBytes(key, from) >= 0)
    .filter(({ key }) => to === undefined || compareBytes(key, to) < 0)
    .sort((a, b) => compareBytes(a.key, b.key));
  if (reverse) within.reverse();
  for (const { key, value } of within.slice(0, limit)) yield { key: key.slice(), value: value.slice() };
}
