/**
 * Stands before gossipsub and weighs what each peer sends it. See specs/network/floods.md#gossip
 *
 * gossipsub bounds what it keeps, not what it works for: duplicates, subscriptions, control entries and frames that do
 * not decode cost time, and it tells nobody whose they were. It is made to be extended where these functions are.
 */
import type { PeerId as Libp2pPeerId } from "@libp2p/interface";
import type { FloodGuard } from "./flood-guard.ts";
import type { PeerId } from "./network-port.ts";
import type { PenaltyReason } from "./peer-score.ts";

interface Control {
  readonly ihave: readonly { readonly messageIDs: readonly unknown[] }[];
  readonly iwant: readonly { readonly messageIDs: readonly unknown[] }[];
  readonly graft: readonly unknown[];
  readonly prune: readonly { readonly peers: readonly unknown[] }[];
  readonly idontwant: readonly { readonly messageIDs: readonly unknown[] }[];
}

/** A gossipsub RPC, as it is decoded. */
export interface GossipRpc {
  readonly subscriptions: readonly unknown[];
  readonly messages: readonly unknown[];
  readonly control?: Control | undefined;
}

type Frames = AsyncIterable<{ readonly byteLength: number }>;

/** The functions of gossipsub that see a peer and its bytes. */
export interface MeteredGossip {
  pipePeerReadStream(peer: Libp2pPeerId, frames: Frames): Promise<void>;
  handleReceivedRpc(peer: Libp2pPeerId, rpc: GossipRpc): Promise<void>;
  handlePeerReadStreamError(error: Error, peer: Libp2pPeerId): void;
}

export interface GossipMeterOptions {
  readonly guard: Pick<FloodGuard, "admits">;
  readonly penalize: (peer: PeerId, reason: PenaltyReason) => void;
}

/** What a frame costs its sender's quota: itself, and everything in it that is handled one by one. */
export function itemsOf({ subscriptions, messages, control }: GossipRpc): number {
  let items = 1 + subscriptions.length + messages.length;
  if (control === undefined) return items;
  for (const list of [control.ihave, control.iwant, control.idontwant]) {
    for (const { messageIDs } of list) items += 1 + messageIDs.length;
  }
  for (const { peers } of control.prune) items += 1 + peers.length;
  return items + control.graft.length;
}

/** Before gossipsub is started. */
export function meterGossip(gossip: MeteredGossip, { guard, penalize }: GossipMeterOptions): void {
  const original = {
    read: gossip.pipePeerReadStream.bind(gossip),
    handle: gossip.handleReceivedRpc.bind(gossip),
    fail: gossip.handlePeerReadStreamError.bind(gossip),
  };
  let decoded = 0;

  async function* weighed(peer: PeerId, frames: Frames): Frames {
    for await (const frame of frames) {
      if (!guard.admits(peer, "gossipBytes", frame.byteLength)) continue;
      const before = decoded;
      yield frame;
      // The reader comes back for more when it has decoded this one, or could not.
      if (decoded === before) penalize(peer, "malformed");
    }
  }

  gossip.pipePeerReadStream = (peer, frames) => original.read(peer, weighed(peer.toString(), frames));
  gossip.handleReceivedRpc = async (peer, rpc) => {
    decoded++;
    if (guard.admits(peer.toString(), "gossipItems", itemsOf(rpc))) await original.handle(peer, rpc);
  };
  gossip.handlePeerReadStreamError = (error, peer) => {
    // A frame that says it is longer than any may be. Everything else is a connection that broke.
    if (error.name === "InvalidDataLengthError") penalize(peer.toString(), "malformed");
    original.fail(error, peer);
  };
}
