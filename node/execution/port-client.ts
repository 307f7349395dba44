/** The consensus thread's end of the execution port. See specs/node/execution.md#the-port. */
import type { TraceContext } from "../tracing/span.ts";
import type {
  AnswerMessage,
  ExecutionMethod,
  ExecutionPort,
  ExecutionUpcalls,
  MessageChannelEnd,
  QuestionMessage,
  RequestMessage,
  ResponseMessage,
  UpcallMessage,
} from "./port.ts";
import { EXECUTION_METHODS } from "./port.ts";
import { PortError } from "./port-error.ts";

type Waiting = {
  readonly method: ExecutionMethod;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
};

export type ExecutionClient = ExecutionPort & {
  /** Fails every call that waits and every later one: the other side is gone. */
  disconnect(reason: string): void;
  /** Calls without an answer. */
  waiting(): number;
};

/** Calls become messages on `channel`; upcalls arrive at `upcalls`. */
export function createExecutionClient(
  channel: MessageChannelEnd,
  upcalls: ExecutionUpcalls,
): ExecutionClient {
  const waiting = new Map<number, Waiting>();
  let nextId = 1;
  let closedReason: string | undefined;

  const call = (method: ExecutionMethod, argument: unknown): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (closedReason !== undefined) {
        reject(new PortError({ code: "PORT_CLOSED", reason: closedReason }));
        return;
      }
      const id = nextId++;
      waiting.set(id, { method, resolve, reject });
      channel.postMessage({ type: "request", id, method, argument } satisfies RequestMessage);
    });

  const answer = ({ id, question }: QuestionMessage) => {
    upcalls
      .ask(question)
      .catch((error: unknown) => ({ unavailable: String(error) }))
      .then((said) => channel.postMessage({ type: "answer", id, answer: said } satisfies AnswerMessage));
  };
  channel.on("message", (received) => {
    const message = received as ResponseMessage | UpcallMessage | QuestionMessage;
    if (message.type === "question") return answer(message);
    if (message.type === "upcall") {
      if (message.name === "fatal") upcalls.fatal(message.argument as string);
      else if (message.name === "traceGossip") upcalls.traceGossip(message.argument as TraceContext);
      else upcalls.publishTransactions(message.argument as readonly Uint8Array[]);
      return;
    }
    const waiter = waiting.get(message.id);
    if (waiter === undefined) return;
    waiting.delete(message.id);
    if (message.type === "result") waiter.resolve(message.result);
    else waiter.reject(failureOf(waiter.method, message));
  });

  const disconnect = (reason: string) => {
    closedReason ??= reason;
    for (const { reject } of waiting.values()) reject(new PortError({ code: "PORT_CLOSED", reason }));
    waiting.clear();
  };
  const methods = EXECUTION_METHODS.map((method) => [method, (argument?: unknown) => call(method, argument)]);
  return { ...(Object.fromEntries(methods) as ExecutionPort), disconnect, waiting: () => waiting.size };
}

function failureOf(
  method: ExecutionMethod,
  { message, detail }: Extract<ResponseMessage, { type: "failure" }>,
): PortError {
  if (detail !== undefined) return new PortError(detail);
  return new PortError({ code: "PORT_CALL_FAILED", method, reason: message });
}
