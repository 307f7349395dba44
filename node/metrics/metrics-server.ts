/** Serves the metrics of all threads to Prometheus, on a port of their own. See specs/node/metrics.md. */
import { createServer, type Server } from "node:http";
import { AggregatorRegistry, Registry } from "prom-client";
import type { MetricReading } from "./thread-metrics.ts";

/** Several threads' readings as one text: the same metric of two threads appears once, with the labels of both. */
export function renderMetrics(readings: readonly (readonly MetricReading[])[]): Promise<string> {
  return AggregatorRegistry.aggregate(readings.map((list) => [...list])).metrics();
}

/** Serves GET /metrics. Rejects when the port is in use. */
export function serveMetrics(
  read: () => Promise<readonly (readonly MetricReading[])[]>,
  host: string,
  port: number,
): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.method !== "GET" || request.url?.split("?", 1)[0] !== "/metrics") {
      response.writeHead(404, { "content-type": "text/plain" }).end("try GET /metrics\n");
      return;
    }
    read()
      .then(renderMetrics)
      .then(
        (text) => response.writeHead(200, { "content-type": Registry.PROMETHEUS_CONTENT_TYPE }).end(text),
        (error: unknown) => response.writeHead(500, { "content-type": "text/plain" }).end(`${error}\n`),
      );
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => resolve(server));
  });
}
