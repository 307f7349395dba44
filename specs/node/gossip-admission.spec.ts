/** Transactions from peers: verdicts and budgets. Prose: mempool.md#gossip. */
import { deepEqual, equal } from "node:assert/strict";
import {
  DEFAULT_RECOVERY_BUDGET,
  GossipAdmitter,
  RecoveryBudget,
} from "../../node/execution/gossip-admission.ts";
import { DEFAULT_MEMPOOL_LIMITS, Mempool } from "../../node/execution/mempool.ts";
import { StoredTransactionJournal } from "../../node/execution/transaction-journal.ts";
import { type Address, concatBytes, EMPTY_BYTES } from "../../primitives/bytes.ts";
import { privateKeyToAddress, SECP256K1_ORDER } from "../../primitives/secp256k1.ts";
import type { DynamicFeeTransaction, RecoveredTransaction } from "../../vm/transaction.ts";
import { encodeTransaction } from "../../vm/transaction-codec.ts";
import { signTransaction } from "../../vm/transaction-signature.ts";
import { POOL_CHAIN_ID, poolHead, transfer } from "../support/pool-transactions.ts";
import { withScratchDatabase } from "../support/scratch-database.ts";

const KEY = new Uint8Array(32).fill(7);
const SENDER = privateKeyToAddress(KEY);

function signed(nonce: number, fields: Partial<DynamicFeeTransaction> = {}): RecoveredTransaction {
  const { yParity: _y, r: _r, s: _s, ...unsigned } = transfer(SENDER, nonce, fields).transaction;
  return signTransaction(unsigned as DynamicFeeTransaction, KEY);
}

/** The other signature of the same key: valid mathematics, and refused since EIP-2. */
function withHighS({ transaction }: RecoveredTransaction): Uint8Array {
  const { s, yParity } = transaction;
  return encodeTransaction({ ...transaction, s: SECP256K1_ORDER - s, yParity: yParity === 0 ? 1 : 0 });
}

function admitterWith(options = DEFAULT_RECOVERY_BUDGET) {
  const accounts = new Map<Address, object>([[SENDER, { balance: 10n ** 20n }]]);
  const pool = new Mempool({ chainId: POOL_CHAIN_ID }, DEFAULT_MEMPOOL_LIMITS, poolHead(accounts));
  const clock = { now: 0 };
  const admitter = new GossipAdmitter(pool, POOL_CHAIN_ID, new RecoveryBudget(options, () => clock.now));
  return { pool, admitter, clock };
}

describe("gossiped transactions", () => {
  it("are accepted when new and good, and ignored when known", async () => {
    const { admitter } = admitterWith();
    const [zero, one] = [signed(0), signed(1)];
    const first = await admitter.admit({ peer: "peer", raws: [one.raw, zero.raw] });
    deepEqual(first.verdicts, ["accept", "accept"]);
    deepEqual(
      first.executable.map(({ hash }) => hash),
      [zero.hash, one.hash],
    );
    deepEqual((await admitter.admit({ peer: "other", raws: [zero.raw, one.raw] })).verdicts, [
      "ignore",
      "ignore",
    ]);
  });

  it("are blamed on the sender only for what no honest node forwards", async () => {
    const { admitter } = admitterWith();
    const oversized = signed(0, { data: new Uint8Array(131_072), gasLimit: 5_000_000n });
    const cases: readonly (readonly [string, Uint8Array, string])[] = [
      ["nothing", EMPTY_BYTES, "reject"],
      ["no transaction", Uint8Array.of(1, 2, 3), "reject"],
      ["trailing bytes", concatBytes(signed(0).raw, Uint8Array.of(0)), "reject"],
      ["oversized", oversized.raw, "reject"],
      ["another type", Uint8Array.of(3, 0xc0), "reject"],
      ["another chain", signed(0, { chainId: 1n }).raw, "reject"],
      ["high s", withHighS(signed(0)), "reject"],
      ["bad signature", encodeTransaction({ ...signed(0).transaction, r: 0n }), "reject"],
      ["no funds", signed(0, { value: 10n ** 21n }).raw, "ignore"],
      ["a far nonce", signed(100_000).raw, "ignore"],
      ["too little gas", signed(0, { gasLimit: 1n }).raw, "ignore"],
    ];
    for (const [what, raw, verdict] of cases) {
      deepEqual((await admitter.admit({ peer: "peer", raws: [raw] })).verdicts, [verdict], what);
    }
  });

  it("do not harm the good ones beside them", async () => {
    const { admitter, pool } = admitterWith();
    const batch = [Uint8Array.of(9), signed(0).raw, signed(0).raw, signed(1, { chainId: 5n }).raw];
    deepEqual((await admitter.admit({ peer: "peer", raws: batch })).verdicts, [
      "reject",
      "accept",
      "ignore",
      "reject",
    ]);
    deepEqual(pool.status(), { pending: 1, queued: 0 });
  });

  it("cost a peer its budget of recoveries, which time refills, and other peers nothing", async () => {
    const { admitter, clock } = admitterWith({ perSecond: 1, burst: 2, peers: 8 });
    const raws = [0, 1, 2, 3].map((nonce) => signed(nonce).raw);
    deepEqual((await admitter.admit({ peer: "greedy", raws: raws })).verdicts, [
      "accept",
      "accept",
      "ignore",
      "ignore",
    ]);
    deepEqual((await admitter.admit({ peer: "other", raws: [raws[2]!] })).verdicts, ["accept"]);
    clock.now = 999;
    deepEqual((await admitter.admit({ peer: "greedy", raws: [raws[3]!] })).verdicts, ["ignore"]);
    clock.now = 2000;
    deepEqual((await admitter.admit({ peer: "greedy", raws: [raws[3]!] })).verdicts, ["accept"]);
  });
});

describe("recovery budget", () => {
  it("remembers a bounded number of peers", () => {
    const budget = new RecoveryBudget({ perSecond: 0, burst: 1, peers: 2 }, () => 0);
    for (const peer of ["a", "b"]) equal(budget.take(peer), true);
    for (const peer of ["a", "b"]) equal(budget.take(peer), false);
    equal(budget.take("c"), true);
    equal(budget.take("a"), true, "a was forgotten: it was not heard of for longest");
  });
});

describe("transaction journal", () => {
  it("gives back after reopening what was noted and not deleted", async () => {
    await withScratchDatabase("execution", async (database) => {
      const journal = new StoredTransactionJournal(database);
      const [zero, one, two] = [signed(0), signed(1), signed(2)];
      for (const transaction of [zero, one]) journal.put(transaction);
      await journal.settled();
      journal.put(two);
      journal.delete(zero.hash);
      journal.delete(`0x${"00".repeat(32)}`);
      await journal.settled();

      const reopened = new StoredTransactionJournal(database);
      deepEqual(new Set(reopened.load().map(String)), new Set([one.raw, two.raw].map(String)));
      reopened.delete(one.hash);
      await reopened.settled();
      deepEqual(new StoredTransactionJournal(database).load().map(String), [String(two.raw)]);
    });
  });
});
