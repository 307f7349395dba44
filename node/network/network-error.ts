/** What the network refuses to do for its own node. */
import { CodedError } from "../../primitives/errors.ts";
import type { GossipTopic } from "./gossip-topics.ts";

export type NetworkErrorDetail =
  | {
      readonly code: "NETWORK_MESSAGE_TOO_LARGE";
      readonly topic: GossipTopic;
      readonly length: number;
      readonly limit: number;
    }
  | { readonly code: "NETWORK_BAD_ADDRESS"; readonly address: string }
  /** The port is in use, or the address is not ours. */
  | { readonly code: "NETWORK_CANNOT_LISTEN"; readonly addresses: string };

export class NetworkError extends CodedError<NetworkErrorDetail> {}
