/** Which transactions an account took part in, with and without the index. Prose: address-index.md. */
import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { AddressIndex, type AttendedBlock } from "../../node/execution/address-index.ts";
import { participantsOf } from "../../node/execution/participants.ts";
import { searchAddress } from "../../node/execution/search-address.ts";
import { type Address, EMPTY_BYTES, fromHex, toHex, utf8ToBytes } from "../../primitives/bytes.ts";
import { keccak256Hex } from "../../primitives/hash.ts";
import type { AddressSearch } from "../../rpc/chain-view.ts";
import { executeMessage } from "../../vm/execute-message.ts";
import type { Frame, MessageResult } from "../../vm/message.ts";
import { accounts, signed } from "../support/execution-chain.ts";
import { BURNER, COUNTER, LiveChain, liveMachine } from "../support/live-chain.ts";
import { account } from "../support/pool-transactions.ts";
import { withScratchDatabase } from "../support/scratch-database.ts";
import { end } from "../support/scripted-machine.ts";

const [ALICE, BOB] = [accounts[0]!, accounts[1]!];
const FORWARDER = BURNER;
const TOKEN = COUNTER;
const TRANSFER = keccak256Hex(utf8ToBytes("Transfer(address,address,uint256)"));

/** Calls each account its data names, and fails when the data says so with its last byte. */
function forward(frame: Frame): MessageResult {
  const { context, data, depth, self } = frame;
  for (let at = 0; at + 20 <= data.length; at += 20) {
    const target = toHex(data.subarray(at, at + 20));
    const nested = { caller: self, self: target, codeAddress: target, value: 0n, data: EMPTY_BYTES };
    const how = { kind: "call", gas: 1_000, isStatic: false, depth: depth + 1, parent: frame } as const;
    executeMessage(context, { ...nested, ...how });
  }
  return data.length % 20 === 0 ? end("success", frame.gas - 20_000) : end("revert", frame.gas - 20_000);
}

/** Says that it moved a token from the sender to the account in its data. */
function moveToken({ caller, context, data, gas, self }: Frame): MessageResult {
  const padded = (address: Address) => `0x${address.slice(2).padStart(64, "0")}` as const;
  context.journal.addLog({ address: self, topics: [TRANSFER, padded(caller), padded(toHex(data))], data });
  return end("success", gas - 1_000);
}

const tellingMachine = () =>
  liveMachine().add(utf8ToBytes("burner"), forward).add(utf8ToBytes("counter"), moveToken);

type Sent = { readonly to: Address | undefined; readonly data: Uint8Array };

async function mine(live: LiveChain, nonce: number, transactions: readonly Sent[]) {
  for (const [index, { to, data }] of transactions.entries()) {
    live.pool.submit(signed(0, { nonce: BigInt(nonce + index), to, data, gasLimit: 200_000n }).raw);
  }
  return live.mine();
}

describe("address index: who takes part", () => {
  it("is the sender, the recipient, a new contract, whom calls reach, also in vain, and holders of tokens", async () => {
    await withScratchDatabase("execution", async (database) => {
      const live = new LiveChain(database, tellingMachine());
      const [inner, other, holder] = [account(101), account(102), account(103)];
      const both = fromHex(`0x${inner.slice(2)}${other.slice(2)}`);
      await mine(live, 0, [
        { to: BOB, data: EMPTY_BYTES },
        { to: FORWARDER, data: both },
        { to: FORWARDER, data: Uint8Array.of(...both, 1) },
        { to: TOKEN, data: fromHex(holder) },
        { to: TOKEN, data: new Uint8Array(20) },
        { to: undefined, data: utf8ToBytes("miser") },
      ]);
      const { contractAddress } = live.view.receipts(live.view.head().hash)?.at(-1) ?? {};
      deepEqual(
        participantsOf(live.chain.blocks, 1).map((participants) => [...participants]),
        [
          [ALICE, BOB],
          [ALICE, FORWARDER, inner, other],
          [ALICE, FORWARDER, inner, other],
          [ALICE, TOKEN, holder],
          [ALICE, TOKEN],
          [ALICE, contractAddress],
        ],
      );
      deepEqual(participantsOf(live.chain.blocks, 9), []);
      await live.stop();
    });
  });

  it("is forgotten with a block that is abandoned, and follows a reorganisation", async () => {
    await withScratchDatabase("execution", async (database) => {
      const live = new LiveChain(database, tellingMachine());
      const genesis = live.view.head();
      const inner = account(101);
      const first = await mine(live, 0, [{ to: FORWARDER, data: fromHex(inner) }]);
      const search = () => live.view.searchAddress({ ...whole(1), address: inner });
      deepEqual(await search(), { found: [{ blockHash: first.hash, index: 0 }], hasMore: false });
      deepEqual(live.chain.blocks.innerParticipants(first.hash), [[inner]]);

      live.setHead(await live.build(genesis, { timestamp: genesis.header.timestamp + 9 }));
      const second = live.view.head();
      equal(second.transactions.length, 0);
      deepEqual(await search(), { found: [], hasMore: false });
      live.setHead(second, second);
      await live.addressIndexer.catchUp();
      deepEqual(live.chain.blocks.innerParticipants(first.hash), []);
      const third = await live.mine();
      deepEqual(await search(), { found: [{ blockHash: third.hash, index: 0 }], hasMore: false });
      await live.stop();
    });
  });
});

