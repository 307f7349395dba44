/** The index of finalized logs, and searching with and without it. Prose: log-index.md. */
import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { LogSearch } from "../../node/execution/find-logs.ts";
import { LogIndex } from "../../node/execution/log-index.ts";
import { type Hash, toHash } from "../../primitives/bytes.ts";
import type { LogFilter, LogLimits } from "../../rpc/chain-view.ts";
import { matchesLog } from "../../rpc/log-filter.ts";
import type { Log } from "../../vm/block.ts";
import { signed } from "../support/execution-chain.ts";
import { LiveChain, LOGGED_TOPIC, LOGGER } from "../support/live-chain.ts";
import { account } from "../support/pool-transactions.ts";
import { withScratchDatabase } from "../support/scratch-database.ts";

const log = (address: number, ...topics: number[]): Log => ({
  address: account(address),
  topics: topics.map((topic) => toHash(BigInt(topic))),
  data: new Uint8Array(0),
});
const topic = (...values: number[]): readonly Hash[] => values.map((value) => toHash(BigInt(value)));
const filterOf = (addresses: readonly number[], ...topics: LogFilter["topics"]): LogFilter => ({
  addresses: addresses.map(account),
  topics,
});

describe("log index", () => {
  it("lists the blocks in a range that have every named value, each at its position", async () => {
    await withScratchDatabase("execution", async (database) => {
      const index = new LogIndex(database);
      equal(index.indexedTo(), -1);
      await index.add([
        { number: 0, logs: [] },
        { number: 1, logs: [log(1, 7)] },
        { number: 2, logs: [log(2, 7, 8)] },
        { number: 3, logs: [log(1, 8, 7), log(2)] },
      ]);
      equal(index.indexedTo(), 3);
      const found = (filter: LogFilter, first = 0, last = 3) => index.candidates(filter, first, last);
      deepEqual(found(filterOf([])), [1, 2, 3]);
      deepEqual(found(filterOf([1])), [1, 3]);
      deepEqual(found(filterOf([1, 2])), [1, 2, 3]);
      deepEqual(found(filterOf([1], topic(7))), [1]);
      deepEqual(found(filterOf([], topic(7))), [1, 2]);
      deepEqual(found(filterOf([], undefined, topic(7, 8))), [2, 3]);
      deepEqual(found(filterOf([], topic(7)), 2, 3), [2]);
      deepEqual(found(filterOf([9])), []);
      // The values lie in different logs of block 3: a candidate, though no log matches.
      deepEqual(found(filterOf([2], topic(8))), [3]);
    });
  });

  it("never leaves out a block that has a matching log", async () => {
    const small = fc.integer({ min: 1, max: 3 });
    const anyLog = fc
      .tuple(small, fc.array(small, { maxLength: 3 }))
      .map(([one, topics]) => log(one, ...topics));
    const anyBlocks = fc.array(fc.array(anyLog, { maxLength: 3 }), { minLength: 1, maxLength: 8 });
    const anyPosition = fc.option(fc.array(small, { minLength: 1, maxLength: 2 }), { nil: undefined });
    const anyFilter = fc
      .tuple(fc.array(small, { maxLength: 2 }), fc.array(anyPosition, { maxLength: 3 }))
      .map(([addresses, positions]) =>
        filterOf(addresses, ...positions.map((position) => position && topic(...position))),
      );
    await fc.assert(
      fc.asyncProperty(anyBlocks, anyFilter, async (blocks, filter) => {
        await withScratchDatabase("execution", async (database) => {
          const index = new LogIndex(database);
          await index.add(blocks.map((logs, number) => ({ number, logs })));
          const candidates = index.candidates(filter, 0, blocks.length);
          for (const [number, logs] of blocks.entries()) {
            if (logs.some((one) => matchesLog(filter, one))) equal(candidates.includes(number), true);
          }
        });
      }),
      { numRuns: 25 },
    );
  });
});

describe("log search", () => {
  it("finds the same logs before and after blocks are final and indexed", async () => {
    await withScratchDatabase("execution", async (database) => {
      const live = new LiveChain(database);
      const blocks = [];
      for (let nonce = 0n; nonce < 5n; nonce++) {
        const data = nonce % 2n === 0n ? new Uint8Array(32).fill(Number(nonce) + 1) : new Uint8Array(0);
        live.pool.submit(signed(0, { nonce, to: LOGGER, data, gasLimit: 100_000n }).raw);
        blocks.push(await live.mine());
      }
      const searched = new LogSearch(live.chain.blocks, live.logIndex);
      const search = (filter: LogFilter, most: Partial<LogLimits> = {}) =>
        searched.find(filter, { first: 0, last: 5, limits: { logs: 100, characters: 100_000, ...most } });
      const listed = (filter: LogFilter) => {
        const found = search(filter);
        return "json" in found ? (JSON.parse(found.json) as unknown[]) : [];
      };
      const filters: readonly LogFilter[] = [
        { addresses: [], topics: [] },
        { addresses: [LOGGER], topics: [[LOGGED_TOPIC], undefined] },
        { addresses: [], topics: [undefined, [toHash(3n)]] },
      ];
      const before = filters.map(listed);
      deepEqual(
        before.map(({ length }) => length),
        [5, 3, 0],
      );
      for (const final of [1, 3, 4]) {
        live.setHead(blocks[4]!, blocks[final]!);
        await live.indexer.catchUp();
        equal(live.logIndex.indexedTo(), final + 1);
        deepEqual(filters.map(listed), before);
      }
      deepEqual(search(filters[0]!, { logs: 5 }), { json: JSON.stringify(before[0]) });
      deepEqual(search(filters[0]!, { logs: 2 }), { beyond: "logs", blockNumber: 3 });
      const twoLogs = JSON.stringify(before[0]!.slice(0, 2)).length;
      deepEqual(search(filters[0]!, { characters: twoLogs }), { beyond: "characters", blockNumber: 3 });
      await live.stop();
    });
  });
});
