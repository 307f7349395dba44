/** A transaction: what was asked for, what it did, and why it failed if it did. */

import { Card, Waiting } from "../card.tsx";
import { decodeCall } from "../contract/decode.ts";
import { contractAt, type KnownContract } from "../contract/known-contracts.ts";
import { formatCount, formatJur, formatUnits, toNumber } from "../display.ts";
import { newestHead } from "../live/live-state.ts";
import { useLoaded } from "../load.ts";
import { ask } from "../node/json-rpc.ts";
import type { ReceiptJson, TransactionJson } from "../node/objects.ts";
import { TransactionMark } from "../proof/proven-mark.tsx";
import { CallTree } from "./call-tree.tsx";
import { DecodedView } from "./decoded-view.tsx";
import { Finality } from "./finality.tsx";
import { GasByLine } from "./gas-by-line.tsx";
import { AddressLink, BlockLink } from "./links.tsx";
import { LogsList } from "./logs-list.tsx";
import { StateChanges } from "./state-changes.tsx";

type Found = {
  readonly transaction: TransactionJson;
  /** Null while it waits in the pool. */
  readonly receipt: ReceiptJson | null;
  readonly contract: KnownContract | undefined;
};

export function TransactionPage({ hash }: { readonly hash: string }) {
  const loaded = useLoaded(hash, () => fetchTransaction(hash));
  // Asked again with each block while it waits.
  const waiting = loaded.state === "ready" && loaded.value?.receipt === null;
  const again = useLoaded(waiting ? `${hash} ${newestHead.value?.hash}` : "", () => fetchTransaction(hash));
  const shown = waiting && again.state === "ready" ? again : loaded;
  return (
    <Waiting on={shown}>
      {(found) =>
        found === undefined ? (
          <Card>
            <p>The node knows no transaction {hash}.</p>
          </Card>
        ) : (
          <TransactionView {...found} />
        )
      }
    </Waiting>
  );
}

async function fetchTransaction(hash: string): Promise<Found | undefined> {
  const transaction = await ask<TransactionJson | null>("eth_getTransactionByHash", hash);
  if (transaction === null) return undefined;
  const receipt = await ask<ReceiptJson | null>("eth_getTransactionReceipt", hash);
  const to = transaction.to ?? receipt?.contractAddress ?? null;
  return { transaction, receipt, contract: to === null ? undefined : await contractAt(to) };
}

function TransactionView({ transaction, receipt, contract }: Found) {
  const { hash, to, input } = transaction;
  const call = to === null || contract === undefined ? undefined : decodeCall(contract.abi, input);
  return (
    <>
      <Card>
        <h1>
          Transaction <TransactionMark transaction={transaction} receipt={receipt} />
        </h1>
        <Facts transaction={transaction} receipt={receipt} contract={contract} />
      </Card>
      {to !== null && input !== "0x" && (
        <Card title="Call">
          {call === undefined ? <pre class="scroll mono">{input}</pre> : <DecodedView decoded={call} />}
        </Card>
      )}
      {receipt !== null && (
        <>
          {receipt.logs.length > 0 && (
            <Card title={`Events (${receipt.logs.length})`}>
              <LogsList logs={receipt.logs} />
            </Card>
          )}
          <CallTree hash={hash} />
          <StateChanges hash={hash} />
          {to !== null && contract !== undefined && <GasByLine hash={hash} contract={contract} />}
        </>
      )}
    </>
  );
}

function Facts({ transaction, receipt, contract }: Found) {
  const { hash, from, to, value, nonce, gas } = transaction;
  return (
    <dl class="facts">
      <dt>hash</dt>
      <dd class="mono">{hash}</dd>
      <dt>state</dt>
      <dd>
        {receipt === null ? (
          <span class="tag quiet">waiting in the pool</span>
        ) : (
          <>
            <span class={`tag ${receipt.status === "0x1" ? "final" : "bad"}`} data-status={receipt.status}>
              {receipt.status === "0x1" ? "succeeded" : "failed"}
            </span>{" "}
            in block <BlockLink number={receipt.blockNumber} />{" "}
            <Finality number={receipt.blockNumber} hash={receipt.blockHash} />
          </>
        )}
      </dd>
      <dt>from</dt>
      <dd>
        <AddressLink to={from} />
      </dd>
      <dt>{to === null ? "creates" : "to"}</dt>
      <dd>
        {(to ?? receipt?.contractAddress) != null && (
          <AddressLink to={(to ?? receipt?.contractAddress) as `0x${string}`} />
        )}
        {contract !== undefined && ` ${contract.name}`}
      </dd>
      <dt>value</dt>
      <dd>{formatJur(BigInt(value))}</dd>
      <dt>nonce</dt>
      <dd>{toNumber(nonce)}</dd>
      <dt>gas</dt>
      <dd>
        {receipt !== null && `${formatCount(toNumber(receipt.gasUsed))} used, `}
        {formatCount(toNumber(gas))} allowed
      </dd>
      {receipt !== null && (
        <>
          <dt>fee</dt>
          <dd>
            {formatJur(BigInt(receipt.gasUsed) * BigInt(receipt.effectiveGasPrice))} at{" "}
            {formatUnits(BigInt(receipt.effectiveGasPrice), 9)} Gwei
          </dd>
        </>
      )}
    </dl>
  );
}
