/** Spec of the world state: journal, diffs, layers, overrides. */
import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { type Address, type Hash, toHash, utf8ToBytes } from "../../primitives/bytes.ts";
import { InvariantError } from "../../primitives/errors.ts";
import { genesisState } from "../../vm/genesis.ts";
import type { StateDiff, StateStore } from "../../vm/state/account.ts";
import { type BlockJournal, createJournal } from "../../vm/state/journal.ts";
import { LAYERS_IN_MEMORY_LIMIT, type Layer, type LayerSpill, LayerTree } from "../../vm/state/layers.ts";
import { overrideState } from "../../vm/state/override.ts";
import { computeStateDiff } from "../../vm/state/state-diff.ts";
import { MemoryState } from "../support/memory-state.ts";

const address = (n: number): Address => `0x${n.toString(16).padStart(40, "0")}`;
const slot = (n: number): Hash => toHash(BigInt(n));

const allocation = new Map([
  [address(1), { balance: 100n }],
  [address(2), { balance: 5n, nonce: 1n, code: utf8ToBytes("code"), storage: new Map([[slot(1), 7n]]) }],
]);

/** One random change of the world or of the transaction. */
type Action = {
  readonly kind: number;
  readonly account: number;
  readonly slot: number;
  readonly value: number;
};
const action: fc.Arbitrary<Action> = fc.record({
  kind: fc.nat(8),
  account: fc.integer({ min: 1, max: 4 }),
  slot: fc.nat(3),
  value: fc.nat(4),
});

function act(journal: BlockJournal, { kind, account, slot: slotNumber, value }: Action): void {
  const at = address(account);
  const key = slot(slotNumber);
  const actions = [
    () => journal.addBalance(at, BigInt(value)),
    () => journal.addBalance(at, journal.balance(at) >= BigInt(value) ? -BigInt(value) : 0n),
    () => journal.setNonce(at, BigInt(value)),
    () => journal.setCode(at, utf8ToBytes(`code ${value}`)),
    () => journal.setStorage(at, key, BigInt(value)),
    () => journal.setTransientStorage(at, key, BigInt(value)),
    () => journal.touchSlot(at, key),
    () => journal.addRefund(value),
    () => journal.addLog({ address: at, topics: [key], data: utf8ToBytes(`${value}`) }),
  ];
  actions[kind]!();
}

/** Everything a journal answers about the accounts and slots the actions use. */
function observe(journal: BlockJournal) {
  return {
    accounts: [1, 2, 3, 4].map(address).map((at) => ({
      exists: journal.exists(at),
      balance: journal.balance(at),
      nonce: journal.nonce(at),
      code: journal.code(at),
      slots: [0, 1, 2, 3].map(slot).map((key) => ({
        value: journal.storage(at, key),
        original: journal.originalStorage(at, key),
        transient: journal.transientStorage(at, key),
      })),
    })),
    refund: journal.refund(),
    logs: [...journal.logs()],
    accessList: journal.accessList(),
    changes: journal.changes(),
  };
}

