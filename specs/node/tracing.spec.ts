import { deepEqual, equal, ok } from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { z } from "zod";
import { createChain } from "../../node/chain/chain.ts";
import { BlockTraces, OPEN_BLOCKS_LIMIT } from "../../node/tracing/block-traces.ts";
import { encodeOtlp } from "../../node/tracing/otlp-json.ts";
import type { Span } from "../../node/tracing/span.ts";
import { createSpanExporter, QUEUE_LIMIT } from "../../node/tracing/span-exporter.ts";
import { createTracer } from "../../node/tracing/tracer.ts";
import { fromHex, type Hash, toHex } from "../../primitives/bytes.ts";
import { deriveDevAccounts } from "../../primitives/dev-accounts.ts";
import { signTransaction } from "../../vm/transaction-signature.ts";
import {
  createWorkbench,
  FROM_GOSSIP,
  makeBlock,
  settle,
  startEngine,
  tick,
  votedChain,
} from "../support/lone-engine.ts";
import { startSingleNode } from "../support/single-node.ts";

/** Fields of opentelemetry-proto v1.5.0 (trace.proto, resource.proto, common.proto) in the JSON mapping of OTLP; no others. */
const hex = (digits: number) => z.string().regex(new RegExp(`^[0-9a-f]{${digits}}$`));
const nanos = z.string().regex(/^\d{19}$/);
const keyValue = z.strictObject({
  key: z.string().min(1),
  value: z.union([
    z.strictObject({ stringValue: z.string() }),
    z.strictObject({ boolValue: z.boolean() }),
    z.strictObject({ intValue: z.string().regex(/^-?\d+$/) }),
    z.strictObject({ doubleValue: z.number() }),
  ]),
});
const otlpSpan = z.strictObject({
  traceId: hex(32),
  spanId: hex(16),
  parentSpanId: hex(16).optional(),
  name: z.string().min(1),
  kind: z.literal(1),
  startTimeUnixNano: nanos,
  endTimeUnixNano: nanos,
  attributes: z.array(keyValue),
  status: z.strictObject({ code: z.literal(2).optional(), message: z.string().optional() }),
});
const exportRequest = z.strictObject({
  resourceSpans: z.array(
    z.strictObject({
      resource: z.strictObject({ attributes: z.array(keyValue) }),
      scopeSpans: z.array(
        z.strictObject({
          scope: z.strictObject({ name: z.string(), version: z.string() }),
          spans: z.array(otlpSpan),
        }),
      ),
    }),
  ),
});
type OtlpSpan = z.infer<typeof otlpSpan> & { readonly thread: string };

/** A collector: keeps what it is sent, if it is right to the letter. */
class Collector {
  readonly spans: OtlpSpan[] = [];
  readonly faults: string[] = [];
  requests = 0;
  readonly #server: Server;
  #wake: () => void = () => undefined;

