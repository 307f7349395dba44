/** Transactions that wait in the node's pool. */
import { Card, Waiting } from "../card.tsx";
import { formatCount } from "../display.ts";
import { newestHead } from "../live/live-state.ts";
import { useLoaded } from "../load.ts";
import { ask } from "../node/json-rpc.ts";
import type { TransactionJson } from "../node/objects.ts";
import { TransactionsTable } from "./transactions-table.tsx";

type Waitings = { readonly [sender: string]: { readonly [nonce: string]: TransactionJson } };
type PoolJson = { readonly pending: Waitings; readonly queued: Waitings };

/** Rows shown of each list. */
const SHOWN_LIMIT = 200;

/** Asked again with each block. */
export function MempoolPage() {
  const loaded = useLoaded(`pool ${newestHead.value?.hash ?? ""}`, () => ask<PoolJson>("txpool_content"));
  return (
    <Waiting on={loaded}>
      {({ pending, queued }) => (
        <>
          <PoolList title="Ready for the next blocks" waiting={pending} />
          <PoolList title="Waiting for an earlier nonce" waiting={queued} />
        </>
      )}
    </Waiting>
  );
}

function PoolList({ title, waiting }: { readonly title: string; readonly waiting: Waitings }) {
  const transactions = Object.values(waiting).flatMap((bySender) => Object.values(bySender));
  const more = transactions.length - SHOWN_LIMIT;
  return (
    <Card title={`${title} (${formatCount(transactions.length)})`}>
      <TransactionsTable transactions={transactions.slice(0, SHOWN_LIMIT)} />
      {more > 0 && <p class="quiet">and {formatCount(more)} more</p>}
    </Card>
  );
}
