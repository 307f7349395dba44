/** The pool of waiting transactions. Prose: mempool.md. */
import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { DEFAULT_MEMPOOL_LIMITS, Mempool, type MempoolLimits } from "../../node/execution/mempool.ts";
import type { Address } from "../../primitives/bytes.ts";
import { TransactionRejected } from "../../rpc/chain-view.ts";
import type { Account } from "../../vm/state/account.ts";
import type { RecoveredTransaction } from "../../vm/transaction.ts";
import { account, blockOf, GWEI, poolHead, transfer } from "../support/pool-transactions.ts";

const ALICE = account(1);
const BOB = account(2);
const RICH = { balance: 10n ** 24n, nonce: 0n };

function poolWith(
  accounts: readonly (readonly [Address, Partial<Account>])[] = [
    [ALICE, RICH],
    [BOB, RICH],
  ],
  limits: Partial<MempoolLimits> = {},
) {
  const table = new Map<Address, Partial<Account>>(accounts);
  const pool = new Mempool({ chainId: 2718n }, { ...DEFAULT_MEMPOOL_LIMITS, ...limits }, poolHead(table));
  return { table, pool };
}

function rejection(pool: Mempool, transaction: RecoveredTransaction): string {
  try {
    pool.add(transaction, "local");
  } catch (error) {
    if (error instanceof TransactionRejected) return error.message;
    throw error;
  }
  return "admitted";
}

const offered = (pool: Mempool, baseFee = GWEI) => {
  const best = pool.best(baseFee);
  const found: RecoveredTransaction[] = [];
  for (let next = best.next(); next !== undefined; next = best.next()) found.push(next);
  return found;
};
const names = (transactions: readonly RecoveredTransaction[]) =>
  transactions.map(({ sender, transaction }) => `${Number(sender)}:${transaction.nonce}`);