describe("state: journal", () => {
  it("is after a revert as it was at the checkpoint, however deeply they nest", () => {
    fc.assert(
      fc.property(fc.array(action), fc.array(action), fc.array(action), (before, first, second) => {
        const journal = createJournal(MemoryState.of(allocation));
        for (const each of before) act(journal, each);
        const atStart = observe(journal);
        const outer = journal.checkpoint();
        for (const each of first) act(journal, each);
        const atInner = observe(journal);
        const inner = journal.checkpoint();
        for (const each of second) act(journal, each);
        journal.revertTo(inner);
        deepEqual(observe(journal), atInner);
        journal.revertTo(outer);
        deepEqual(observe(journal), atStart);
      }),
      { numRuns: 60 },
    );
  });

  it("gives, block after block, the state that applying everything at once gives", () => {
    fc.assert(
      fc.property(fc.array(fc.array(action, { maxLength: 20 }), { maxLength: 4 }), (blocks) => {
        const stepwise = MemoryState.of(allocation);
        const atOnce = createJournal(MemoryState.of(allocation));
        for (const actions of blocks) {
          const journal = createJournal(stepwise);
          for (const each of actions) {
            // An account with storage is a contract, whose nonce never falls to zero.
            if (each.kind === 2 || each.kind === 4) {
              for (const one of [journal, atOnce]) one.setNonce(address(each.account), 9n);
              if (each.kind === 2) continue;
            }
            act(journal, each);
            act(atOnce, each);
          }
          stepwise.apply(computeStateDiff(journal.changes(), stepwise));
        }
        const anew = MemoryState.of(allocation);
        anew.apply(computeStateDiff(atOnce.changes(), anew));
        equal(stepwise.stateRoot, anew.stateRoot);
        deepEqual(stepwise.nodes, anew.nodes);
        deepEqual(stepwise.accounts, anew.accounts);
      }),
      { numRuns: 60 },
    );
  });

  it("remembers what was touched even when it was taken back", () => {
    const journal = createJournal(MemoryState.of(allocation));
    const checkpoint = journal.checkpoint();
    equal(journal.touchSlot(address(1), slot(2)), false);
    journal.revertTo(checkpoint);
    deepEqual(journal.accessList(), []);
    deepEqual(journal.touchedList(), [{ address: address(1), storageKeys: [slot(2)] }]);
    equal(journal.touchSlot(address(1), slot(2)), false, "it is cold again");
    equal(journal.touchSlot(address(1), slot(2)), true);
  });

  it("forgets with each transaction what lives no longer, and keeps the world", () => {
    const journal = createJournal(MemoryState.of(allocation));
    for (const kind of [0, 4, 5, 6, 7, 8]) act(journal, { kind, account: 2, slot: 1, value: 3 });
    equal(journal.originalStorage(address(2), slot(1)), 7n);
    journal.beginTransaction();
    equal(journal.originalStorage(address(2), slot(1)), 3n);
    equal(journal.transientStorage(address(2), slot(1)), 0n);
    deepEqual([journal.refund(), journal.logs(), journal.accessList()], [0, [], []]);
    equal(journal.balance(address(2)), 8n);
  });

  it("removes an account that was touched and is empty (EIP-161), and creates none by touching", () => {
    const state = MemoryState.of(allocation);
    const journal = createJournal(state);
    journal.addBalance(address(1), -100n);
    journal.addBalance(address(3), 0n);
    const diff = computeStateDiff(journal.changes(), state);
    deepEqual(diff.accounts, new Map([[address(1), null]]));
    state.apply(diff);
    equal(state.stateRoot, MemoryState.of(new Map([[address(2), allocation.get(address(2))!]])).stateRoot);
  });

  it("changes nothing when a value is set back", () => {
    const state = MemoryState.of(allocation);
    const journal = createJournal(state);
    journal.setStorage(address(2), slot(1), 9n);
    journal.setStorage(address(2), slot(1), 7n);
    journal.addBalance(address(1), 1n);
    journal.addBalance(address(1), -1n);
    const { accounts, trieNodes, stateRoot } = computeStateDiff(journal.changes(), state);
    deepEqual([accounts.size, trieNodes.size, stateRoot], [0, 0, state.stateRoot]);
  });

  it("holds that no balance is negative", () => {
    const journal = createJournal(MemoryState.of(allocation));
    throws(() => journal.addBalance(address(1), -101n), InvariantError);
  });
});

/** A spill in a map; `at` applies the spilled layers to a copy of the finalized state. */
class MemorySpill implements LayerSpill {
  readonly layers = new Map<Hash, Layer>();
  readonly finalized: MemoryState;

  constructor(finalized: MemoryState) {
    this.finalized = finalized;
  }
  put(layer: Layer): void {
    this.layers.set(layer.blockHash, layer);
  }
  get(blockHash: Hash): Layer | undefined {
    return this.layers.get(blockHash);
  }
  remove(blockHash: Hash): void {
    this.layers.delete(blockHash);
  }
  at(blockHash: Hash): StateStore {
    const path: StateDiff[] = [];
    for (let layer = this.get(blockHash); layer !== undefined; layer = this.get(layer.parentHash)) {
      path.unshift(layer.diff);
    }
    const state = copyOf(this.finalized);
    for (const diff of path) state.apply(diff);
    return state;
  }
}

function copyOf(state: MemoryState): MemoryState {
  const { accounts, slots, codes, nodes, stateRoot } = structuredClone({ ...state });
  return Object.assign(new MemoryState(), { accounts, slots, codes, nodes, stateRoot });
}

