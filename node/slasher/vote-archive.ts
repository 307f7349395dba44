/** Votes of the whole weak-subjectivity window on disk, those of the last epochs in memory. See specs/consensus/slasher.md#archive. */
import type { ChainContainers, IndexedAttestation } from "../../consensus/chain-containers.ts";
import {
  addLink,
  createLinkIndex,
  dropLinksBelow,
  type Link,
  type LinkIndex,
} from "../../consensus/link-index.ts";
import type { SignedVote } from "../../consensus/vote-records.ts";
import { concatBytes, fromHex, type Hash, toHex } from "../../primitives/bytes.ts";
import type { Database, Table } from "../storage/database.ts";
import { numberFromKey, numberKey } from "../storage/state-codec.ts";

/** Epochs kept in memory: those whose votes are still coming in by gossip and in blocks. */
export const RECENT_EPOCHS = 64;
/** Votes are written once their epoch is this old: by then a block has most of them under one signature. */
const SETTLED_EPOCHS = 4;

/** All votes with one data: as few signatures as cover the voters seen. */
type RecentVotes = {
  readonly key: Hash;
  readonly link: Link;
  parts: readonly IndexedAttestation[];
  isWritten: boolean;
};

export class VoteArchive {
  readonly links: LinkIndex = createLinkIndex();
  readonly #database: Database;
  readonly #table: Table;
  readonly #containers: ChainContainers;
  readonly #recent = new Map<number, Map<Hash, RecentVotes>>();

  /** Reads which links the stored votes are on. Cost: one pass over the table. */
  constructor(database: Database, containers: ChainContainers) {
    this.#database = database;
    this.#table = database.table("slasher-votes");
    this.#containers = containers;
    for (const { key } of this.#table.range({})) addLink(this.links, linkOfKey(key));
  }

  /** Remembers a vote; one that is part of what is known changes nothing. */
  add({ key, data, validatorIndices, signature }: SignedVote): void {
    const link = { source: data.source.epoch, target: data.target.epoch };
    addLink(this.links, link);
    let epoch = this.#recent.get(link.target);
    if (epoch === undefined) {
      epoch = new Map();
      this.#recent.set(link.target, epoch);
    }
    const part: IndexedAttestation = { attestingIndices: [...validatorIndices], data, signature };
    const known = epoch.get(key);
    if (known === undefined) epoch.set(key, { key, link, parts: [part], isWritten: false });
    else if (!known.parts.some((wider) => isWithin(part, wider))) {
      known.parts = [...known.parts.filter((narrower) => !isWithin(narrower, part)), part];
      known.isWritten = false;
    }
  }

  /** Every vote known on a link. */
  *votesOn(link: Link): Iterable<IndexedAttestation> {
    const recent = [...(this.#recent.get(link.target)?.values() ?? [])];
    for (const { link: other, parts } of recent) if (other.source === link.source) yield* parts;
    const from = concatBytes(numberKey(link.target), numberKey(link.source));
    const to = concatBytes(numberKey(link.target), numberKey(link.source + 1));
    const inMemory = new Set(recent.map(({ key }) => key));
    for (const { key, value } of this.#table.range({ from, to })) {
      if (!inMemory.has(keyOfRecord(key))) yield this.#containers.IndexedAttestation.deserialize(value);
    }
  }

  /** Once an epoch: writes what has settled, forgets what left the memory's window or the archive's. */
  async onEpoch(nowEpoch: number, windowEpochs: number): Promise<void> {
    const oldest = nowEpoch - windowEpochs;
    await this.#database.commit(() => {
      for (const [target, epoch] of this.#recent) {
        if (target + SETTLED_EPOCHS > nowEpoch) continue;
        for (const votes of epoch.values()) this.#write(votes);
        if (target + RECENT_EPOCHS < nowEpoch) this.#recent.delete(target);
      }
      if (oldest <= 0) return;
      for (const { key } of [...this.#table.range({ to: numberKey(oldest) })]) this.#table.remove(key);
    });
    if (oldest > 0) dropLinksBelow(this.links, oldest);
  }

  #write(votes: RecentVotes): void {
    if (votes.isWritten) return;
    votes.isWritten = true;
    const prefix = concatBytes(
      ...[numberKey(votes.link.target), numberKey(votes.link.source), fromHex(votes.key)],
    );
    const stale = { from: prefix, to: concatBytes(prefix, new Uint8Array(NUMBER_BYTES).fill(255)) };
    for (const { key } of [...this.#table.range(stale)]) this.#table.remove(key);
    for (const [i, part] of votes.parts.entries()) {
      this.#table.put(concatBytes(prefix, numberKey(i)), this.#containers.IndexedAttestation.serialize(part));
    }
  }
}

const NUMBER_BYTES = numberKey(0).length;

function linkOfKey(key: Uint8Array): Link {
  return { target: numberFromKey(key), source: numberFromKey(key, NUMBER_BYTES) };
}

function keyOfRecord(key: Uint8Array): Hash {
  return toHex(key.subarray(2 * NUMBER_BYTES, 2 * NUMBER_BYTES + 32));
}

/** Whether all voters of the one are in the other; both ascending. */
function isWithin(narrow: IndexedAttestation, wide: IndexedAttestation): boolean {
  if (narrow.attestingIndices.length > wide.attestingIndices.length) return false;
  const members = new Set(wide.attestingIndices);
  return narrow.attestingIndices.every((index) => members.has(index));
}
