/** Gossip messages become events of the engine or transactions for the pool; what does not decode is refused here. */
import type { ChainContainers } from "../../consensus/chain-containers.ts";
import { ProposerSlashing, SignedVoluntaryExit } from "../../consensus/containers.ts";
import type { EngineEvent } from "../../consensus/engine-events.ts";
import type { Operation } from "../../consensus/operation-pool.ts";
import type { GossipVerdict } from "../execution/gossip-admission.ts";
import type { ExecutionPort, GossipedTransactions } from "../execution/port.ts";
import { subnetOfTopic } from "../network/gossip-topics.ts";
import type { GossipMessage, Network, Verdict } from "../network/network-port.ts";
import { decodeTransactionBatch } from "../network/transaction-gossip.ts";
import type { BlockCodec } from "./block-codec.ts";

export type GossipPorts = {
  readonly submit: (event: EngineEvent) => void;
  readonly codec: BlockCodec;
  readonly containers: ChainContainers;
  readonly execution: Pick<ExecutionPort, "addGossipedTransactions">;
  readonly reportVerdict: Network["reportVerdict"];
  readonly genesisTimeMs: number;
  /** Told of each message of votes: the slot they say they are of, and when it came, in milliseconds since genesis. */
  readonly onVotes: (slot: number, arrivalMs: number) => void;
  readonly fatal: (error: unknown) => void;
};

/** Returns the network's onGossip handler. */
export function createGossipHandler(ports: GossipPorts): (message: GossipMessage) => void {
  const { submit, codec, containers, reportVerdict, genesisTimeMs } = ports;
  return ({ topic, peer, messageId, data, arrivalMs }) => {
    const settle = (verdict: Verdict): void => {
      reportVerdict(messageId, verdict);
    };
    switch (topic) {
      case "beacon_block": {
        const block = decoded(() => codec.decode(data));
        if (block === undefined) return settle("reject");
        const origin = { kind: "gossip", peer, messageId } as const;
        return submit({ type: "blockReceived", block, arrivalMs: arrivalMs - genesisTimeMs, origin });
      }
      case "beacon_aggregate_and_proof": {
        const aggregate = decoded(() => containers.SignedAggregateAndProof.deserialize(data));
        if (aggregate === undefined) return settle("reject");
        return submit({ type: "aggregateReceived", aggregate, peer, messageId });
      }
      case "transactions": {
        const raws = decoded(() => decodeTransactionBatch(data));
        if (raws === undefined) return settle("reject");
        return receiveTransactions(ports, messageId, { peer, raws });
      }
      case "voluntary_exit":
      case "proposer_slashing":
      case "attester_slashing": {
        const operation = decoded(() => decodeOperation(topic, data, containers));
        if (operation === undefined) return settle("reject");
        return submit({ type: "operationReceived", operation, messageId });
      }
      default: {
        const attestations = decoded(() => containers.SingleAttestations.deserialize(data));
        if (attestations === undefined) return settle("reject");
        const slot = attestations[0]?.data.slot;
        if (slot !== undefined) ports.onVotes(slot, arrivalMs - genesisTimeMs);
        const subnet = subnetOfTopic(topic);
        return submit({ type: "attestationsReceived", attestations, subnet, peer, messageId });
      }
    }
  };
}

type OperationTopic = "voluntary_exit" | "proposer_slashing" | "attester_slashing";

function decodeOperation(topic: OperationTopic, data: Uint8Array, containers: ChainContainers): Operation {
  if (topic === "voluntary_exit") {
    return { kind: "voluntaryExit", exit: SignedVoluntaryExit.deserialize(data) };
  }
  return topic === "proposer_slashing"
    ? { kind: "proposerSlashing", slashing: ProposerSlashing.deserialize(data) }
    : { kind: "attesterSlashing", slashing: containers.AttesterSlashing.deserialize(data) };
}

/** The SSZ library throws plain errors for bytes that do not decode. */
function decoded<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch {
    return undefined;
  }
}

function receiveTransactions(ports: GossipPorts, messageId: string, batch: GossipedTransactions): void {
  ports.execution.addGossipedTransactions(batch).then((verdicts) => {
    ports.reportVerdict(messageId, batchVerdict(verdicts));
  }, ports.fatal);
}

/** One transaction no honest node sends condemns the batch; a batch with nothing new is not forwarded. */
export function batchVerdict(verdicts: readonly GossipVerdict[]): GossipVerdict {
  if (verdicts.includes("reject")) return "reject";
  return verdicts.includes("accept") ? "accept" : "ignore";
}
