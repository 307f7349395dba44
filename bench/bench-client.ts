/** JSON-RPC over node:http with kept connections: fetch would cost more than what is measured. */
import { Agent, request } from "node:http";

export type BenchClient = { call<T>(method: string, params: readonly unknown[]): Promise<T>; close(): void };

/** @throws Error, from `call`, with the node's text when it answers with an error. */
export function createBenchClient(url: string, connections: number): BenchClient {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const headers = { "content-type": "application/json" };
  return {
    close: () => agent.destroy(),
    call: <T>(method: string, params: readonly unknown[]) =>
      new Promise<T>((resolve, reject) => {
        const message = request(url, { method: "POST", agent, headers }, (response) => {
          let body = "";
          response.setEncoding("utf8");
          response.on("data", (chunk: string) => {
            body += chunk;
          });
          response.on("end", () => {
            const answer = JSON.parse(body) as { result: T; error?: { message: string } };
            if (answer.error === undefined) resolve(answer.result);
            else reject(new Error(`${method}: ${answer.error.message}`));
          });
        });
        message.on("error", reject);
        message.end(JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }));
      }),
  };
}
