/** Transactions an account took part in, newest first: the last ones, and more on request. */
import { useState } from "preact/hooks";
import { Card, Waiting } from "../card.tsx";
import { formatCount, toNumber } from "../display.ts";
import { useLoaded } from "../load.ts";
import { ask, NodeError } from "../node/json-rpc.ts";
import type { BlockJson, Hex, TransactionJson } from "../node/objects.ts";
import { TransactionsTable } from "./transactions-table.tsx";

/** Transactions asked for at a time of a node that keeps an index by account. */
const PAGE_SIZE = 25;
/** Blocks looked through at a time with a node that keeps none, so each is asked for. */
const BLOCKS_AT_A_TIME = 64;

/** `first` is the block above which nothing is missing. */
type History = { readonly transactions: readonly TransactionJson[]; readonly first: number };

export function AccountHistory({ address }: { readonly address: Hex }) {
  const [rounds, setRounds] = useState(1);
  const loaded = useLoaded(`${address} ${rounds}`, () => historyOf(address, rounds));
  return (
    <Card title="Transactions">
      <Waiting on={loaded}>
        {({ transactions, first }) => (
          <>
            <TransactionsTable transactions={transactions} />
            <p class="quiet">
              {first > 0
                ? `Looked through from the newest block back to ${formatCount(first)}. `
                : "That is all of them."}
              {first > 0 && (
                <button type="button" onClick={() => setRounds(rounds + 1)}>
                  look further back
                </button>
              )}
            </p>
          </>
        )}
      </Waiting>
    </Card>
  );
}

async function historyOf(address: Hex, rounds: number): Promise<History> {
  try {
    return await askIndex(address, rounds);
  } catch (error) {
    // Refused rather than unreachable: this node keeps no index by account.
    if (!(error instanceof NodeError)) throw error;
    return searchBack(address, rounds * BLOCKS_AT_A_TIME);
  }
}

type PageJson = { readonly txs: readonly TransactionJson[]; readonly lastPage: boolean };

async function askIndex(address: Hex, pages: number): Promise<History> {
  const transactions: TransactionJson[] = [];
  let first = 0;
  for (let page = 0; page < pages; page++) {
    const { txs, lastPage } = await ask<PageJson>("ots_searchTransactionsBefore", address, first, PAGE_SIZE);
    transactions.push(...txs);
    if (lastPage) return { transactions, first: 0 };
    first = toNumber(txs.at(-1)?.blockNumber ?? "0x0");
  }
  return { transactions, first };
}

async function searchBack(address: Hex, blocks: number): Promise<History> {
  const newest = toNumber(await ask<Hex>("eth_blockNumber"));
  const first = Math.max(0, newest - blocks + 1);
  const numbers = Array.from({ length: newest - first + 1 }, (_, index) => newest - index);
  const found = await Promise.all(
    numbers.map((number) => ask<BlockJson | null>("eth_getBlockByNumber", `0x${number.toString(16)}`, true)),
  );
  const account = address.toLowerCase();
  const transactions = found.flatMap((block) =>
    [...(block?.transactions ?? [])].reverse().filter(({ from, to }) => from === account || to === account),
  );
  return { transactions, first };
}
