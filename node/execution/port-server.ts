/** The execution thread's end of the port. See specs/node/execution.md#the-port. */
import type { ConsensusAnswer } from "../../rpc/chain-view.ts";
import type {
  AnswerMessage,
  ExecutionPort,
  ExecutionUpcalls,
  MessageChannelEnd,
  QuestionMessage,
  RequestMessage,
  ResponseMessage,
  UpcallMessage,
} from "./port.ts";
import { PortError } from "./port-error.ts";

/** Questions to consensus that may wait at once; more are told to come back. */
const QUESTIONS_LIMIT = 256;

/** Upcalls that become messages on `channel`. One per channel: it hears the answers to its questions. */
export function createUpcalls(channel: MessageChannelEnd): ExecutionUpcalls {
  const waiting = new Map<number, (answer: ConsensusAnswer) => void>();
  let nextId = 1;
  channel.on("message", (received) => {
    const message = received as AnswerMessage | RequestMessage;
    if (message.type !== "answer") return;
    waiting.get(message.id)?.(message.answer);
    waiting.delete(message.id);
  });
  return {
    publishTransactions: gatherPerTurn((raws: readonly Uint8Array[]) =>
      sendUpcall(channel, "publishTransactions", raws),
    ),
    traceGossip: (trace) => sendUpcall(channel, "traceGossip", trace),
    fatal: (message) => sendUpcall(channel, "fatal", message),
    ask(question) {
      if (waiting.size >= QUESTIONS_LIMIT)
        return Promise.resolve({ unavailable: "too many questions are waiting" });
      return new Promise((resolve) => {
        const id = nextId++;
        waiting.set(id, resolve);
        channel.postMessage({ type: "question", id, question } satisfies QuestionMessage);
      });
    },
  };
}

/** What is passed on while other requests that came in are looked at leaves as one list: a message costs more than a transaction. */
function gatherPerTurn<T>(send: (items: readonly T[]) => void): (items: readonly T[]) => void {
  let gathered: T[] = [];
  return (items) => {
    if (gathered.length === 0) {
      setImmediate(() => {
        const all = gathered;
        gathered = [];
        send(all);
      });
    }
    gathered.push(...items);
  };
}

function sendUpcall(channel: MessageChannelEnd, name: UpcallMessage["name"], argument: unknown): void {
  channel.postMessage({ type: "upcall", name, argument } satisfies UpcallMessage);
}

/**
 * Answers every request on `channel` by calling `service`. A call that throws is answered with a failure;
 * unless it threw a PortError this side is broken, and says so.
 */
export function serveExecution(channel: MessageChannelEnd, service: ExecutionPort): void {
  const fail = (id: number, error: unknown) => {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const detail = error instanceof PortError ? error.detail : undefined;
    channel.postMessage({ type: "failure", id, message, detail } satisfies ResponseMessage);
    if (detail === undefined) sendUpcall(channel, "fatal", message);
  };
  channel.on("message", (received) => {
    const { type, id, method, argument } = received as RequestMessage;
    if (type !== "request") return;
    const handle = service[method] as (argument: unknown) => Promise<unknown>;
    handle(argument).then(
      (result) => channel.postMessage({ type: "result", id, result } satisfies ResponseMessage),
      (error: unknown) => fail(id, error),
    );
  });
}
