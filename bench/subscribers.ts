/** Many WebSocket clients in a process of their own, so that their memory is not the node's. Told by its parent what to do. */
import { WebSocket } from "ws";

const [url = "", count = "0"] = process.argv.slice(2);
let heads = 0;
let logs = 0;
let isSlowCut = false;

function subscribe(socket: WebSocket): void {
  const request = (id: number, params: readonly unknown[]) =>
    socket.send(JSON.stringify({ jsonrpc: "2.0", id, method: "eth_subscribe", params }));
  request(1, ["newHeads"]);
  request(2, ["logs", {}]);
  socket.on("message", (message) => {
    const text = String(message);
    if (!text.includes("eth_subscription")) return;
    if (text.includes('"parentHash"')) heads++;
    else logs++;
  });
}

/** Asks for all it can and reads nothing. */
function neglect(socket: WebSocket): void {
  const block = { jsonrpc: "2.0", id: 1, method: "eth_getBlockByNumber", params: ["0x0", true] };
  const batch = JSON.stringify(Array.from({ length: 900 }, () => block));
  socket.pause();
  const asking = setInterval(() => socket.readyState === socket.OPEN && socket.send(batch), 200);
  // A paused socket does not hear of its end: only writing to it does.
  socket.on("error", () => socket.terminate());
  socket.on("close", () => {
    isSlowCut = true;
    clearInterval(asking);
  });
}

for (let index = 0; index < Number(count); index++) {
  const socket = new WebSocket(url);
  socket.on("open", () => subscribe(socket));
  socket.on("error", () => process.exit(1));
}
const slow = new WebSocket(url);
slow.on("open", () => neglect(slow));

process.on("message", () => process.send?.({ heads, logs, isSlowCut }));
process.on("disconnect", () => process.exit(0));
