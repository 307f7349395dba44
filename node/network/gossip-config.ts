/** How gossipsub is set up, and why. See specs/network/gossip.md#mesh */
import { type GossipsubOpts, StrictNoSign } from "@chainsafe/libp2p-gossipsub";
import type { PeerId } from "./network-port.ts";

export const HEARTBEAT_MS = 700;
/** gossipsub refuses to send more than this in one message, whatever we set; the receiver may as well. */
export const MAX_WIRE_BYTES = 4 << 20;

const SCORE_INTERVAL_MS = 6000;

/** Everything but the codec, which belongs to the topics. */
export function gossipOptions(
  topics: readonly string[],
  scoreOf: (peer: PeerId) => number,
): Partial<GossipsubOpts> {
  return {
    // Who first sent a vote is nobody's business; what matters is signed inside.
    globalSignaturePolicy: StrictNoSign,
    // Ethereum's mesh (consensus-specs v1.5.0, phase0/p2p-interface.md, gossipsub parameters).
    D: 8,
    Dlo: 6,
    Dhi: 12,
    Dlazy: 6,
    heartbeatInterval: HEARTBEAT_MS,
    fanoutTTL: 60_000,
    mcacheLength: 6,
    mcacheGossip: 3,
    seenTTL: 550 * HEARTBEAT_MS,
    // Our own block goes to every peer at once, serialized once.
    floodPublish: true,
    batchPublish: true,
    emitSelf: false,
    // A first node has nobody to publish to yet, and may publish the same vote after a restart.
    allowPublishToZeroTopicPeers: true,
    ignoreDuplicatePublishError: true,
    fallbackToFloodsub: false,
    doPX: false,
    // Without the list a peer fills our memory with subscriptions to invented topics (CVE-2026-46679).
    allowedTopics: [...topics],
    maxInboundDataLength: MAX_WIRE_BYTES,
    maxOutboundBufferSize: 16 << 20,
    scoreParams: {
      topics: Object.fromEntries(topics.map((topic) => [topic, TOPIC_SCORE])),
      topicScoreCap: 50,
      // Our own score decides who is banned; here it makes the mesh prefer others in the meantime.
      appSpecificScore: scoreOf,
      appSpecificWeight: 1,
      // Validators behind one address are the normal case of a test network.
      IPColocationFactorWeight: 0,
      behaviourPenaltyThreshold: 6,
      behaviourPenaltyWeight: -15.92,
      behaviourPenaltyDecay: decay(100),
      decayInterval: SCORE_INTERVAL_MS,
      decayToZero: 0.01,
      retainScore: 600_000,
    },
    scoreThresholds: {
      gossipThreshold: -4000,
      publishThreshold: -8000,
      graylistThreshold: -16_000,
      acceptPXThreshold: 100,
      opportunisticGraftThreshold: 5,
    },
  };
}

/** Counters fall to a hundredth in `ticks` score intervals. */
function decay(ticks: number): number {
  return 0.01 ** (1 / ticks);
}

const TOPIC_SCORE = {
  topicWeight: 0.5,
  timeInMeshWeight: 0.033,
  timeInMeshQuantum: SCORE_INTERVAL_MS,
  timeInMeshCap: 300,
  firstMessageDeliveriesWeight: 1,
  firstMessageDeliveriesDecay: decay(100),
  firstMessageDeliveriesCap: 50,
  // Delivery rates depend on how many validators there are; peers are not blamed for a quiet network.
  meshMessageDeliveriesWeight: 0,
  meshMessageDeliveriesDecay: decay(100),
  meshMessageDeliveriesCap: 50,
  meshMessageDeliveriesThreshold: 10,
  meshMessageDeliveriesWindow: 2000,
  meshMessageDeliveriesActivation: 60_000,
  meshFailurePenaltyWeight: 0,
  meshFailurePenaltyDecay: decay(100),
  invalidMessageDeliveriesWeight: -99,
  invalidMessageDeliveriesDecay: decay(500),
};
