/** What the network says of itself to an operator, over JSON-RPC. See specs/rpc/methods.md#admin. */
import type { Genesis } from "../../consensus/genesis.ts";
import { toHex } from "../../primitives/bytes.ts";
import type { ConsensusAnswer, NetworkQuestion } from "../../rpc/chain-view.ts";
import type { Json } from "../../rpc/json.ts";
import { CLIENT_VERSION } from "../client-version.ts";
import type { ConsensusQuestion } from "../execution/port.ts";
import { NetworkError } from "./network-error.ts";
import type { Network, PeerSummary } from "./network-port.ts";

type OperatorView = {
  readonly network: Pick<Network, "peerId" | "addresses" | "peers" | "addPeerAddress">;
  readonly chainId: number;
  readonly genesis: Pick<Genesis, "blockRoot">;
  /** Of the block this node takes for the newest. */
  readonly headRoot: () => string;
};

export function isNetworkQuestion(question: ConsensusQuestion): question is NetworkQuestion {
  return question.about === "nodeInfo" || question.about === "peers" || question.about === "addPeer";
}

export function answerNetwork(question: NetworkQuestion, view: OperatorView): ConsensusAnswer {
  if (question.about === "nodeInfo") return { json: nodeInfo(view) };
  if (question.about === "peers") return { json: view.network.peers().map(peerJson) };
  return addPeer(question.address, view);
}

/** geth's names where there is a counterpart: `enode` is what another node's admin_addPeer takes. */
function nodeInfo({ network, chainId, genesis, headRoot }: OperatorView): Json {
  const addresses = network.addresses();
  return {
    id: network.peerId,
    name: CLIENT_VERSION,
    enode: addresses[0] ?? "",
    addresses,
    protocols: { jurat: { network: chainId, genesis: toHex(genesis.blockRoot), head: headRoot() } },
  };
}

function peerJson({ id, address, direction, score, status, clockOffsetMs }: PeerSummary): Json {
  return {
    id,
    enode: address,
    network: { remoteAddress: address, inbound: direction === "inbound" },
    protocols: {
      jurat: {
        score,
        headSlot: status.headSlot,
        head: toHex(status.headRoot),
        finalizedEpoch: status.finalized.epoch,
        clockOffsetMs: clockOffsetMs ?? null,
      },
    },
  };
}

function addPeer(address: string, { network }: OperatorView): ConsensusAnswer {
  try {
    return { json: network.addPeerAddress(address) };
  } catch (error) {
    if (!(error instanceof NetworkError)) throw error;
    return {
      unavailable: `invalid address: ${address.slice(0, 80)}; expected one such as /ip4/127.0.0.1/tcp/9000/p2p/12D3Koo…`,
    };
  }
}
