/** What the consensus thread counts: the chain, duties, gossip, requests, queues. See specs/node/metrics.md. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, type Registry } from "prom-client";
import { chainInstruments } from "./chain-metrics.ts";
import { databaseInstruments } from "./database-metrics.ts";
import { networkInstruments } from "./network-metrics.ts";
import { createThreadRegistry } from "./thread-metrics.ts";

export type NodeMetrics = ReturnType<typeof createNodeMetrics>;

/** From a fraction of a signature to a slot and more. */
const VERIFICATION_BUCKETS_SECONDS = [0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.25, 1];

export function createNodeMetrics() {
  const registry = createThreadRegistry("consensus");
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    ...chainInstruments(registry),
    ...dutyInstruments(registry),
    ...queueInstruments(registry),
    network: networkInstruments(registry),
    database: databaseInstruments(registry),
  };
}

function dutyInstruments(registry: Registry) {
  const registers = [registry];
  const counter = (name: string, help: string) => new Counter({ name, help, registers });
  return {
    localValidators: new Gauge({
      name: "jurat_local_validators",
      help: "Validator keys this node holds that are registered.",
      registers,
    }),
    blocksImported: counter("jurat_blocks_imported_total", "Blocks added to the fork choice."),
    blocksProposed: counter("jurat_blocks_proposed_total", "Blocks this node proposed."),
    proposalsFailed: new Counter({
      name: "jurat_proposals_failed_total",
      help: "Slots left empty on our account, by reason.",
      labelNames: ["reason"],
      registers,
    }),
    attestationsSigned: counter("jurat_attestations_signed_total", "Votes this node signed."),
    signaturesRefused: counter(
      "jurat_signatures_refused_total",
      "Signatures the slashing protection refused.",
    ),
    remoteSignatures: new Counter({
      name: "jurat_remote_signatures_total",
      help: "Answers of signers elsewhere, by result.",
      labelNames: ["result"],
      registers,
    }),
    slashingsSeen: counter("jurat_slashings_seen_total", "Pairs of conflicting messages seen."),
    verification: new Histogram({
      name: "jurat_bls_verification_seconds",
      help: "From the wish to check a list of signatures to its answer, by urgency.",
      labelNames: ["urgency"],
      buckets: VERIFICATION_BUCKETS_SECONDS,
      registers,
    }),
    signatureSets: new Counter({
      name: "jurat_bls_signature_sets_total",
      help: "Signatures checked, by result.",
      labelNames: ["result"],
      registers,
    }),
    payloadWait: new Histogram({
      name: "jurat_payload_wait_seconds",
      help: "What the consensus side waits for the execution side, by what it asked.",
      labelNames: ["method"],
      buckets: VERIFICATION_BUCKETS_SECONDS,
      registers,
    }),
  };
}

function queueInstruments(registry: Registry) {
  const registers = [registry];
  const lengths = new Map<string, () => number>();
  new Gauge({
    name: "jurat_queue_length",
    help: "What waits, by queue.",
    labelNames: ["queue"],
    registers,
    collect() {
      for (const [queue, length] of lengths) this.set({ queue }, length());
    },
  });
  return {
    /** `length` is asked at each reading. */
    watchQueue: (queue: string, length: () => number): void => void lengths.set(queue, length),
  };
}
