import { deepEqual, equal, match, ok } from "node:assert/strict";
import { createServer, get, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import fc from "fast-check";
import type { ChainView } from "../../rpc/chain-view.ts";
import { createStreamHub, STREAM_READERS_LIMIT } from "../../rpc/stream.ts";
import type { Block } from "../../vm/block.ts";
import { signed } from "../support/execution-chain.ts";
import { LiveChain, LOGGER } from "../support/live-chain.ts";
import { withScratchDatabase } from "../support/scratch-database.ts";
import { withServer } from "./server-fixture.ts";

type Record_ = {
  readonly type: string;
  readonly cursor: string;
  readonly number?: string;
  readonly hash?: string;
  readonly removed?: readonly { readonly hash: string }[] | null;
  readonly block?: { readonly hash: string; readonly number: string; readonly parentHash: string };
  readonly receipts?: readonly { readonly logs: readonly unknown[] }[];
  readonly logs?: readonly { readonly address: string }[];
};

/** A reader that hands out records in the order they come. */
class StreamClient {
  readonly #lines: AsyncIterator<string>;
  readonly response: IncomingMessage;

  private constructor(response: IncomingMessage) {
    this.response = response;
    response.on("error", () => undefined);
    this.#lines = createInterface({ input: response })[Symbol.asyncIterator]();
  }

  static open(url: string): Promise<StreamClient> {
    return new Promise((resolve, reject) => {
      get(url, { agent: false }, (response) => resolve(new StreamClient(response))).on("error", reject);
    });
  }

  async next(): Promise<Record_> {
    for (;;) {
      const { value } = await this.#lines.next();
      if (value !== "") return JSON.parse(value as string) as Record_;
    }
  }

  async take(count: number): Promise<readonly Record_[]> {
    const taken: Record_[] = [];
    while (taken.length < count) taken.push(await this.next());
    return taken;
  }

  close(): void {
    this.response.destroy();
  }
}

const short = ({ type, block, number }: Record_) => `${type} ${Number(block?.number ?? number)}`;

describe("the stream", () => {
  it("sends blocks with what is wanted of them, and tells when they are final", async () => {
    await withServer(async ({ live, url }) => {
      await live.pool.submit(signed(0, { to: LOGGER, data: new Uint8Array(32), gasLimit: 100_000n }).raw);
      const first = await live.mine();
      const reader = await StreamClient.open(`${url}/stream?from=earliest&include=receipts,logs`);
      const [genesis, final, block] = await reader.take(3);
      deepEqual(
        [genesis, final, block].map((record) => short(record!)),
        ["block 0", "finalized 0", "block 1"],
      );
      equal(block?.cursor, `1:${first.hash}`);
      equal(block?.block?.hash, first.hash);
      equal(block?.receipts?.[0]?.logs.length, 1);
      deepEqual(block?.logs, block?.receipts?.[0]?.logs);
      const second = await live.build();
      live.setHead(second, first);
      deepEqual((await reader.take(2)).map(short), ["finalized 1", "block 2"]);
      reader.close();

      const bare = await StreamClient.open(`${url}/stream?from=1&include=none`);
      const { receipts, logs } = await bare.next();
      deepEqual([receipts, logs], [undefined, undefined]);
      bare.close();
      const newest = await StreamClient.open(`${url}/stream`);
      deepEqual((await newest.take(2)).map(short), ["finalized 1", "block 2"]);
      newest.close();
    });
  });

  it("marks what was taken back, while it is read and after a pause", async () => {
    await withServer(async ({ live, url }) => {
      //  0 - 1 - 2 - 3
      //        \ 2'- 3'- 4'
      const first = await live.mine();
      const [second, third] = [await live.mine(), await live.mine()];
      const reader = await StreamClient.open(`${url}/stream?from=1`);
      const seen = await reader.take(4);
      deepEqual(seen.map(short), ["finalized 0", "block 1", "block 2", "block 3"]);
      const rivals: Block[] = [];
      for (let parent = first; rivals.length < 3; parent = rivals.at(-1)!) {
        rivals.push(await live.build(parent, { timestamp: parent.header.timestamp + 5 }));
      }
      live.setHead(rivals.at(-1)!);
      const [rollback, ...blocks] = await reader.take(4);
      deepEqual(rollback, {
        ...{ type: "rollback", cursor: `1:${first.hash}`, number: "0x1", hash: first.hash },
        removed: [third, second].map(({ hash, header }) => ({ number: `0x${header.number}`, hash })),
      });
      deepEqual(
        blocks.map(({ block }) => block?.hash),
        rivals.map(({ hash }) => hash),
      );
      reader.close();

      const resumed = await StreamClient.open(`${url}/stream?from=${seen.at(-1)!.cursor}`);
      deepEqual(await resumed.next(), rollback);
      resumed.close();
      const known = await StreamClient.open(`${url}/stream?from=${blocks[1]!.cursor}`);
      deepEqual((await known.take(2)).map(short), ["finalized 0", "block 4"]);
      known.close();
      // A block nobody here remembers: back to what is final, without names.
      const forgotten = await StreamClient.open(`${url}/stream?from=3:0x${"ab".repeat(32)}`);
      const { type, number, removed } = await forgotten.next();
      deepEqual([type, number, removed], ["rollback", "0x0", null]);
      forgotten.close();
    });
  });

  it("leaves a reader with the canonical chain, whatever the forks and wherever it is cut off", async function () {
    this.timeout(60_000);
    // Each step builds on the head or a few blocks below it; some steps cut the reader off.
    const step = fc.record({ below: fc.constantFrom(0, 0, 0, 1, 2), cut: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
        await withServer(async ({ live, url }) => {
          const chain: { readonly number: number; readonly hash: string }[] = [];
          let cursor = "earliest";
          let reader = await StreamClient.open(`${url}/stream?from=${cursor}&include=none`);
          const readUpTo = async (head: Block) => {
            while (chain.at(-1)?.hash !== head.hash) {
              const record = await reader.next();
              cursor = record.cursor;
              if (record.type === "rollback") {
                while (chain.length > 0 && chain.at(-1)!.hash !== record.hash) chain.pop();
              } else if (record.type === "block") {
                equal(record.block?.parentHash, chain.at(-1)?.hash ?? record.block?.parentHash);
                chain.push({ number: Number(record.block?.number), hash: record.block!.hash });
              }
            }
          };
          for (const [i, { below, cut }] of steps.entries()) {
            let parent = live.chain.head();
            for (let up = 0; up < below && parent.header.number > 0; up++) {
              parent = live.chain.blocks.get(parent.header.parentHash)!;
            }
            const block = await live.build(parent, { timestamp: live.chain.head().header.timestamp + 1 + i });
            if (cut) reader.close();
            live.setHead(block);
            if (cut) reader = await StreamClient.open(`${url}/stream?from=${cursor}&include=none`);
            if (i % 2 === 1 || i === steps.length - 1) await readUpTo(block);
          }
          reader.close();
          deepEqual(
            chain.map(({ hash }) => hash),
            chain.map(({ number }) => live.chain.blocks.canonicalHash(number)),
          );
        });
      }),
      { numRuns: 12 },
    );
  });

  it("says what is wrong with a request", async () => {
    await withServer(async ({ live, url }) => {
      const block = await live.mine();
      for (const [query, status, pattern] of [
        ["from=7", 404, /beyond the head, which is block 1/],
        ["from=pending", 400, /from takes/],
        ["from=1:0x12", 400, /from takes/],
        [`from=5:${block.hash}`, 400, /cursor is none of ours: its block has the number 1/],
        ["include=everything", 400, /include takes transactions, receipts, logs or none/],
      ] as const) {
        const response = await fetch(`${url}/stream?${query}`);
        equal(response.status, status, query);
        match(await response.text(), pattern);
      }
      equal((await fetch(`${url}/stream`, { method: "POST", body: "{}" })).status, 415);
      const readers = await Promise.all(
        Array.from({ length: STREAM_READERS_LIMIT }, () => StreamClient.open(`${url}/stream`)),
      );
      equal((await fetch(`${url}/stream`)).status, 503);
      for (const reader of readers) reader.close();
    });
  });

  it("waits for a slow reader, and makes nothing for one that left", async () => {
    await withScratchDatabase("execution", async (database) => {
      const live = new LiveChain(database);
      for (let i = 0; i < 3; i++) await live.mine();
      let made = 0;
      // The same three blocks over and over, with long receipts: a chain without end.
      const endless = new Proxy(live.view, {
        get(view, name: keyof ChainView) {
          if (name === "isCanonical") return () => true;
          if (name === "block")
            return (reference: never) => view.block("number" in reference ? { number: 2 } : reference);
          if (name === "receipts") {
            return () => {
              made += 1;
              return [];
            };
          }
          const value = view[name];
          return typeof value === "function" ? value.bind(view) : value;
        },
      });
      const hub = createStreamHub(endless, (error) => {
        throw error;
      });
      const server = createServer((request, response) =>
        hub.serve(request, response, new URLSearchParams(request.url?.split("?")[1])),
      ).listen(0, "127.0.0.1");
      await new Promise((resolve) => server.once("listening", resolve));
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/stream?from=1`;
      const reader = await StreamClient.open(url);
      reader.response.pause();
      // It stops by itself when the socket is full: two looks in a row see the same.
      let before = -1;
      for (let same = 0; same < 50; same = made === before ? same + 1 : 0) {
        before = made;
        await new Promise((resolve) => setImmediate(resolve));
      }
      const whileStuck = made;
      reader.response.resume();
      while (made === whileStuck) await reader.next();
      ok(made > whileStuck, "it goes on when there is room");
      reader.close();
      await new Promise((resolve) => server.close(resolve));
      hub.close();
      await live.stop();
    });
  });
});