describe("mempool: admission", () => {
  it("rejects in the words clients match on, each rule by itself", () => {
    const { pool } = poolWith([
      [ALICE, { balance: 10n ** 18n, nonce: 5n }],
      [BOB, { balance: 10n ** 18n, codeHash: `0x${"11".repeat(32)}` }],
    ]);
    const cases: readonly (readonly [RecoveredTransaction, string])[] = [
      [transfer(ALICE, 4), "nonce too low: next nonce 5, tx nonce 4"],
      [transfer(ALICE, 5, { chainId: 1n }), "invalid chain id for signer: have 1 want 2718"],
      [transfer(ALICE, 5, { gasLimit: 20_999n }), "intrinsic gas too low: gas 20999, minimum needed 21000"],
      [transfer(ALICE, 5, { gasLimit: 30_000_001n }), "exceeds block gas limit"],
      [
        transfer(ALICE, 5, { maxFeePerGas: 1n, maxPriorityFeePerGas: 2n }),
        "max priority fee per gas higher than max fee per gas: maxPriorityFeePerGas: 2, maxFeePerGas: 1",
      ],
      [
        transfer(ALICE, 5, { maxPriorityFeePerGas: 0n }),
        "transaction underpriced: gas tip cap 0, minimum needed 1",
      ],
      [
        transfer(ALICE, 5, { value: 10n ** 18n }),
        "insufficient funds for gas * price + value: balance 1000000000000000000, tx cost 1000210000000000000, overshot 210000000000000",
      ],
      [
        transfer(account(9), 0),
        "insufficient funds for gas * price + value: balance 0, tx cost 210000000000000, overshot 210000000000000",
      ],
      [transfer(ALICE, 2n ** 64n - 1n), "nonce has max value"],
      [transfer(ALICE, 5 + 2048), "gapped-nonce transaction beyond the pool's limit"],
      [
        transfer(ALICE, 5, { to: undefined, gasLimit: 29_000_000n, data: new Uint8Array(98_305) }),
        "max initcode size exceeded: code size 98305, limit 98304",
      ],
      [transfer(BOB, 0), "sender not an eoa"],
    ];
    for (const [transaction, message] of cases) equal(rejection(pool, transaction), message);
    deepEqual(pool.status(), { pending: 0, queued: 0 });
  });

  it("knows a transaction it has", () => {
    const { pool } = poolWith();
    const transaction = transfer(ALICE, 0);
    deepEqual(pool.add(transaction, "local"), [transaction]);
    equal(rejection(pool, transaction), "already known");
    equal(pool.get(transaction.hash), transaction);
  });

  it("counts the cost of all transactions of a sender against its balance", () => {
    const cost = 21_000n * 10n * GWEI;
    const { pool } = poolWith([[ALICE, { balance: 2n * cost }]]);
    pool.add(transfer(ALICE, 0), "local");
    pool.add(transfer(ALICE, 1), "local");
    equal(
      rejection(pool, transfer(ALICE, 2)),
      `insufficient funds for gas * price + value: balance ${2n * cost}, queued cost ${2n * cost}, tx cost ${cost}, overshot ${cost}`,
    );
  });

  it("replaces a nonce only for a tenth more in both fees", () => {
    const { pool } = poolWith();
    const first = transfer(ALICE, 0, { maxFeePerGas: 100n * GWEI, maxPriorityFeePerGas: 10n * GWEI });
    pool.add(first, "local");
    const raised = (fee: bigint, tip: bigint) =>
      transfer(ALICE, 0, { maxFeePerGas: fee * GWEI, maxPriorityFeePerGas: tip * GWEI });
    equal(rejection(pool, raised(109n, 11n)), "replacement transaction underpriced");
    equal(rejection(pool, raised(110n, 10n)), "replacement transaction underpriced");
    const second = raised(110n, 11n);
    deepEqual(pool.add(second, "local"), [second]);
    equal(pool.get(first.hash), undefined);
    deepEqual(pool.status(), { pending: 1, queued: 0 });
  });

  it("queues behind a gap, and lets all through when it closes", () => {
    const { pool } = poolWith();
    const [zero, one, two] = [transfer(ALICE, 0), transfer(ALICE, 1), transfer(ALICE, 2)];
    deepEqual(pool.add(two, "local"), []);
    deepEqual(pool.add(one, "local"), []);
    deepEqual(pool.status(), { pending: 0, queued: 2 });
    equal(pool.pendingNonce(ALICE), 0n);
    deepEqual(pool.add(zero, "local"), [zero, one, two]);
    deepEqual(pool.status(), { pending: 3, queued: 0 });
    equal(pool.pendingNonce(ALICE), 3n);
  });

  it("bounds what waits behind gaps", () => {
    const { pool } = poolWith(undefined, { queued: 2 });
    pool.add(transfer(ALICE, 1), "local");
    pool.add(transfer(ALICE, 2), "local");
    equal(rejection(pool, transfer(BOB, 1)), "txpool is full");
    equal(rejection(pool, transfer(BOB, 0)), "admitted");
  });
});

describe("mempool: order", () => {
  const priced = (sender: Address, nonce: number, tip: bigint, fee = 100n) =>
    transfer(sender, nonce, { maxFeePerGas: fee * GWEI, maxPriorityFeePerGas: tip * GWEI });

  it("offers the best tip first, each sender in nonce order", () => {
    const { pool } = poolWith();
    for (const one of [priced(ALICE, 0, 1n), priced(ALICE, 1, 9n), priced(BOB, 0, 5n), priced(BOB, 1, 2n)]) {
      pool.add(one, "gossip");
    }
    deepEqual(names(offered(pool)), ["2:0", "2:1", "1:0", "1:1"]);
  });

  it("counts what is left above the base fee, and stops a sender who cannot pay it", () => {
    const { pool } = poolWith();
    for (const one of [priced(ALICE, 0, 5n, 6n), priced(ALICE, 1, 3n, 3n), priced(BOB, 0, 3n)]) {
      pool.add(one, "gossip");
    }
    // At 4 Gwei Alice's first leaves 2, less than Bob's 3; her second cannot pay.
    deepEqual(names(offered(pool, 4n * GWEI)), ["2:0", "1:0"]);
  });

  it("leaves out what follows a transaction that failed", () => {
    const { pool } = poolWith();
    for (const one of [priced(ALICE, 0, 9n), priced(ALICE, 1, 9n), priced(BOB, 0, 1n)])
      pool.add(one, "gossip");
    const best = pool.best(GWEI);
    equal(best.next()?.sender, ALICE);
    best.skipSender();
    deepEqual(names([best.next()!]), ["2:0"]);
    equal(best.next(), undefined);
  });

  it("prefers the earlier of equal offers", () => {
    const { pool } = poolWith();
    for (const sender of [BOB, ALICE]) pool.add(transfer(sender, 0), "gossip");
    deepEqual(names(offered(pool)), ["2:0", "1:0"]);
  });
});

