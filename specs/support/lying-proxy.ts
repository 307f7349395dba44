/** A server in front of a node that changes what the node said: what a reader of the explorer must be told of. */
import { createServer, request as httpRequest } from "node:http";
import { type AddressInfo, connect } from "node:net";
import type { Duplex } from "node:stream";

type JsonRpc = { readonly method: string; readonly params: unknown };

export type LyingProxy = {
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
};

/**
 * @param lie gets each JSON-RPC result and gives what is said instead.
 * @param port 0 takes a free one.
 */
export async function startLyingProxy(
  nodeUrl: string,
  lie: (request: JsonRpc, result: unknown) => unknown,
  port = 0,
): Promise<LyingProxy> {
  const node = new URL(nodeUrl);
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const body = Buffer.concat(chunks);
      const { "accept-encoding": _compressed, ...headers } = incoming.headers;
      const forwarded = httpRequest(
        { host: node.hostname, port: node.port, path: incoming.url, method: incoming.method, headers },
        (answer) => {
          const parts: Buffer[] = [];
          answer.on("data", (part: Buffer) => parts.push(part));
          answer.on("end", () => {
            const said = Buffer.concat(parts);
            const told = incoming.method === "POST" ? tell(body, said, lie) : said;
            outgoing.writeHead(answer.statusCode ?? 502, {
              ...answer.headers,
              "content-length": told.length,
            });
            outgoing.end(told);
          });
        },
      );
      forwarded.on("error", () => outgoing.writeHead(502).end());
      forwarded.end(body);
    });
  });
  const upgraded = new Set<Duplex>();
  server.on("upgrade", (incoming, socket, head) => {
    upgraded.add(socket);
    const upstream = connect(Number(node.port), node.hostname, () => {
      const lines = Object.entries(incoming.headers).map(([name, value]) => `${name}: ${String(value)}`);
      upstream.write(`GET ${incoming.url} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
      upstream.write(head);
      upstream.pipe(socket).pipe(upstream);
    });
    const destroyBoth = () => {
      upstream.destroy();
      socket.destroy();
    };
    upstream.on("error", destroyBoth);
    socket.on("error", destroyBoth);
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const bound = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${bound.port}`,
    port: bound.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
        for (const socket of upgraded) socket.destroy();
      }),
  };
}

function tell(body: Buffer, said: Buffer, lie: (request: JsonRpc, result: unknown) => unknown): Buffer {
  const request = JSON.parse(body.toString("utf8")) as JsonRpc;
  const answer = JSON.parse(said.toString("utf8")) as { result?: unknown };
  if (answer.result === undefined) return said;
  return Buffer.from(JSON.stringify({ ...answer, result: lie(request, answer.result) }));
}
