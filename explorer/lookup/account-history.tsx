/** Transactions an account took part in, newest first: those of the newest blocks, and further back on request. */
import { useState } from "preact/hooks";
import { Card, Waiting } from "../card.tsx";
import { formatCount, toNumber } from "../display.ts";
import { useLoaded } from "../load.ts";
import { ask } from "../node/json-rpc.ts";
import type { BlockJson, Hex, TransactionJson } from "../node/objects.ts";
import { TransactionsTable } from "./transactions-table.tsx";

/** Blocks looked through at a time: the node keeps no index by account, so each is asked for. */
const BLOCKS_AT_A_TIME = 64;

type History = { readonly transactions: readonly TransactionJson[]; readonly first: number };

export function AccountHistory({ address }: { readonly address: Hex }) {
  const [rounds, setRounds] = useState(1);
  const loaded = useLoaded(`${address} ${rounds}`, () => searchBack(address, rounds * BLOCKS_AT_A_TIME));
  return (
    <Card title="Transactions">
      <Waiting on={loaded}>
        {({ transactions, first }) => (
          <>
            <TransactionsTable transactions={transactions} />
            <p class="quiet">
              Looked through from the newest block back to {formatCount(first)}.{" "}
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
