/** The inside of a call worker: layers of unfinalized blocks over a database it only reads. See specs/node/calls.md#the-worker. */
import type { Hash } from "../../primitives/bytes.ts";
import { assert } from "../../primitives/errors.ts";
import type { AncestorHash } from "../../vm/block-execution.ts";
import type { ContractMachine } from "../../vm/message.ts";
import type { StateReader } from "../../vm/state/account.ts";
import { Blocks } from "../storage/blocks.ts";
import type { Database } from "../storage/database.ts";
import { FinalizedState } from "../storage/finalized-state.ts";
import { AddressIndex } from "./address-index.ts";
import type { CallAnswer, CallLayer, NumberedTask } from "./call-messages.ts";
import { runTask, StateNotHere, type TaskSite } from "./call-tasks.ts";
import { LogSearch } from "./find-logs.ts";
import { LogIndex } from "./log-index.ts";
import { searchAddress } from "./search-address.ts";
import { StateViews } from "./state-views.ts";

/**
 * Layers a worker keeps. When finality stalls for longer, the oldest are dropped and calls on blocks
 * above them run in the execution thread, whose layers are on disk by then.
 */
export const CALL_LAYERS_LIMIT = 512;

export class CallService {
  readonly #database: Database;
  readonly #state: FinalizedState;
  readonly #site: TaskSite;
  readonly #layers = new Map<Hash, CallLayer>();
  readonly #views = new StateViews();
  #merged: number | undefined;

  /** @param database opened read-only. */
  constructor(database: Database, chainId: bigint, machine: ContractMachine) {
    this.#database = database;
    this.#state = new FinalizedState(database);
    const blocks = new Blocks(database);
    const search = new LogSearch(blocks, new LogIndex(database));
    const addresses = new AddressIndex(database);
    this.#site = {
      chainId,
      machine,
      stateAt: (blockHash) => this.#warmStateAt(blockHash, blocks),
      ancestorHash: (blockHash) => this.#ancestorHash(blockHash, blocks),
      findLogs: (filter, range) => search.find(filter, range),
      searchAddress: (asked) => searchAddress(blocks, addresses, asked),
    };
  }

  /** A block was executed: its changes lie over its parent's. */
  addLayer(layer: CallLayer): void {
    this.#layers.set(layer.blockHash, layer);
    const oldest = this.#layers.keys().next().value;
    if (this.#layers.size > CALL_LAYERS_LIMIT && oldest !== undefined) this.#layers.delete(oldest);
  }

  /** The state on disk became that of block `number`. */
  onMerged(number: number): void {
    for (const layer of this.#layers.values()) {
      if (layer.number <= number) this.#layers.delete(layer.blockHash);
    }
    this.#views.clear();
  }

  /** What the execution thread committed before it sent the tasks that follow is visible from here on. */
  refresh(): void {
    this.#database.refresh();
    this.#merged = undefined;
  }

  answer({ id, task }: NumberedTask): CallAnswer {
    try {
      return { type: "result", id, result: runTask(task, this.#site) };
    } catch (error) {
      if (error instanceof StateNotHere) return { type: "stateNotHere", id };
      const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
      return { type: "failure", id, message };
    }
  }

  #warmStateAt(blockHash: Hash, blocks: Blocks): StateReader | undefined {
    const known = this.#views.get(blockHash);
    if (known !== undefined) return known;
    const state = this.#stateAt(blockHash, blocks);
    return state === undefined ? undefined : this.#views.add(blockHash, state);
  }

  /** Layers down to a block whose state the disk holds, now or in its history. */
  #stateAt(blockHash: Hash, blocks: Blocks): StateReader | undefined {
    const diffs: CallLayer["diff"][] = [];
    let hash = blockHash;
    for (let layer = this.#layers.get(hash); layer !== undefined; layer = this.#layers.get(hash)) {
      diffs.push(layer.diff);
      hash = layer.parentHash;
    }
    const number = blocks.get(hash)?.header.number;
    if (number === undefined || number > this.#mergedNumber() || blocks.canonicalHash(number) !== hash)
      return undefined;
    if (number < this.#state.oldest()) return undefined;
    return layered(diffs, this.#baseAt(number));
  }

  /** The state on disk of block `number`, through history only when the disk is further. */
  #baseAt(number: number): StateReader {
    const dated = this.#state.at(number);
    const reader = () => (this.#mergedNumber() === number ? this.#state : dated);
    return {
      account: (address) => reader().account(address),
      storage: (address, slot) => reader().storage(address, slot),
      code: (codeHash) => this.#state.code(codeHash),
    };
  }

  /** Of the block whose state the disk holds, in this view of the database. */
  #mergedNumber(): number {
    this.#merged ??= this.#state.finalized()?.number ?? -1;
    return this.#merged;
  }

  #ancestorHash(blockHash: Hash, blocks: Blocks): AncestorHash {
    return (number) => {
      let hash = blockHash;
      for (let layer = this.#layers.get(hash); layer !== undefined && layer.number > number; ) {
        hash = layer.parentHash;
        layer = this.#layers.get(hash);
      }
      if (this.#layers.get(hash)?.number === number) return hash;
      const canonical = blocks.canonicalHash(number);
      assert(canonical !== undefined, "every ancestor is stored");
      return canonical;
    };
  }
}

/** Diffs, newest first, over a base. */
function layered(diffs: readonly CallLayer["diff"][], base: StateReader): StateReader {
  if (diffs.length === 0) return base;
  return {
    account(address) {
      for (const { accounts } of diffs) {
        const account = accounts.get(address);
        if (account !== undefined) return account ?? undefined;
      }
      return base.account(address);
    },
    storage(address, slot) {
      for (const { storage } of diffs) {
        const value = storage.get(address)?.get(slot);
        if (value !== undefined) return value;
      }
      return base.storage(address, slot);
    },
    code(codeHash) {
      for (const { codes } of diffs) {
        const code = codes.get(codeHash);
        if (code !== undefined) return code;
      }
      return base.code(codeHash);
    },
  };
}
