/** Gossip: topics in, verdicts out. See specs/network/gossip.md */
import { type GossipSub, type Message, TopicValidatorResult } from "@chainsafe/libp2p-gossipsub";
import type { GossipCodec } from "./gossip-codec.ts";
import {
  GOSSIP_TOPICS,
  type GossipTopic,
  limitBytesOf,
  SHARED_TOPICS,
  SUBNET_TOPICS,
  topicName,
} from "./gossip-topics.ts";
import { NetworkError } from "./network-error.ts";
import type { NetworkHandlers, NetworkMetrics, PeerId, Verdict } from "./network-port.ts";
import type { PenaltyReason } from "./peer-score.ts";
import { PendingVerdicts, type VerdictLimits } from "./pending-verdicts.ts";

/** What gossipsub's class offers beyond its published interface. */
export interface MeshView {
  getMeshPeers(topic: string): string[];
}

export interface GossipOptions {
  readonly pubsub: GossipSub & MeshView;
  readonly codec: GossipCodec;
  readonly forkDigest: Uint8Array;
  /** Subnets listened to whatever our validators do, so that votes find their way. */
  readonly keptSubnets: readonly number[];
  readonly verdictLimits: VerdictLimits | undefined;
  readonly nowMs: () => number;
  readonly handlers: Pick<NetworkHandlers, "onGossip">;
  readonly metrics: NetworkMetrics;
  readonly penalize: (peer: PeerId, reason: PenaltyReason) => void;
}

/** Uncompressed limits by topic string, as the codec wants them. */
export function topicLimits(forkDigest: Uint8Array): Map<string, number> {
  return new Map(GOSSIP_TOPICS.map((topic) => [topicName(topic, forkDigest), limitBytesOf(topic)]));
}

const RESULT = {
  accept: TopicValidatorResult.Accept,
  ignore: TopicValidatorResult.Ignore,
  reject: TopicValidatorResult.Reject,
} as const;

export class Gossip {
  readonly #options: GossipOptions;
  readonly #pending: PendingVerdicts;
  readonly #subnets = new Set<GossipTopic>();

  constructor(options: GossipOptions) {
    this.#options = options;
    this.#pending = new PendingVerdicts(options.verdictLimits);
  }

  /** Subscribes to the topics all nodes share, and to the subnets this one keeps. gossipsub must be running. */
  start(): void {
    const { pubsub, forkDigest } = this.#options;
    for (const topic of GOSSIP_TOPICS) {
      pubsub.topicValidators.set(topicName(topic, forkDigest), (peer, message) =>
        this.#validate(topic, peer.toString(), message),
      );
    }
    for (const topic of SHARED_TOPICS) pubsub.subscribe(topicName(topic, forkDigest));
    this.setSubnets([]);
  }

  /** Listens to these subnets and the kept ones, and to no others. */
  setSubnets(subnets: readonly number[]): void {
    const { pubsub, forkDigest, keptSubnets } = this.#options;
    const wanted = new Set(
      [...keptSubnets, ...subnets].flatMap((subnet): readonly GossipTopic[] =>
        SUBNET_TOPICS.slice(subnet, subnet + 1),
      ),
    );
    for (const topic of this.#subnets)
      if (!wanted.has(topic)) pubsub.unsubscribe(topicName(topic, forkDigest));
    for (const topic of wanted) if (!this.#subnets.has(topic)) pubsub.subscribe(topicName(topic, forkDigest));
    this.#subnets.clear();
    for (const topic of wanted) this.#subnets.add(topic);
  }

  /** Lets the messages go whose time is over. */
  expire(): void {
    this.#pending.expire(this.#options.nowMs());
  }

  stop(): void {
    this.#pending.settleAll("ignore");
  }

  async publish(topic: GossipTopic, data: Uint8Array): Promise<number> {
    const limit = limitBytesOf(topic);
    if (data.length > limit) {
      throw new NetworkError({ code: "NETWORK_MESSAGE_TOO_LARGE", topic, length: data.length, limit });
    }
    const { pubsub, forkDigest, metrics } = this.#options;
    metrics.gossipPublished(topic, data.length);
    const result = await pubsub.publish(topicName(topic, forkDigest), data);
    return result.recipients.length;
  }

  /** Messages that wait for a verdict. */
  waiting(): number {
    return this.#pending.size;
  }

  meshPeers(topic: GossipTopic): number {
    return this.#options.pubsub.getMeshPeers(topicName(topic, this.#options.forkDigest)).length;
  }

  subscribers(topic: GossipTopic): number {
    return this.#options.pubsub.getSubscribers(topicName(topic, this.#options.forkDigest)).length;
  }

  report(messageId: string, verdict: Verdict): boolean {
    const sender = this.#pending.sender(messageId);
    if (sender === undefined) return false;
    if (verdict === "reject") this.#options.penalize(sender, "gossipRejected");
    return this.#pending.settle(messageId, verdict);
  }

  /** What gossipsub asks of every new message. It forwards only when this resolves to Accept. */
  async #validate(topic: GossipTopic, peer: PeerId, message: Message): Promise<TopicValidatorResult> {
    const { codec, nowMs, handlers, metrics, penalize } = this.#options;
    const { data } = message;
    metrics.gossipReceived(topic, data.length);
    if (codec.malformation(data) !== undefined) {
      penalize(peer, "malformed");
      metrics.gossipRefused(topic, "MALFORMED");
      metrics.gossipSettled(topic, "reject");
      return TopicValidatorResult.Reject;
    }
    const arrivalMs = nowMs();
    const messageId = codec.messageId(message.topic, data);
    const verdict = this.#pending.wait(messageId, peer, data.length, arrivalMs);
    if (verdict === undefined) metrics.gossipRefused(topic, "NO_ROOM");
    else handlers.onGossip({ topic, peer, messageId, data, arrivalMs });
    const settled = (await verdict) ?? "ignore";
    metrics.gossipSettled(topic, settled);
    return RESULT[settled];
  }
}
