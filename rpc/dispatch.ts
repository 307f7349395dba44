/** JSON-RPC 2.0: one text in, at most one text out, whatever the text. See specs/rpc/dispatch.md. */
import { TransactionRejected } from "./chain-view.ts";
import { isJsonObject } from "./json.ts";
import { JsonText } from "./json-text.ts";
import { type Method, type RpcContext, readParams } from "./method.ts";
import { ERROR_CODES, methodNotFound, RpcError, responseTooLarge, serverError } from "./rpc-errors.ts";

export type Dispatcher = {
  /** The answer, or undefined when nothing is to be sent: only notifications came in. */
  handle(text: string, context: RpcContext): Promise<string | undefined>;
};

export type DispatcherOptions = {
  readonly methods: readonly Method[];
  /** Told about every failure that is our fault, which the client sees as "internal error". */
  onFault(error: unknown, methodName: string): void;
};

type Id = string | number | null;
type Request = { readonly id: Id | undefined; readonly method: string; readonly params: unknown };

/** Characters the answers to one text may still take. Shared by the members of a batch. */
type Budget = { left: number };

/** A batch gives other work of the thread a turn after this many members. */
const BATCH_TURN_ITEMS = 50;

export function createDispatcher({ methods, onFault }: DispatcherOptions): Dispatcher {
  const table = new Map(methods.map((method) => [method.name, method]));

  async function answer(item: unknown, context: RpcContext, budget: Budget): Promise<string | undefined> {
    const request = readRequest(item);
    if (request instanceof RpcError) return errorText(idOf(item) ?? null, request);

    let answered: string;
    try {
      if (!context.rate.take()) throw rateExceeded();
      const called = table.get(request.method);
      if (called === undefined) throw methodNotFound(request.method);
      const result = called.handle(context, readParams(called, request.params));
      const value = result instanceof Promise ? await result : result;
      const json = value instanceof JsonText ? value.text : JSON.stringify(called.result.write(value));
      answered = resultText(request.id ?? null, json);
      if (answered.length > budget.left) throw responseTooLarge();
    } catch (error) {
      answered = errorText(request.id ?? null, toRpcError(error, request.method));
    }
    budget.left = Math.max(0, budget.left - answered.length);
    return request.id === undefined ? undefined : answered;
  }

  function toRpcError(error: unknown, methodName: string): RpcError {
    if (error instanceof RpcError) return error;
    if (error instanceof TransactionRejected) return serverError(error.message);
    onFault(error, methodName);
    return new RpcError(ERROR_CODES.internal, "internal error");
  }

  async function handle(text: string, context: RpcContext): Promise<string | undefined> {
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch {
      return errorText(null, new RpcError(ERROR_CODES.parseError, "parse error"));
    }
    const budget: Budget = { left: context.limits.answerBytes };
    if (!Array.isArray(json)) return answer(json, context, budget);
    if (json.length === 0) return errorText(null, invalidRequest("empty batch"));
    if (json.length > context.limits.batchItems) return errorText(null, invalidRequest("batch too large"));

    const answers: string[] = [];
    for (const [index, item] of json.entries()) {
      if (index > 0 && index % BATCH_TURN_ITEMS === 0) await turn();
      const answered = await answer(item, context, budget);
      if (answered !== undefined) answers.push(answered);
    }
    return answers.length === 0 ? undefined : `[${answers.join(",")}]`;
  }

  return { handle };
}

function readRequest(item: unknown): Request | RpcError {
  if (!isJsonObject(item)) return invalidRequest();
  const id = idOf(item);
  if (id === undefined && item["id"] !== undefined) return invalidRequest();
  if (item["jsonrpc"] !== "2.0" || typeof item["method"] !== "string") return invalidRequest();
  return { id, method: item["method"], params: item["params"] };
}

/** The id to answer with; undefined when there is none, or none that JSON-RPC allows. */
function idOf(item: unknown): Id | undefined {
  const id = isJsonObject(item) ? item["id"] : undefined;
  return typeof id === "string" || typeof id === "number" || id === null ? id : undefined;
}

function invalidRequest(message = "invalid request"): RpcError {
  return new RpcError(ERROR_CODES.invalidRequest, message);
}

function rateExceeded(): RpcError {
  return new RpcError(ERROR_CODES.limitExceeded, "rate limit exceeded");
}

function resultText(id: Id, json: string): string {
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${json}}`;
}

function errorText(id: Id, error: RpcError): string {
  const { code, message, data, contractStack } = error;
  const stack = contractStack === undefined ? undefined : [message, ...contractStack].join("\n    ");
  const body = { code, message, ...(data !== undefined && { data }), ...(stack !== undefined && { stack }) };
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"error":${JSON.stringify(body)}}`;
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
