/** Transactions an account took part in, newest first, a page at a time. */
import { useState } from "preact/hooks";
import { Card, Waiting } from "../card.tsx";
import { toNumber } from "../display.ts";
import { useLoaded } from "../load.ts";
import { ask } from "../node/json-rpc.ts";
import type { Hex, TransactionJson } from "../node/objects.ts";
import { TransactionsTable } from "./transactions-table.tsx";

/** Otterscan's page of a search. */
type SearchPage = {
  readonly txs: readonly TransactionJson[];
  readonly firstPage: boolean;
  readonly lastPage: boolean;
};

const PAGE_SIZE = 25;

export function AccountHistory({ address }: { readonly address: Hex }) {
  /** Block below which to look; 0 is the newest. */
  const [below, setBelow] = useState(0);
  const loaded = useLoaded(`${address} ${below}`, () =>
    ask<SearchPage>("ots_searchTransactionsBefore", address, below, PAGE_SIZE),
  );
  return (
    <Card title="Transactions">
      <Waiting on={loaded}>
        {({ txs, firstPage, lastPage }) => (
          <>
            <TransactionsTable transactions={txs} />
            {!firstPage && (
              <button type="button" onClick={() => setBelow(0)}>
                newest
              </button>
            )}{" "}
            {!lastPage && (
              <button type="button" onClick={() => setBelow(toNumber(txs.at(-1)?.blockNumber ?? "0x0"))}>
                older
              </button>
            )}
          </>
        )}
      </Waiting>
    </Card>
  );
}