describe("state: layers", () => {
  const hash = (n: number): Hash => toHash(BigInt(1000 + n));

  /** A block on `parent` that pays account 1 and writes a slot of account 2. */
  function layerOn(tree: LayerTree, parent: Hash, blockHash: Hash, value: bigint): Layer {
    const state = tree.at(parent)!;
    const journal = createJournal(state);
    journal.addBalance(address(1), value);
    journal.setStorage(address(2), slot(Number(value % 5n)), value);
    return { blockHash, parentHash: parent, diff: computeStateDiff(journal.changes(), state) };
  }

  function setUp() {
    const finalized = MemoryState.of(allocation);
    const spill = new MemorySpill(finalized);
    return { finalized, spill, tree: new LayerTree(hash(0), finalized, spill) };
  }

  it("answers for each branch with its own values", () => {
    // 0 - 1 - 2
    //      \ 3
    const { tree } = setUp();
    for (const [parent, block, value] of [
      [0, 1, 10n],
      [1, 2, 20n],
      [1, 3, 31n],
    ] as const) {
      tree.add(layerOn(tree, hash(parent), hash(block), value));
    }
    const balances = [0, 1, 2, 3].map((block) => tree.at(hash(block))!.account(address(1))!.balance);
    deepEqual(balances, [100n, 110n, 130n, 141n]);
    equal(tree.at(hash(2))!.storage(address(2), slot(1)), 7n);
    equal(tree.at(hash(3))!.storage(address(2), slot(1)), 31n);
    equal(tree.at(hash(9)), undefined);
  });

  it("drops the branches that lost when a block is finalized, and goes on from there", () => {
    // 0 - 1 - 2 - 4
    //  \    \ 3
    //   5 - 6
    const { tree, finalized } = setUp();
    for (const [parent, block] of [
      [0, 1],
      [1, 2],
      [1, 3],
      [2, 4],
      [0, 5],
      [5, 6],
    ] as const) {
      tree.add(layerOn(tree, hash(parent), hash(block), BigInt(block)));
    }
    const before = [2, 4].map((block) => tree.at(hash(block))!.account(address(1)));
    finalized.apply(tree.flatten(hash(2)));
    tree.finalize(hash(2));
    deepEqual(
      [0, 1, 2, 3, 4, 5, 6].filter((block) => tree.has(hash(block))),
      [2, 4],
    );
    deepEqual(
      [2, 4].map((block) => tree.at(hash(block))!.account(address(1))),
      before,
    );
    equal(tree.finalizedHash, hash(2));
  });

  it("keeps 64 layers in memory and spills the oldest, without changing an answer", () => {
    const { tree, spill, finalized } = setUp();
    const plain = MemoryState.of(allocation);
    const count = LAYERS_IN_MEMORY_LIMIT + 10;
    for (let block = 1; block <= count; block++) {
      const layer = layerOn(tree, hash(block - 1), hash(block), BigInt(block));
      tree.add(layer);
      plain.apply(layer.diff);
    }
    equal(spill.layers.size, 10);
    const head = tree.at(hash(count))!;
    deepEqual(head.account(address(1)), plain.account(address(1)));
    deepEqual(head.trieNode(undefined, ""), plain.trieNode(undefined, ""));
    deepEqual(
      [0, 1, 2, 3, 4].map((n) => head.storage(address(2), slot(n))),
      [0, 1, 2, 3, 4].map((n) => plain.storage(address(2), slot(n))),
    );

    finalized.apply(tree.flatten(hash(count - 1)));
    tree.finalize(hash(count - 1));
    equal(spill.layers.size, 0);
    deepEqual(finalized.account(address(1))!.balance, plain.account(address(1))!.balance - BigInt(count));
    deepEqual(tree.at(hash(count))!.account(address(1)), plain.account(address(1)));
  });

  it("finds spilled layers again after a restart", () => {
    const { tree, spill, finalized } = setUp();
    for (let block = 1; block <= LAYERS_IN_MEMORY_LIMIT + 2; block++) {
      tree.add(layerOn(tree, hash(block - 1), hash(block), BigInt(block)));
    }
    const reopened = new LayerTree(hash(0), finalized, spill);
    reopened.restore(hash(1), hash(0));
    reopened.restore(hash(2), hash(1));
    deepEqual(reopened.at(hash(2))!.account(address(1))!.balance, 103n);
    throws(() => reopened.add(layerOn(tree, hash(5), hash(6), 1n)), InvariantError);
  });
});

describe("state: overrides", () => {
  const state = MemoryState.of(allocation);

  it("replaces what is named and leaves the rest", () => {
    const code = utf8ToBytes("other code");
    const changed = overrideState(
      state,
      new Map([
        [address(1), { balance: 1n, nonce: 4n }],
        [address(2), { code, stateDiff: new Map([[slot(2), 9n]]) }],
        [address(3), { state: new Map([[slot(5), 8n]]) }],
      ]),
    );
    const journal = createJournal(changed);
    deepEqual([journal.balance(address(1)), journal.nonce(address(1))], [1n, 4n]);
    deepEqual(journal.code(address(2)), code);
    deepEqual(
      [1, 2].map((n) => journal.storage(address(2), slot(n))),
      [7n, 9n],
    );
    deepEqual(
      [1, 5].map((n) => journal.storage(address(3), slot(n))),
      [0n, 8n],
    );
    equal(
      overrideState(state, new Map([[address(2), { state: new Map() }]])).storage(address(2), slot(1)),
      0n,
    );
  });
});

describe("state: genesis", () => {
  it("has every allocated account, the empty ones too", () => {
    const { accounts } = genesisState(new Map([[address(9), { balance: 0n }]]));
    equal(accounts.size, 1);
  });
});
