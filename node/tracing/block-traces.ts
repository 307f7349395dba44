/** The life of each block in the consensus thread, seen from outside: what the engine hears and what it wishes. See specs/node/tracing.md#blocks. */
import { setBounded } from "../../consensus/bounded-map.ts";
import type { ChainContainers } from "../../consensus/chain-containers.ts";
import type { Effect, EngineEvent } from "../../consensus/engine-events.ts";
import type { Engine } from "../../consensus/engine-state.ts";
import { type Hash, toHex } from "../../primitives/bytes.ts";
import type { InOrder } from "../chain/in-order.ts";
import { type TraceContext, traceIdOf } from "./span.ts";
import type { OpenSpan, Tracer } from "./tracer.ts";

/** Blocks whose life goes on; the oldest is ended as unfinished. Without finality there are many. */
export const OPEN_BLOCKS_LIMIT = 256;

type BlockTrace = {
  readonly block: OpenSpan;
  /** Until the network has its verdict. */
  readonly gossip: OpenSpan | undefined;
  /** When the proposer's signature was found good: the state transition follows. */
  transitionFromMs: number | undefined;
  execution: OpenSpan | undefined;
  /** False for what was known already when it came. */
  isOnItsWay: boolean;
};

export type BlockTracesParts = {
  readonly tracer: Tracer;
  readonly engine: Pick<Engine, "jobs">;
  readonly containers: Pick<ChainContainers, "BeaconBlock">;
  readonly inOrder: Pick<InOrder, "settled">;
};

export class BlockTraces {
  readonly #parts: BlockTracesParts;
  readonly #traces = new Map<Hash, BlockTrace>();
  /** Blocks by the gossip message that brought them, until its verdict. */
  readonly #roots = new Map<string, Hash>();

  constructor(parts: BlockTracesParts) {
    this.#parts = parts;
  }

  /** Looks at an event before the engine gets it. */
  watched(event: EngineEvent): EngineEvent {
    if (event.type === "blockReceived") {
      const { block, origin } = event;
      const root = toHex(this.#parts.containers.BeaconBlock.hashTreeRoot(block.message));
      this.#begin(root, block.message.slot, origin.kind);
      if (origin.kind === "gossip") setBounded(this.#roots, origin.messageId, root, OPEN_BLOCKS_LIMIT);
    } else if (event.type === "signaturesVerified") {
      const trace = this.#ofJob(event.id, "proposerSignature");
      if (trace !== undefined) trace.transitionFromMs = this.#parts.tracer.nowMs();
    } else if (event.type === "payloadExecuted") {
      this.#ofJob(event.id)?.execution?.end({ attributes: { verdict: event.verdict } });
    }
    return event;
  }

  /** Carries out a wish by `perform`, and looks at it before and after. */
  watching(perform: (effect: Effect) => void): (effect: Effect) => void {
    return (effect) => {
      const span = this.#before(effect);
      const { trace, end } = span ?? {};
      // A payload's message says where the spans of its execution hang.
      const traced = trace === undefined ? effect : { ...effect, trace };
      perform(traced);
      end?.();
      this.#after(effect);
    };
  }

  /** Ends what is open. */
  close(): void {
    for (const [root, trace] of this.#traces) this.#end(root, trace, "the node stopped");
  }

  #before(effect: Effect): { readonly trace?: TraceContext; readonly end?: () => void } | undefined {
    switch (effect.type) {
      case "verifySignatures":
        return this.#verifying(effect.id, effect.sets.length);
      case "executePayload":
        return this.#executing(effect.id);
      case "publishBlock":
        this.#begin(effect.root, effect.block.message.slot, "own");
        return undefined;
      case "gossipVerdict": {
        const root = this.#roots.get(effect.messageId);
        this.#roots.delete(effect.messageId);
        const attributes = { verdict: effect.verdict };
        if (root !== undefined) this.#traces.get(root)?.gossip?.end({ attributes });
        return undefined;
      }
      case "storeBlock":
        return this.#queueing(effect.root, "commit");
      case "headChanged":
        return this.#queueing(effect.root, "head");
      default:
        return undefined;
    }
  }

  #after(effect: Effect): void {
    if (effect.type === "blockProcessed") {
      const trace = this.#traces.get(effect.root);
      const isKept =
        effect.outcome === "imported" || (effect.outcome === "known" && trace?.isOnItsWay === true);
      if (trace !== undefined && !isKept) this.#end(effect.root, trace, effect.reason);
    } else if (effect.type === "finalized") {
      for (const root of effect.canonicalRoots) this.#finalize(root);
      for (const root of effect.prunedRoots) {
        const trace = this.#traces.get(root);
        if (trace !== undefined) this.#end(root, trace, "abandoned");
      }
    }
  }

  #verifying(id: number, signatures: number) {
    const trace = this.#ofJob(id);
    if (trace === undefined) return undefined;
    trace.isOnItsWay = true;
    const span = this.#childOf(trace.block, "signatures");
    return { end: () => span.end({ attributes: { signatures } }) };
  }

  #executing(id: number) {
    const trace = this.#ofJob(id);
    if (trace === undefined) return undefined;
    const { tracer } = this.#parts;
    const { block, transitionFromMs } = trace;
    if (transitionFromMs !== undefined) {
      tracer.record("state transition", block.context, transitionFromMs, tracer.nowMs());
    }
    trace.execution = this.#childOf(block, "execution");
    return { trace: trace.execution.context };
  }

  /** What goes through the ordered queue ends when the queue has come so far. */
  #queueing(root: Hash, name: string) {
    const trace = this.#traces.get(root);
    if (trace === undefined) return undefined;
    const span = this.#childOf(trace.block, name);
    return { end: () => void this.#parts.inOrder.settled().then(() => span.end()) };
  }

  #begin(root: Hash, slot: number, origin: string): void {
    const traces = this.#traces;
    if (traces.has(root)) return;
    const attributes = { "block.root": root, "block.slot": slot, "block.origin": origin };
    const block = this.#parts.tracer.begin("block", { traceId: traceIdOf(root), attributes });
    const gossip = origin === "gossip" ? this.#childOf(block, "gossip validation") : undefined;
    const isOnItsWay = origin === "own";
    traces.set(root, { block, gossip, transitionFromMs: undefined, execution: undefined, isOnItsWay });
    for (const [oldest, trace] of traces) {
      if (traces.size <= OPEN_BLOCKS_LIMIT) break;
      this.#end(oldest, trace, "not final when its trace was given up");
    }
  }

  #finalize(root: Hash): void {
    const trace = this.#traces.get(root);
    if (trace === undefined) return;
    const { tracer } = this.#parts;
    const nowMs = tracer.nowMs();
    tracer.record("finalized", trace.block.context, nowMs, nowMs);
    this.#end(root, trace);
  }

  #end(root: Hash, { block, gossip, execution }: BlockTrace, error?: string): void {
    this.#traces.delete(root);
    gossip?.end();
    execution?.end();
    block.end({ error });
  }

  #childOf({ context }: OpenSpan, name: string): OpenSpan {
    const { traceId, spanId } = context;
    return this.#parts.tracer.begin(name, { traceId, parentSpanId: spanId });
  }

  #ofJob(id: number, kind?: string): BlockTrace | undefined {
    const job = this.#parts.engine.jobs.get(id);
    if (job === undefined || !("root" in job) || (kind !== undefined && job.kind !== kind)) return undefined;
    return this.#traces.get(job.root);
  }
}
