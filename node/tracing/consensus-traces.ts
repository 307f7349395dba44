/** Everything the consensus thread traces, when there is a collector. See specs/node/tracing.md. */
import type { Registry } from "prom-client";
import type { NodeConfig } from "../config.ts";
import { BlockTraces, type BlockTracesParts } from "./block-traces.ts";
import { createGossipTraces, type GossipTraces, instanceOf } from "./gossip-traces.ts";
import { openTracer } from "./tracer.ts";

export type ConsensusTraces = {
  readonly blocks: BlockTraces;
  readonly gossip: GossipTraces;
  /** Ends what is open and sends it. */
  close(): Promise<void>;
};

/** Undefined without --otlp. */
export function openConsensusTraces(
  config: NodeConfig,
  registry: Registry,
  parts: Omit<BlockTracesParts, "tracer">,
): ConsensusTraces | undefined {
  const tracer = openTracer(config.otlp, "consensus", instanceOf(config), registry);
  if (tracer === undefined) return undefined;
  const blocks = new BlockTraces({ tracer, ...parts });
  const close = () => {
    blocks.close();
    return tracer.close();
  };
  return { blocks, gossip: createGossipTraces(tracer), close };
}
