/** Gossip and requests, counted: what came, what became of it, and why. See specs/node/metrics.md#network. */
import { Counter, type Registry } from "prom-client";
import type { NetworkMetrics } from "../network/network-port.ts";

export function networkInstruments(registry: Registry) {
  const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[]) =>
    new Counter({ name, help, labelNames: [...labelNames], registers: [registry] });
  const received = counter("jurat_gossip_received_total", "New gossip messages by topic.", ["topic"]);
  const receivedBytes = counter("jurat_gossip_received_bytes_total", "Their uncompressed bytes.", ["topic"]);
  const published = counter("jurat_gossip_published_total", "Messages this node published.", ["topic"]);
  const settled = counter("jurat_gossip_settled_total", "Gossip messages by topic and verdict.", [
    "topic",
    "verdict",
  ]);
  const dropped = counter(
    "jurat_gossip_dropped_total",
    "Gossip messages that were not accepted, by reason.",
    ["reason"],
  );
  const served = counter("jurat_requests_served_total", "Requests of peers by protocol and how they ended.", [
    "protocol",
    "outcome",
  ]);
  const penalties = counter("jurat_peer_penalties_total", "Penalties given to peers, by fault.", ["fault"]);
  const bans = counter("jurat_peer_bans_total", "Peers and addresses sent away for a while.", ["who"]);
  const port: NetworkMetrics = {
    gossipReceived(topic, bytes) {
      received.inc({ topic });
      receivedBytes.inc({ topic }, bytes);
    },
    gossipSettled: (topic, verdict) => settled.inc({ topic, verdict }),
    gossipPublished: (topic) => published.inc({ topic }),
    gossipRefused: (_topic, reason) => dropped.inc({ reason }),
    requestServed: (protocol, outcome) => served.inc({ protocol, outcome }),
    peerPenalized: (reason) => penalties.inc({ fault: reason }),
    banned: (who) => bans.inc({ who }),
  };
  return {
    port,
    /** @param reason a stable code of the engine. */
    onNotAccepted: (reason: string): void => dropped.inc({ reason }),
  };
}
