/** Prometheus metrics of both threads, on a port of their own. */
import { createServer, type Server } from "node:http";
import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks";
import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";

/** How often the event-loop probe looks, in milliseconds: a lag shorter than this is not seen. */
const EVENT_LOOP_RESOLUTION_MS = 10;

/** Lag of one thread's event loop since the last reading, in seconds. */
export type EventLoopLag = { readonly p50: number; readonly p99: number; readonly max: number };

/** By thread. */
export type EventLoopLags = Readonly<Record<string, EventLoopLag | undefined>>;

export type NodeMetrics = ReturnType<typeof createNodeMetrics>;

/** @param eventLoopLags asked at each scrape; a thread that does not answer is left out. */
export function createNodeMetrics(eventLoopLags: () => Promise<EventLoopLags>) {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: EVENT_LOOP_RESOLUTION_MS });
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers: [registry] });
  const counter = (name: string, help: string) => new Counter({ name, help, registers: [registry] });
  new Gauge({
    name: "jurat_event_loop_lag_seconds",
    help: "Event-loop lag by thread and quantile since the last scrape.",
    labelNames: ["thread", "quantile"],
    registers: [registry],
    async collect() {
      for (const [thread, lag] of Object.entries(await eventLoopLags())) {
        for (const [quantile, seconds] of Object.entries(lag ?? {})) this.set({ thread, quantile }, seconds);
      }
    },
  });
  return {
    registry,
    // The names of the Ethereum beacon-metrics standard, so that existing dashboards work.
    slot: gauge("beacon_slot", "Slot by the clock."),
    headSlot: gauge("beacon_head_slot", "Slot of the head block."),
    justifiedEpoch: gauge("beacon_current_justified_epoch", "Justified epoch of the fork choice."),
    finalizedEpoch: gauge("beacon_finalized_epoch", "Finalized epoch of the fork choice."),
    peers: gauge("libp2p_peers", "Connected peers."),
    finalityLagSlots: gauge("jurat_finality_lag_slots", "Slots between now and the finalized block."),
    localValidators: gauge("jurat_local_validators", "Validator keys this node holds."),
    blocksImported: counter("jurat_blocks_imported_total", "Blocks added to the fork choice."),
    blocksProposed: counter("jurat_blocks_proposed_total", "Blocks this node proposed."),
    attestationsSigned: counter("jurat_attestations_signed_total", "Votes this node signed."),
    signaturesRefused: counter(
      "jurat_signatures_refused_total",
      "Signatures the slashing protection refused.",
    ),
    peersPenalized: counter("jurat_peers_penalized_total", "Penalties given to peers."),
    pendingTransactions: gauge("jurat_pending_transactions", "Executable transactions in the pool."),
  };
}

/** A probe whose reading resets it. */
export function createEventLoopProbe(): () => EventLoopLag {
  const histogram: IntervalHistogram = monitorEventLoopDelay({ resolution: EVENT_LOOP_RESOLUTION_MS });
  histogram.enable();
  // The histogram counts the sampling interval itself; what exceeds it is lag.
  const seconds = (nanoseconds: number) =>
    Math.max(0, nanoseconds / 1e9 - EVENT_LOOP_RESOLUTION_MS / 1000) || 0;
  return () => {
    const lag = {
      p50: seconds(histogram.percentile(50)),
      p99: seconds(histogram.percentile(99)),
      max: seconds(histogram.max),
    };
    histogram.reset();
    return lag;
  };
}

/** Serves GET /metrics. Rejects when the port is in use. */
export function serveMetrics(registry: Registry, host: string, port: number): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.method !== "GET" || request.url !== "/metrics") {
      response.writeHead(404, { "content-type": "text/plain" }).end("try GET /metrics\n");
      return;
    }
    registry.metrics().then(
      (text) => response.writeHead(200, { "content-type": registry.contentType }).end(text),
      (error: unknown) => response.writeHead(500, { "content-type": "text/plain" }).end(`${error}\n`),
    );
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => resolve(server));
  });
}
