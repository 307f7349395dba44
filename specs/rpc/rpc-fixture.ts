/** Requests against a live chain, without a socket. */
import type { MempoolLimits } from "../../node/execution/mempool.ts";
import { createDispatcher } from "../../rpc/dispatch.ts";
import { createFilters } from "../../rpc/filters.ts";
import { isJsonObject, type Json } from "../../rpc/json.ts";
import type { RpcContext } from "../../rpc/method.ts";
import { METHODS } from "../../rpc/method-table.ts";
import { createRateLimit } from "../../rpc/rate-limit.ts";
import { createReceiptWaits } from "../../rpc/receipt-waits.ts";
import { DEFAULT_RPC_LIMITS, type RpcLimits } from "../../rpc/rpc-limits.ts";
import { LiveChain, liveMachine } from "../support/live-chain.ts";
import { ethereumSpecification, OpenRpc, type OpenRpcDocument } from "../support/openrpc.ts";
import { withScratchDatabase } from "../support/scratch-database.ts";

export type RpcFailure = { readonly code: number; readonly message: string; readonly data?: string };
export type RpcAnswer = { readonly result?: Json; readonly error?: RpcFailure };

/** What any JSON answer may be indexed as in a spec. */
// biome-ignore lint/suspicious/noExplicitAny: answers have the shape the spec asserts.
export type Loose = any;

export type Timer = { readonly delayMs: number; fire(): void };

export type RpcFixture = {
  readonly live: LiveChain;
  readonly clock: { now: number };
  /** Set and neither fired nor cancelled. */
  readonly timers: Timer[];
  /** Failures that are our fault; a spec expects none. */
  readonly faults: unknown[];
  answer(method: string, ...params: unknown[]): Promise<RpcAnswer>;
  /** What is said to a body as it came; undefined for a notification. */
  raw(body: string): Promise<string | undefined>;
  /** The result; a failure is thrown. */
  ask(method: string, ...params: unknown[]): Promise<Loose>;
  /** The failure; a result is thrown. */
  refuse(method: string, ...params: unknown[]): Promise<RpcFailure>;
};

export async function withRpc<T>(
  body: (fixture: RpcFixture) => Promise<T>,
  { mempool, ...limits }: Partial<RpcLimits> & { readonly mempool?: Partial<MempoolLimits> } = {},
): Promise<T> {
  return withScratchDatabase("execution", async (database) => {
    const live = new LiveChain(database, liveMachine(), mempool);
    const clock = { now: 0 };
    const faults: unknown[] = [];
    const allLimits = { ...DEFAULT_RPC_LIMITS, ...limits };
    const dispatcher = createDispatcher({ methods: METHODS, onFault: (error) => faults.push(error) });
    const timers: Timer[] = [];
    const receiptWaits = createReceiptWaits(live.view, allLimits, (fire, delayMs) => {
      const timer = { delayMs, fire };
      timers.push(timer);
      return () => void timers.splice(timers.indexOf(timer), 1);
    });
    const context: RpcContext = {
      chain: live.view,
      filters: createFilters(live.view, allLimits, () => clock.now),
      limits: allLimits,
      receiptWaits,
      rate: createRateLimit(allLimits.requestsPerSecond, () => clock.now),
      processUsage: () => ({ residentBytes: 1000, cpuMs: 20 }),
      subscriber: undefined,
    };
    const raw = (text: string) => dispatcher.handle(text, context);
    const send = async (method: string, params: unknown[]): Promise<RpcAnswer> => {
      const request = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
      return JSON.parse((await dispatcher.handle(request, context)) ?? "{}") as RpcAnswer;
    };
    const document = ownDocument(await send("rpc.discover", []));
    const answer: RpcFixture["answer"] = async (method, ...params) => {
      const answered = await send(method, params);
      if (answered.result !== undefined) {
        requireDescribed(document, method, answered.result);
        if (!isSpecificationGap(method, answered.result)) {
          requireDescribed(ethereumSpecification(), method, answered.result);
        }
      }
      return answered;
    };
    const ask: RpcFixture["ask"] = async (method, ...params) => {
      const { result, error } = await answer(method, ...params);
      if (error !== undefined) throw new Error(`${method}: ${error.code} ${error.message}`);
      return result;
    };
    const refuse: RpcFixture["refuse"] = async (method, ...params) => {
      const { result, error } = await answer(method, ...params);
      if (error === undefined) throw new Error(`${method} answered ${JSON.stringify(result)}`);
      return error;
    };
    try {
      return await body({ live, clock, timers, faults, answer, raw, ask, refuse });
    } finally {
      receiptWaits.close();
      await live.stop();
    }
  });
}

let own: OpenRpc | undefined;

/** The same for every chain but for the version of the client, which no schema depends on: compiled once. */
function ownDocument({ result }: RpcAnswer): OpenRpc {
  own ??= new OpenRpc(result as unknown as OpenRpcDocument);
  return own;
}

/**
 * Answers the specification's schemas forget, and every node gives: no logs and no hashes look the same,
 * so "exactly one of both" fails for an empty list; a waiting transaction has no block yet.
 */
function isSpecificationGap(method: string, result: Json): boolean {
  if (Array.isArray(result)) return result.length === 0 && /^eth_get(Logs|Filter)/.test(method);
  return method === "eth_getTransactionByHash" && isJsonObject(result) && result["blockHash"] === null;
}

/** Every answer of every spec is as the document says, where it knows the method. */
function requireDescribed(document: OpenRpc | undefined, method: string, result: Json): void {
  if (document?.names().includes(method) !== true) return;
  const problem = document.problemOf(method, result);
  if (problem !== undefined) throw new Error(`${method} is not described to answer so: ${problem}`);
}