  constructor(status = 200, isSilent = false) {
    this.#server = createServer((request, response) => {
      let body = "";
      request.on("data", (chunk: Buffer) => {
        body += chunk;
      });
      request.on("end", () => {
        this.requests++;
        this.#take(`${request.method} ${request.url} ${request.headers["content-type"]}`, body);
        if (!isSilent) response.writeHead(status, { "content-type": "application/json" }).end("{}");
      });
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Resolves at the first moment at which `find` finds something. */
  async until<T>(find: () => T | undefined): Promise<T> {
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #take(head: string, body: string): void {
    if (head !== "POST /v1/traces application/json") this.faults.push(head);
    const parsed = exportRequest.safeParse(JSON.parse(body));
    if (!parsed.success) this.faults.push(parsed.error.message);
    for (const { resource, scopeSpans } of parsed.data?.resourceSpans ?? []) {
      const thread = resource.attributes.find(({ key }) => key === "thread.name")?.value;
      const name = thread !== undefined && "stringValue" in thread ? thread.stringValue : "";
      for (const { spans } of scopeSpans)
        this.spans.push(...spans.map((span) => ({ ...span, thread: name })));
    }
    this.#wake();
  }
}

const SPAN: Span = {
  ...{ traceId: "0123456789abcdef0123456789abcdef", spanId: "00000000000000a1", parentSpanId: undefined },
  ...{ name: "block", startMs: 1_800_000_000_000.25, endMs: 1_800_000_000_001 },
  ...{ attributes: { "block.slot": 7, "block.origin": "gossip", ratio: 0.5, late: true }, error: "refused" },
};
const RESOURCE = { version: "1", instance: "127.0.0.1:8545", thread: "consensus" };

describe("traces on the wire", () => {
  it("are OTLP's JSON: ids in hex, times and integers as decimal strings, enums as numbers", () => {
    const encoded = encodeOtlp([SPAN], RESOURCE);
    equal(exportRequest.safeParse(encoded).error, undefined);
    deepEqual((encoded as z.infer<typeof exportRequest>).resourceSpans[0]?.scopeSpans[0]?.spans[0], {
      ...{ traceId: "0123456789abcdef0123456789abcdef", spanId: "00000000000000a1" },
      ...{ name: "block", kind: 1 },
      ...{ startTimeUnixNano: "1800000000000250000", endTimeUnixNano: "1800000000001000000" },
      attributes: [
        { key: "block.slot", value: { intValue: "7" } },
        { key: "block.origin", value: { stringValue: "gossip" } },
        { key: "ratio", value: { doubleValue: 0.5 } },
        { key: "late", value: { boolValue: true } },
      ],
      status: { code: 2, message: "refused" },
    });
  });

  it("go to the collector in batches, and at the end all that wait", async () => {
    const collector = new Collector();
    const outcomes: string[] = [];
    const exporter = createSpanExporter({
      ...{ url: `${await collector.listen()}/`, resource: RESOURCE },
      onOutcome: (outcome, spans) => outcomes.push(`${outcome} ${spans}`),
    });
    for (let index = 0; index < 3; index++) exporter.add(SPAN);
    await exporter.close();
    collector.close();
    deepEqual([collector.spans.length, collector.requests, collector.faults], [3, 1, []]);
    deepEqual(outcomes, ["exported 3"]);
  });

  it("are dropped and counted when the collector is slow, and lost when it says no", async () => {
    const slow = new Collector(200, true);
    const counts = { exported: 0, dropped: 0, refused: 0 };
    const onOutcome = (outcome: keyof typeof counts, spans: number) => {
      counts[outcome] += spans;
    };
    const hanging = createSpanExporter({ url: await slow.listen(), resource: RESOURCE, onOutcome });
    // One batch is on its way and never answered; a queue's worth waits; the rest has no room.
    const batch = 512;
    for (let index = 0; index < batch + QUEUE_LIMIT + 5; index++) hanging.add(SPAN);
    deepEqual(counts, { exported: 0, dropped: 5, refused: 0 });
    slow.close();

    const unwilling = new Collector(503);
    const refused = createSpanExporter({ url: await unwilling.listen(), resource: RESOURCE, onOutcome });
    refused.add(SPAN);
    await refused.close();
    unwilling.close();
    equal(counts.refused >= 1, true);
  });
});

describe("the trace of a block", () => {
  /** An engine that gets blocks by gossip, and its spans. */
  function traced() {
    const bench = createWorkbench(4);
    const engine = startEngine(bench);
    const spans: Span[] = [];
    const tracer = createTracer(
      (span) => void spans.push(span),
      async () => undefined,
    );
    const inOrder = { settled: async () => undefined };
    const traces = new BlockTraces({ tracer, engine, containers: engine.chain.containers, inOrder });
    const chain = createChain(engine);
    const submit: typeof chain.submit = (event) => chain.submit(traces.watched(event));
    const perform = traces.watching((effect) => {
      if (effect.type !== "verifySignatures" && effect.type !== "executePayload") return;
      const sets = effect.type === "verifySignatures" ? effect.sets.map(() => true) : [];
      submit(
        effect.type === "verifySignatures"
          ? { type: "signaturesVerified", id: effect.id, valid: sets }
          : { type: "payloadExecuted", id: effect.id, verdict: "valid" },
      );
    });
    chain.start(perform);
    return { bench, engine, spans, traces, submit };
  }

  it("has a span for each step, under the block, in a trace named by its root", async () => {
    const { bench, engine, spans, submit } = traced();
    const first = makeBlock(bench, bench.genesis, 1);
    const blocks = votedChain(bench, [first], 5);
    for (const { signed } of blocks) {
      settle(engine, tick(engine, signed.message.slot));
      submit({ type: "blockReceived", block: signed, arrivalMs: engine.nowMs, origin: { ...FROM_GOSSIP } });
    }
    await new Promise((resolve) => setImmediate(resolve));
    const root: Hash = blocks[0]!.root;
    const own = spans.filter(({ traceId }) => traceId === root.slice(2, 34));
    const names = own.map(({ name }) => name).sort();
    deepEqual(names, [
      "block",
      "commit",
      "execution",
      "finalized",
      "gossip validation",
      "head",
      "signatures",
      "signatures",
      "state transition",
    ]);
    const block = own.find(({ name }) => name === "block")!;
    ok(own.every(({ name, parentSpanId }) => name === "block" || parentSpanId === block.spanId));
    deepEqual(block.attributes, { "block.root": root, "block.slot": 1, "block.origin": "gossip" });
    equal(block.error, undefined);
    ok(own.every(({ startMs, endMs }) => startMs >= block.startMs && endMs >= startMs));
  });

  it("ends with the reason of a refusal, and is given up when too many are open", () => {
    const { bench, engine, spans, traces, submit } = traced();
    const first = makeBlock(bench, bench.genesis, 1);
    settle(engine, tick(engine, 1));
    const wrong = { ...first.signed, message: { ...first.signed.message, stateRoot: new Uint8Array(32) } };
    submit({ type: "blockReceived", block: wrong, arrivalMs: engine.nowMs, origin: { ...FROM_GOSSIP } });
    deepEqual(
      spans.filter(({ name }) => name === "block").map(({ error }) => error),
      ["BLOCK_STATE_ROOT_MISMATCH"],
    );
    spans.length = 0;
    // Blocks of a later slot wait: their traces stay open up to the limit.
    for (let index = 0; index <= OPEN_BLOCKS_LIMIT; index++) {
      const graffiti = new Uint8Array(32).fill(index & 255);
      const slot = 2 + (index >> 8);
      const message = { ...wrong.message, slot, body: { ...wrong.message.body, graffiti } };
      traces.watched({
        ...{ type: "blockReceived", block: { ...wrong, message }, arrivalMs: 0, origin: { ...FROM_GOSSIP } },
      });
    }
    deepEqual(
      spans.filter(({ name }) => name === "block").map(({ error }) => error),
      ["not final when its trace was given up"],
    );
  });
});

describe("a node with --otlp", function () {
  this.timeout(90_000);

  it("traces a transaction and its block across threads, until they are final", async () => {
    const collector = new Collector();
    const node = await startSingleNode({ flags: ["--otlp", await collector.listen()] });
    try {
      const [account] = deriveDevAccounts();
      const { raw, hash } = signTransaction(
        {
          ...{ type: 2, chainId: BigInt(node.chainId), nonce: 0n, gasLimit: 21_000n, value: 1n },
          ...{ to: account!.address, data: new Uint8Array(), accessList: [] },
          ...{ maxFeePerGas: 10n ** 11n, maxPriorityFeePerGas: 10n ** 9n },
        },
        fromHex(account!.privateKey),
      );
      const params = [toHex(raw)];
      const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_sendRawTransaction", params });
      const headers = { "content-type": "application/json" };
      const answer = await fetch(node.url, { method: "POST", headers, body });
      equal(((await answer.json()) as { result: string }).result, hash);

      const of = (traceId: string) => collector.spans.filter((span) => span.traceId === traceId);
      const named = (spans: readonly OtlpSpan[], name: string) => spans.find((span) => span.name === name);
      const traceId = hash.slice(2, 34);
      const transaction = await collector.until(() => named(of(traceId), "transaction"));
      const names = of(traceId).map(({ name, thread }) => `${name} (${thread})`);
      deepEqual(names.sort(), [
        "final (execution)",
        "gossip (consensus)",
        "included (execution)",
        "journal (execution)",
        "pool (execution)",
        "transaction (execution)",
      ]);
      ok(of(traceId).every((span) => span === transaction || span.parentSpanId === transaction.spanId));

      const inner = await collector.until(() => named(collector.spans, "execute payload"));
      const outer = await collector.until(() =>
        of(inner.traceId).find(({ spanId }) => spanId === inner.parentSpanId),
      );
      deepEqual([inner.thread, outer.name, outer.thread], ["execution", "execution", "consensus"]);
      await collector.until(() => named(of(inner.traceId), "finalized"));
      deepEqual(collector.faults, []);
    } finally {
      await node.stop();
      collector.close();
    }
  });
});