describe("mempool: following the head", () => {
  it("drops what was mined, and what another transaction's nonce made impossible", () => {
    const { table, pool } = poolWith();
    const [zero, one] = [transfer(ALICE, 0), transfer(ALICE, 1)];
    for (const transaction of [zero, one, transfer(BOB, 0)]) pool.add(transaction, "gossip");
    table.set(ALICE, { ...RICH, nonce: 1n });
    table.set(BOB, { ...RICH, nonce: 1n });
    const other = transfer(BOB, 0, { value: 7n });
    deepEqual(pool.onHead(poolHead(table, 2), { removed: [], added: [blockOf(2, [zero, other])] }), []);
    deepEqual(names(pool.pending()), ["1:1"]);
  });

  it("takes back the transactions of abandoned blocks, but not those mined again", () => {
    const { table, pool } = poolWith();
    const [a, b] = [transfer(ALICE, 0), transfer(BOB, 0)];
    for (const transaction of [a, b]) pool.add(transaction, "gossip");
    for (const sender of [ALICE, BOB]) table.set(sender, { ...RICH, nonce: 1n });
    pool.onHead(poolHead(table, 2), { removed: [], added: [blockOf(2, [a, b])] });
    deepEqual(pool.status(), { pending: 0, queued: 0 });

    table.set(ALICE, RICH);
    const returned = pool.onHead(poolHead(table, 2), {
      removed: [blockOf(2, [a, b])],
      added: [blockOf(3, [b])],
    });
    deepEqual(returned, [a]);
    deepEqual(names(pool.pending()), ["1:0"]);
  });

  it("drops a sender's last transactions when its money went elsewhere", () => {
    const cost = 21_000n * 10n * GWEI;
    const { table, pool } = poolWith([[ALICE, { balance: 3n * cost }]]);
    for (const nonce of [0, 1, 2]) pool.add(transfer(ALICE, nonce), "gossip");
    table.set(ALICE, { balance: cost, nonce: 1n });
    pool.onHead(poolHead(table, 2), { removed: [], added: [blockOf(2, [transfer(ALICE, 0)])] });
    deepEqual(names(pool.pending()), ["1:1"]);
  });

  it("promotes what waited when the missing nonce was mined elsewhere", () => {
    const { table, pool } = poolWith();
    const one = transfer(ALICE, 1);
    pool.add(one, "gossip");
    table.set(ALICE, { ...RICH, nonce: 1n });
    deepEqual(pool.onHead(poolHead(table, 2), { removed: [], added: [blockOf(2, [transfer(ALICE, 0)])] }), [
      one,
    ]);
  });

  it("forgets what waited behind a gap for too long", () => {
    const { table, pool } = poolWith(undefined, { queuedLifetimeBlocks: 10 });
    pool.add(transfer(ALICE, 1), "gossip");
    pool.add(transfer(BOB, 0), "gossip");
    pool.onHead(poolHead(table, 64), { removed: [], added: [] });
    deepEqual(pool.status(), { pending: 1, queued: 0 });
  });
});

