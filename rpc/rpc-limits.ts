/** Everything a client can make the server spend, with a limit. See specs/rpc/limits.md. */

export type RpcLimits = {
  /** HTTP body or WebSocket message; a longer one is answered 413 or closes the connection. */
  readonly bodyBytes: number;
  readonly batchItems: number;
  /** Requests of one connection per second, each member of a batch counted; Infinity for no limit. */
  readonly requestsPerSecond: number;
  /** Characters of all answers to one request or batch; JSON-RPC answers are ASCII but for names. */
  readonly answerBytes: number;
  readonly logBlocks: number;
  readonly logResults: number;
  /** Filters of all clients together. */
  readonly filters: number;
  /** Entries a filter holds between two polls; a fuller one is dropped. */
  readonly filterEntries: number;
  readonly filterIdleMs: number;
  /** Requests of all clients together that wait for their transaction's receipt, and how long. */
  readonly receiptWaits: number;
  readonly receiptTimeoutMs: number;
  readonly receiptTimeoutMaximumMs: number;
  readonly httpConnections: number;
  readonly webSocketConnections: number;
  readonly subscriptionsPerConnection: number;
  /** Requests of one WebSocket connection in work at once; reading pauses above it. */
  readonly requestsPerConnection: number;
  /** Bytes waiting for a slow WebSocket reader; a connection above it is cut. */
  readonly socketBufferBytes: number;
  /** Finality lag from which `/ready` says no. */
  readonly readyLagSlots: number;
};

const MIB = 1024 * 1024;

export const DEFAULT_RPC_LIMITS: RpcLimits = {
  bodyBytes: 5 * MIB,
  batchItems: 1000,
  requestsPerSecond: Number.POSITIVE_INFINITY,
  answerBytes: 25 * MIB,
  logBlocks: 10_000,
  logResults: 20_000,
  filters: 4096,
  filterEntries: 20_000,
  filterIdleMs: 5 * 60 * 1000,
  receiptWaits: 1024,
  // Geth's, both: a few blocks, and what a client may ask for at most.
  receiptTimeoutMs: 20_000,
  receiptTimeoutMaximumMs: 60_000,
  httpConnections: 4096,
  webSocketConnections: 1024,
  subscriptionsPerConnection: 256,
  requestsPerConnection: 64,
  // Above the largest answer, so that one full answer never cuts its reader.
  socketBufferBytes: 32 * MIB,
  readyLagSlots: 64,
};
