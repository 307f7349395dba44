/** One WebSocket connection: requests in, answers and notifications out, both bounded. See specs/rpc/server.md#websocket. */
import type { WebSocket } from "ws";
import type { Dispatcher } from "./dispatch.ts";
import type { RpcContext } from "./method.ts";
import type { RpcLimits } from "./rpc-limits.ts";
import type { SubscriptionHub } from "./subscriptions.ts";

export type SessionParts = {
  readonly dispatcher: Dispatcher;
  readonly hub: SubscriptionHub;
  readonly context: Omit<RpcContext, "subscriber">;
  readonly limits: RpcLimits;
};

/** Serves `socket` until it closes. Requests run side by side; answers carry their ids. */
export function serveWebSocket(socket: WebSocket, { dispatcher, hub, context, limits }: SessionParts): void {
  let inWork = 0;
  const subscriber = hub.connect(send);
  const session: RpcContext = { ...context, subscriber };

  /** A reader that does not keep up is cut: nothing grows in memory on its behalf. */
  function send(text: string): void {
    if (socket.readyState !== socket.OPEN) return;
    if (socket.bufferedAmount > limits.socketBufferBytes) socket.terminate();
    else socket.send(text);
  }

  async function serve(text: string): Promise<void> {
    inWork++;
    if (inWork >= limits.requestsPerConnection) socket.pause();
    try {
      const answer = await dispatcher.handle(text, session);
      if (answer !== undefined) send(answer);
      subscriber.release();
    } finally {
      inWork--;
      if (socket.isPaused) socket.resume();
    }
  }

  socket.on("message", (message) => void serve(String(message)));
  // An error is followed by close; what was wrong with the frame is the client's affair.
  socket.on("error", () => socket.terminate());
  socket.on("close", () => subscriber.close());
}
