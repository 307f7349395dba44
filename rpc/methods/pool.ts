/** What waits in the transaction pool. See specs/rpc/methods.md#pool. */
import { toChecksumAddress } from "../../primitives/address.ts";
import type { RecoveredTransaction } from "../../vm/transaction.ts";
import { feeCap } from "../../vm/transaction-rules.ts";
import type { SenderTransactions } from "../chain-view.ts";
import { encodeTransaction } from "../encode-transaction.ts";
import type { Json, JsonObject } from "../json.ts";
import { type JsonSchema, mapTo, record, ref } from "../json-schema.ts";
import { method } from "../method.ts";
import { address, asJson, count, objectOf } from "../schema.ts";

const pendingAndQueued = "pending and queued transactions";

function pendingAndQueuedOf(group: JsonSchema): JsonSchema {
  return record({ pending: group, queued: group });
}

export const poolStatus = method({
  name: "txpool_status",
  summary: "How many transactions are ready for the next blocks, and how many wait behind a nonce gap.",
  params: {},
  result: objectOf("counts of transactions", { pending: count, queued: count }),
  handle: ({ chain }) => chain.poolStatus(),
});

export const poolContent = method({
  name: "txpool_content",
  summary: "All transactions of the pool, by sender and nonce.",
  params: {},
  result: asJson<JsonObject>(
    `${pendingAndQueued} by sender and nonce`,
    pendingAndQueuedOf(mapTo(mapTo(ref("Transaction")))),
  ),
  handle: ({ chain }) => bySender(chain.poolContent(), showWhole),
});

export const poolContentFrom = method({
  name: "txpool_contentFrom",
  summary: "A sender's transactions in the pool, by nonce.",
  params: { address },
  result: asJson<JsonObject>(`${pendingAndQueued} by nonce`, pendingAndQueuedOf(mapTo(ref("Transaction")))),
  handle({ chain }, params) {
    const { pending, queued } = chain.poolContentOf(params.address);
    return { pending: byNonce(pending, showWhole), queued: byNonce(queued, showWhole) };
  },
});

export const poolInspect = method({
  name: "txpool_inspect",
  summary: "A line of text for each transaction of the pool, by sender and nonce.",
  params: {},
  result: asJson<JsonObject>(
    `lines on ${pendingAndQueued} by sender and nonce`,
    pendingAndQueuedOf(mapTo(mapTo({ type: "string" }))),
  ),
  handle: ({ chain }) => bySender(chain.poolContent(), showLine),
});

type Show = (recovered: RecoveredTransaction) => Json;

function showWhole(recovered: RecoveredTransaction): Json {
  return encodeTransaction(recovered, undefined);
}

/** In geth's form, which tools take apart. */
function showLine({ transaction }: RecoveredTransaction): Json {
  const receiver = transaction.to === undefined ? "contract creation" : toChecksumAddress(transaction.to);
  return `${receiver}: ${transaction.value} wei + ${transaction.gasLimit} gas × ${feeCap(transaction)} wei`;
}

/** A sender is listed where it has something. */
function bySender(content: readonly SenderTransactions[], show: Show): JsonObject {
  const groups = (name: "pending" | "queued") =>
    Object.fromEntries(
      content
        .filter((one) => one[name].length > 0)
        .map((one) => [toChecksumAddress(one.sender), byNonce(one[name], show)]),
    );
  return { pending: groups("pending"), queued: groups("queued") };
}

function byNonce(transactions: readonly RecoveredTransaction[], show: Show): JsonObject {
  return Object.fromEntries(transactions.map((one) => [String(one.transaction.nonce), show(one)]));
}