describe("mempool: eviction", () => {
  const senders = Array.from({ length: 8 }, (_, index) => account(index + 1));
  const full = (limits: Partial<MempoolLimits>) =>
    poolWith(
      senders.map((sender) => [sender, RICH]),
      limits,
    ).pool;
  const tipped = (sender: Address, nonce: number, tip: bigint) =>
    transfer(sender, nonce, { maxFeePerGas: 100n * GWEI, maxPriorityFeePerGas: tip * GWEI });

  it("gives the worst place to a better offer, and refuses one that is no better", () => {
    const pool = full({ transactions: 3 });
    for (const [index, tip] of [5n, 3n, 4n].entries()) pool.add(tipped(senders[index]!, 0, tip), "gossip");
    equal(rejection(pool, tipped(senders[3]!, 0, 3n)), "txpool is full");
    equal(rejection(pool, tipped(senders[4]!, 0, 6n)), "admitted");
    deepEqual(names(offered(pool)), ["5:0", "1:0", "3:0"]);
  });

  it("takes queued transactions first, and only last nonces", () => {
    const pool = full({ transactions: 3 });
    pool.add(tipped(senders[0]!, 0, 1n), "gossip");
    pool.add(tipped(senders[0]!, 1, 9n), "gossip");
    pool.add(tipped(senders[1]!, 1, 50n), "gossip");
    equal(rejection(pool, tipped(senders[2]!, 0, 2n)), "admitted");
    deepEqual(pool.status(), { pending: 3, queued: 0 });
    equal(rejection(pool, tipped(senders[3]!, 0, 2n)), "txpool is full");
    equal(rejection(pool, tipped(senders[3]!, 0, 10n)), "admitted");
  });

  it("counts bytes as well as transactions", () => {
    const large = { data: new Uint8Array(50_000), gasLimit: 1_000_000n };
    const pool = full({ bytes: 120_000 });
    pool.add(transfer(senders[0]!, 0, large), "gossip");
    pool.add(transfer(senders[1]!, 0, large), "gossip");
    equal(rejection(pool, transfer(senders[2]!, 0, large)), "txpool is full");
    equal(rejection(pool, tipped(senders[2]!, 0, 1n)), "admitted");
    const better = { ...large, maxPriorityFeePerGas: 2n * GWEI };
    equal(rejection(pool, transfer(senders[3]!, 0, better)), "admitted");
  });
});

describe("mempool: journal", () => {
  it("notes what our users sent and what a block lost, until it leaves", () => {
    const table = new Map([
      [ALICE, RICH],
      [BOB, RICH],
    ]);
    const noted = new Set<string>();
    const journal = {
      put: ({ hash }: RecoveredTransaction) => void noted.add(hash),
      delete: (hash: string) => void noted.delete(hash),
    };
    const pool = new Mempool({ chainId: 2718n }, DEFAULT_MEMPOOL_LIMITS, poolHead(table), journal);
    const [own, foreign, lost] = [transfer(ALICE, 0), transfer(BOB, 0), transfer(BOB, 1)];
    pool.add(own, "local");
    pool.add(foreign, "gossip");
    deepEqual([...noted], [own.hash]);
    pool.onHead(poolHead(table, 2), { removed: [blockOf(2, [lost])], added: [] });
    deepEqual([...noted], [own.hash, lost.hash]);
    table.set(ALICE, { ...RICH, nonce: 1n });
    pool.onHead(poolHead(table, 2), { removed: [], added: [blockOf(2, [own])] });
    deepEqual([...noted], [lost.hash]);
  });
});

describe("mempool, for any history", () => {
  const operation = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        sender: fc.integer({ min: 1, max: 4 }),
        nonce: fc.nat(6),
        tip: fc.integer({ min: 1, max: 30 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ mined: fc.integer({ min: 1, max: 4 }) }) },
  );

  it("keeps its counts, stays within its limits, and offers no gap and no wrong order", () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
        const senders = [1, 2, 3, 4].map(account);
        const { table, pool } = poolWith(
          senders.map((sender) => [sender, RICH]),
          { transactions: 9, queued: 4 },
        );
        let number = 1;
        for (const step of operations) {
          if ("mined" in step) {
            const sender = account(step.mined);
            const nonce = (table.get(sender)?.nonce ?? 0n) + 1n;
            table.set(sender, { ...RICH, nonce });
            pool.onHead(poolHead(table, ++number), {
              removed: [],
              added: [blockOf(number, [transfer(sender, nonce - 1n)])],
            });
          } else {
            const fees = { maxFeePerGas: 100n * GWEI, maxPriorityFeePerGas: BigInt(step.tip) * GWEI };
            rejection(pool, transfer(account(step.sender), step.nonce, fees));
          }
          const { pending, queued } = pool.status();
          equal(pending + queued <= 9 && queued >= 0, true);
          const inOrder = offered(pool);
          equal(inOrder.length, pending);
          const next = new Map(senders.map((sender) => [sender, table.get(sender)?.nonce ?? 0n]));
          for (const { sender, transaction } of inOrder) {
            equal(transaction.nonce, next.get(sender));
            next.set(sender, transaction.nonce + 1n);
          }
          for (const sender of senders) equal(pool.pendingNonce(sender), next.get(sender));
        }
      }),
    );
  });
});
