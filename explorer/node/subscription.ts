/** A WebSocket to the node that comes back by itself. What it brings is handed on; it keeps nothing. */
import { NODE_URL } from "./json-rpc.ts";

export type LinkState = "connecting" | "live" | "lost";

export type LinkHandlers = {
  onState(state: LinkState): void;
  /** One notification of the subscription of that name. */
  onMessage(subscription: string, result: unknown): void;
};

const RETRY_FIRST_MS = 500;
const RETRY_LONGEST_MS = 10_000;
/** Without a word for so long the connection is dead, whatever the browser thinks. */
const SILENCE_MS = 60_000;

/** Subscribes to `names` and stays subscribed. @returns the function that ends it. */
export function followNode(names: readonly string[], handlers: LinkHandlers): () => void {
  let socket: WebSocket | undefined;
  let retryMs = RETRY_FIRST_MS;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isEnded = false;

  function watchSilence(): void {
    clearTimeout(timer);
    timer = setTimeout(() => socket?.close(), SILENCE_MS);
  }

  function open(): void {
    handlers.onState("connecting");
    const nameOf = new Map<string, string>();
    socket = new WebSocket(NODE_URL.replace(/^http/, "ws"));
    socket.onopen = () => {
      for (const [index, name] of names.entries()) {
        socket?.send(JSON.stringify({ jsonrpc: "2.0", id: index, method: "eth_subscribe", params: [name] }));
      }
      watchSilence();
    };
    socket.onmessage = ({ data }) => {
      watchSilence();
      const message = JSON.parse(String(data)) as {
        id?: number;
        result?: string;
        params?: { subscription: string; result: unknown };
      };
      if (message.params !== undefined) {
        const name = nameOf.get(message.params.subscription);
        if (name !== undefined) handlers.onMessage(name, message.params.result);
        return;
      }
      const name = names[message.id ?? -1];
      if (name !== undefined && message.result !== undefined) nameOf.set(message.result, name);
      if (nameOf.size === names.length) {
        retryMs = RETRY_FIRST_MS;
        handlers.onState("live");
      }
    };
    socket.onclose = () => {
      clearTimeout(timer);
      if (isEnded) return;
      handlers.onState("lost");
      timer = setTimeout(open, retryMs);
      retryMs = Math.min(retryMs * 2, RETRY_LONGEST_MS);
    };
  }

  open();
  return () => {
    isEnded = true;
    clearTimeout(timer);
    socket?.close();
  };
}
