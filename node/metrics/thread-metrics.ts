/** What every thread tells about itself: event-loop lag, garbage collection, heap. See specs/node/metrics.md#threads. */
import { type IntervalHistogram, monitorEventLoopDelay, PerformanceObserver } from "node:perf_hooks";
import { getHeapStatistics } from "node:v8";
import { Gauge, Histogram, Registry } from "prom-client";

export type ThreadName = "consensus" | "execution" | "call" | `call-${number}`;

/** One metric with its values, as plain data that crosses threads. */
export type MetricReading = Awaited<ReturnType<Registry["getMetricsAsJSON"]>>[number];

/** How often the event-loop probe looks, in milliseconds: a lag shorter than this is not seen. */
const EVENT_LOOP_RESOLUTION_MS = 10;
const GC_BUCKETS_SECONDS = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1];
/** Of `performance.measure` entries of type gc (V8's GCType). */
const GC_KINDS: Readonly<Record<number, string>> = { 1: "minor", 4: "major", 8: "incremental", 16: "weak" };

/** A registry that holds what the calling thread tells about itself. */
export function createThreadRegistry(thread: ThreadName): Registry {
  const registry = new Registry();
  const registers = [registry];
  const readLag = createEventLoopProbe();
  new Gauge({
    name: "jurat_event_loop_lag_seconds",
    help: "Event-loop lag by thread and quantile since the last scrape.",
    labelNames: ["thread", "quantile"],
    registers,
    collect() {
      for (const [quantile, seconds] of Object.entries(readLag())) this.set({ thread, quantile }, seconds);
    },
  });
  new Gauge({
    name: "jurat_heap_used_bytes",
    help: "JavaScript heap in use, by thread.",
    labelNames: ["thread"],
    registers,
    collect() {
      this.set({ thread }, getHeapStatistics().used_heap_size);
    },
  });
  const pauses = new Histogram({
    name: "jurat_gc_pause_seconds",
    help: "Pauses of the garbage collector, by thread and kind.",
    labelNames: ["thread", "kind"],
    buckets: GC_BUCKETS_SECONDS,
    registers,
  });
  // There from the first scrape on, so that a rate over it is defined.
  for (const kind of Object.values(GC_KINDS)) pauses.zero({ thread, kind });
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { kind } = (entry as { readonly detail?: { readonly kind?: number } }).detail ?? {};
      pauses.observe({ thread, kind: GC_KINDS[kind ?? 0] ?? "other" }, entry.duration / 1000);
    }
  });
  observer.observe({ entryTypes: ["gc"] });
  return registry;
}

/** Lag since the last reading, in seconds; reading resets it. */
function createEventLoopProbe() {
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