const whole = (limit: number): Omit<AddressSearch, "address"> => ({
  ...{ first: 0, last: 10, isForward: false, limit },
});

describe("address search", () => {
  it("finds the same pages, newest first, whatever part of the chain is final and indexed", async () => {
    await withScratchDatabase("execution", async (database) => {
      const live = new LiveChain(database, tellingMachine());
      const index = new AddressIndex(database);
      const targets = [account(101), account(102), account(103)];
      const blocks = [live.view.head()];
      // Block n calls those whose bit is set in n, once for each time it fits.
      for (let number = 1, nonce = 0; number <= 9; number++) {
        const called = targets.filter((_, bit) => (number >> bit) & 1);
        const transactions = called.flatMap((to) => [
          { to, data: EMPTY_BYTES },
          { to: FORWARDER, data: fromHex(to) },
        ]);
        blocks.push(await mine(live, nonce, transactions));
        nonce += transactions.length;
      }
      const naive = (address: Address) =>
        blocks.flatMap(({ hash, header }) =>
          [...participantsOf(live.chain.blocks, header.number).entries()].flatMap(([at, participants]) =>
            participants.has(address) ? [{ blockHash: hash, index: at }] : [],
          ),
        );
      const expected = targets.map((address) => naive(address).reverse());
      deepEqual(
        expected.map(({ length }) => length),
        [10, 8, 8],
      );
      for (const final of [0, 1, 4, 9]) {
        live.setHead(blocks[9]!, blocks[final]!);
        await live.addressIndexer.catchUp();
        equal(index.indexedTo(), final);
        for (const [at, address] of targets.entries()) {
          for (const limit of [1, 3, 100]) {
            deepEqual(pages(live, address, limit, false), expected[at]);
            deepEqual(pages(live, address, limit, true), expected[at]);
          }
        }
      }
      await live.stop();
    });
  });

  /** All pages joined, from one end of the chain to the other. */
  function pages(live: LiveChain, address: Address, limit: number, isForward: boolean) {
    const { blocks } = live.chain;
    const index = new AddressIndex(live.database);
    const joined = [];
    const head = live.view.head().header.number;
    for (let first = 0, last = head, hasMore = true; hasMore; ) {
      const page = searchAddress(blocks, index, { address, first, last, isForward, limit });
      if (isForward) joined.unshift(...page.found);
      else joined.push(...page.found);
      const next = page.found.at(isForward ? 0 : -1);
      const number = next === undefined ? undefined : blocks.get(next.blockHash)?.header.number;
      if (isForward) first = (number ?? head) + 1;
      else last = (number ?? 0) - 1;
      hasMore = page.hasMore;
      // A page is full unless it is the last, and holds whole blocks.
      if (hasMore) equal(page.found.length >= limit, true);
    }
    return joined;
  }
});

describe("address index", () => {
  it("lists what was added, by account and in both directions", async () => {
    const small = fc.integer({ min: 1, max: 4 });
    const anyBlocks = fc.array(fc.array(fc.array(small, { maxLength: 3 }), { maxLength: 4 }), {
      minLength: 1,
    });
    await fc.assert(
      fc.asyncProperty(anyBlocks, small, fc.nat(9), fc.nat(9), async (attended, who, first, last) => {
        await withScratchDatabase("execution", async (database) => {
          const index = new AddressIndex(database);
          await index.prepare();
          const blocks: AttendedBlock[] = attended.map((transactions, number) => ({
            ...{ number, participants: transactions.map((participants) => participants.map(account)) },
          }));
          await index.add(blocks);
          equal(index.indexedTo(), blocks.length - 1);
          const expected = blocks.flatMap(({ number, participants }) => {
            const indices = [...participants.entries()].flatMap(([at, addresses]) =>
              [...addresses].includes(account(who)) ? [at] : [],
            );
            return indices.length > 0 && number >= first && number <= last ? [{ number, indices }] : [];
          });
          deepEqual([...index.attendances(account(who), first, last, false)], expected);
          deepEqual([...index.attendances(account(who), first, last, true)], expected.reverse());
        });
      }),
      { numRuns: 20 },
    );
  });

  it("numbers the transactions of the largest block", async () => {
    await withScratchDatabase("execution", async (database) => {
      const index = new AddressIndex(database);
      await index.prepare();
      const participants = Array.from({ length: 70_000 }, (_, at) => [account(at % 65_537 === 0 ? 1 : 2)]);
      await index.add([{ number: 0, participants }]);
      deepEqual([...index.attendances(account(1), 0, 0, false)], [{ number: 0, indices: [0, 65_537] }]);
    });
  });

  it("empties itself of what another version left, and begins anew", async () => {
    await withScratchDatabase("execution", async (database) => {
      const index = new AddressIndex(database);
      equal(index.indexedTo(), -1);
      await index.prepare();
      await index.add([{ number: 0, participants: [[ALICE]] }]);
      await index.prepare();
      equal(index.indexedTo(), 0, "the same version stays");
      await database.commit(() =>
        database.table("address-index").put(utf8ToBytes("version"), Uint8Array.of(0, 0, 0, 0, 0, 0)),
      );
      equal(index.indexedTo(), -1);
      await index.prepare();
      equal(index.indexedTo(), -1);
      deepEqual([...index.attendances(ALICE, 0, 9, false)], []);
    });
  });
});
