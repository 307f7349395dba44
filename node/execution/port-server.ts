/** The execution thread's end of the port. See specs/node/execution.md#the-port. */
import type {
  ExecutionPort,
  ExecutionUpcalls,
  MessageChannelEnd,
  RequestMessage,
  ResponseMessage,
  UpcallMessage,
} from "./port.ts";
import { PortError } from "./port-error.ts";

/** Upcalls that become messages on `channel`. */
export function createUpcalls(channel: MessageChannelEnd): ExecutionUpcalls {
  const upcall = (name: UpcallMessage["name"], argument: unknown) =>
    channel.postMessage({ type: "upcall", name, argument } satisfies UpcallMessage);
  return {
    publishTransactions: (raws) => upcall("publishTransactions", raws),
    fatal: (message) => upcall("fatal", message),
  };
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
    if (detail === undefined) createUpcalls(channel).fatal(message);
  };
  channel.on("message", (received) => {
    const { id, method, argument } = received as RequestMessage;
    const handle = service[method] as (argument: unknown) => Promise<unknown>;
    handle(argument).then(
      (result) => channel.postMessage({ type: "result", id, result } satisfies ResponseMessage),
      (error: unknown) => fail(id, error),
    );
  });
}
