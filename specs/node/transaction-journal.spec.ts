import { deepEqual, ok } from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import type { Hash } from "../../primitives/bytes.ts";
import { signed } from "../support/execution-chain.ts";
import { LiveChain } from "../support/live-chain.ts";
import { PowerCutError, PoweredDatabase, PowerSupply } from "../support/power-supply.ts";

/** Five senders with two transactions each, in nonce order. */
const TRANSACTIONS = Array.from({ length: 10 }, (_, index) =>
  signed(index % 5, { nonce: BigInt(Math.floor(index / 5)) }),
);

/** Its process ends with the power: nobody in it ever hears that a commit failed. */
class DyingDisk extends PoweredDatabase {
  readonly #death = Promise.withResolvers<void>();
  /** Resolves at the first commit that did not happen. */
  readonly death = this.#death.promise;

  override async commit<T>(action: () => T): Promise<T> {
    try {
      return await super.commit(action);
    } catch (error) {
      ok(error instanceof PowerCutError, String(error));
      this.#death.resolve();
      return new Promise(() => undefined);
    }
  }
}

type Life = { readonly acknowledged: readonly Hash[]; readonly disk: PoweredDatabase };

/**
 * Users send in bursts of these sizes, each burst a turn after the one before. The process dies at a write of the
 * disk; the kernel keeps what was committed. @param dieAtWrite counted from the first transaction on.
 */
async function live(
  bursts: readonly number[],
  dieAtWrite: number,
): Promise<Life & { readonly writes: number }> {
  const power = { current: new PowerSupply() };
  // What the chain itself writes at its beginning is not the subject.
  const begun = new PoweredDatabase(power.current);
  await new LiveChain(begun).stop();
  power.current = new PowerSupply(dieAtWrite);
  const disk = new DyingDisk(power.current, begun.survivors().at(-1));
  const { view } = new LiveChain(disk);
  const acknowledged: Hash[] = [];
  const sent: Promise<void>[] = [];
  const transactions = [...TRANSACTIONS];
  for (const burst of bursts) {
    for (const { raw, hash } of transactions.splice(0, burst)) {
      sent.push(view.submitTransaction(raw).then(() => void acknowledged.push(hash)));
    }
    await setImmediate();
  }
  await Promise.race([Promise.all(sent), disk.death]);
  // Answers that were on their way when the power went still reach the user.
  await setImmediate();
  return { acknowledged, disk, writes: power.current.writes };
}

async function poolAfterRestart({ disk }: Life): Promise<ReadonlySet<Hash>> {
  const again = new LiveChain(new PoweredDatabase(new PowerSupply(), disk.survivors().at(-1)));
  const hashes = new Set(again.pool.pending().map(({ hash }) => hash));
  await again.stop();
  return hashes;
}

describe("a transaction that JSON-RPC acknowledged", () => {
  it("is in the pool again after the process was killed, at whichever write", async () => {
    const whole = await live([4, 1, 3, 2], Number.POSITIVE_INFINITY);
    deepEqual(whole.acknowledged.length, TRANSACTIONS.length);
    let answers = 0;
    for (let write = 1; write <= whole.writes + 1; write++) {
      const life = await live([4, 1, 3, 2], write);
      const pool = await poolAfterRestart(life);
      deepEqual(
        life.acknowledged.filter((hash) => !pool.has(hash)),
        [],
        `killed at write ${write}`,
      );
      answers += life.acknowledged.length;
    }
    ok(answers > TRANSACTIONS.length, "some were acknowledged before a kill");
  });

  it("is kept however requests fall together", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 4, maxLength: 8 }),
        fc.integer({ min: 1, max: 9 }),
        async (bursts, write) => {
          const life = await live(bursts, write);
          const pool = await poolAfterRestart(life);
          return life.acknowledged.every((hash) => pool.has(hash));
        },
      ),
      { numRuns: 30 },
    );
  });
});
