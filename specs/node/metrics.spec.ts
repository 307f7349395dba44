import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Counter, Registry } from "prom-client";
import { chainInstruments } from "../../node/metrics/chain-metrics.ts";
import { renderMetrics } from "../../node/metrics/metrics-server.ts";
import { timedDatabase, type WriteKind } from "../../node/metrics/timed-database.ts";
import { ZERO_HASH } from "../../primitives/bytes.ts";
import { alertRules, prometheusInstalled, promtool } from "../support/prometheus.ts";
import { withScratchDatabase } from "../support/scratch-database.ts";
import { PROJECT_ROOT } from "../support/vectors.ts";

const readingOf = async (registry: Registry) => registry.getMetricsAsJSON();

describe("metrics: threads", () => {
  it("become one text, in which a metric of two threads appears once", async () => {
    const ofThread = (thread: string, count: number) => {
      const registry = new Registry();
      const labelNames = ["thread"];
      new Counter({ name: "pauses_total", help: "Pauses.", labelNames, registers: [registry] }).inc(
        { thread },
        count,
      );
      return readingOf(registry);
    };
    equal(
      await renderMetrics([await ofThread("consensus", 2), await ofThread("execution", 3)]),
      "# HELP pauses_total Pauses.\n# TYPE pauses_total counter\n" +
        'pauses_total{thread="consensus"} 2\npauses_total{thread="execution"} 3\n',
    );
  });
});

describe("metrics: chain", () => {
  const slot = {
    ...{ slot: 12, headSlot: 11, headRoot: ZERO_HASH, justifiedEpoch: 10, finalizedEpoch: 9 },
    ...{ finalizedSlot: 9, finalityLagSlots: 3, isSynced: true, blockArrivalMs: 40 },
    ...{ votes: 3, localVotes: 1, voters: 4, activeValidators: 4, treeBlocks: 4, keptStates: 4, peers: 3 },
  } as const;

  const told = async (use: (chain: ReturnType<typeof chainInstruments>) => void) => {
    const registry = new Registry();
    use(chainInstruments(registry));
    const text = await registry.metrics();
    return (name: string) =>
      Number(
        text
          .split("\n")
          .find((line) => line.startsWith(`${name} `))
          ?.split(" ")[1],
      );
  };

  it("have the names all consensus clients agreed on", async () => {
    const value = await told((chain) => {
      chain.onSlot({ ...slot, justifiedEpoch: 7 });
      chain.onSlot(slot);
    });
    const interop = {
      beacon_head_slot: 11,
      beacon_finalized_epoch: 9,
      beacon_current_justified_epoch: 10,
      beacon_previous_justified_epoch: 7,
      beacon_current_active_validators: 4,
      libp2p_peers: 3,
    };
    deepEqual(Object.fromEntries(Object.keys(interop).map((name) => [name, value(name)])), interop);
  });

  it("tell the share of the voters that was heard, and slots without a block", async () => {
    const value = await told((chain) => {
      chain.onSlot(slot);
      chain.onSlot({ ...slot, slot: 13, blockArrivalMs: undefined });
      chain.onSlot({ ...slot, slot: 14, blockArrivalMs: undefined, isSynced: false });
    });
    equal(value("jurat_participation_ratio"), 0.75);
    equal(value("jurat_slots_without_block_total"), 1);
    equal(value("jurat_block_delay_seconds_count"), 1);
  });

  it("count the first head of a slot only", async () => {
    const value = await told((chain) => {
      chain.onHead(5, 80);
      chain.onHead(5, 300);
      chain.onHead(4, 900);
    });
    equal(value("jurat_head_delay_seconds_count"), 1);
    equal(value("jurat_head_delay_seconds_sum"), 0.08);
  });
});

describe("metrics: database", () => {
  it("time each write once, also one that fails, and none inside another", () =>
    withScratchDatabase("execution", async (database) => {
      const seen: WriteKind[] = [];
      const timed = timedDatabase(database, (kind, seconds) => {
        ok(seconds >= 0);
        seen.push(kind);
      });
      const table = timed.table("things");
      const put = (byte: number) => table.put(Uint8Array.of(byte), Uint8Array.of(byte));
      timed.write(() => timed.write(() => put(1)));
      await timed.commit(() => timed.write(() => put(2)));
      throws(
        () =>
          timed.write(() => {
            put(3);
            throw new Error("stop");
          }),
        /stop/,
      );
      deepEqual(seen, ["write", "commit", "write"]);
      deepEqual(table.get(Uint8Array.of(2)), Uint8Array.of(2));
      equal(table.get(Uint8Array.of(3)), undefined);
    }));
});

describe("alert rules", () => {
  it("are rules to promtool, and each fires on a node that is ill and none on one that is well", function () {
    prometheusInstalled(this);
    match(
      promtool("check", "rules", "alerts.yml"),
      new RegExp(`SUCCESS: ${alertRules().length} rules found`),
    );
    match(promtool("check", "config", "prometheus.yml"), /is valid prometheus config file syntax/);
    match(promtool("test", "rules", "alerts.test.yml"), /SUCCESS/);
    const tests = readFileSync(join(PROJECT_ROOT, "deploy/prometheus/alerts.test.yml"), "utf8");
    ok(tests.includes(`value: ${alertRules().length} }`), "the test counts every rule");
  });
});
