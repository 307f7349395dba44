/** Several engines that hear each other at once, in order: for what needs a network but no lateness. */

import { containersOf } from "../../consensus/chain-containers.ts";
import { step } from "../../consensus/engine.ts";
import type { Effect, EngineEvent } from "../../consensus/engine-events.ts";
import type { Engine } from "../../consensus/engine-state.ts";
import { engineWakeMoments } from "../../consensus/on-tick.ts";
import { buildCheaply, isPayloadValid, signCheaply, verifyCheaply } from "./consensus-stand-ins.ts";
import { SLOT_MS, startEngine, type Workbench } from "./lone-engine.ts";

export type NetworkedEngine = {
  readonly engine: Engine;
  /** Subnets it asked for. */
  subnets: ReadonlySet<number>;
  isOnline: boolean;
  /** All its wishes, in order. */
  readonly wishes: Effect[];
};

export type EngineNetwork = {
  readonly bench: Workbench;
  readonly nodes: readonly NetworkedEngine[];
  /** Messages to be handed over. */
  readonly queue: { readonly to: NetworkedEngine; readonly event: EngineEvent }[];
};

/** The bench's validators dealt out to `count` nodes in turn. */
export function createEngineNetwork(bench: Workbench, count: number): EngineNetwork {
  const nodes = Array.from({ length: count }, (_, node): NetworkedEngine => {
    const localValidators = bench.publicKeys
      .map((_key, index) => index)
      .filter((index) => index % count === node);
    const engine = startEngine(bench, { localValidators, nowMs: -1 });
    return { engine, subnets: new Set(), isOnline: true, wishes: [] };
  });
  return { bench, nodes, queue: [] };
}

/** Lets slots pass, `first` to `last`, each moment of a slot until nobody has anything more to say. */
export function runSlots(
  network: EngineNetwork,
  first: number,
  last: number,
  onSlot = (_slot: number) => {},
): void {
  for (let slot = first; slot <= last; slot++) {
    for (const moment of engineWakeMoments(network.bench.params)) {
      for (const node of network.nodes) feed(network, node, { type: "tick", nowMs: slot * SLOT_MS + moment });
      drain(network);
    }
    onSlot(slot);
  }
}

export function drain(network: EngineNetwork): void {
  for (let next = network.queue.shift(); next !== undefined; next = network.queue.shift()) {
    feed(network, next.to, next.event);
  }
}

function feed(network: EngineNetwork, node: NetworkedEngine, event: EngineEvent): void {
  if (!node.isOnline) return;
  const effects = step(node.engine, event);
  for (const effect of effects) {
    node.wishes.push(effect);
    if (effect.type === "subnetsWanted") node.subnets = new Set(effect.subnets);
    const answer = answerTruthfully(network.bench, effect);
    if (answer !== undefined) network.queue.push({ to: node, event: answer });
    publish(network, node, effect);
  }
}

/** The answer to a wish, if it wants one, as a shell with all keys and good luck gives it. */
export function answerTruthfully(bench: Workbench, effect: Effect): EngineEvent | undefined {
  const { publicKeys, params } = bench;
  const sign = (index: number, root: Uint8Array) => signCheaply(publicKeys[index]!, root);
  switch (effect.type) {
    case "verifySignatures":
      return { type: "signaturesVerified", id: effect.id, valid: effect.sets.map(verifyCheaply) };
    case "executePayload":
      return {
        ...{ type: "payloadExecuted", id: effect.id },
        verdict: isPayloadValid(effect.payload) ? "valid" : "invalid",
      };
    case "buildPayload": {
      const { ExecutionPayload, ExecutionRequests } = containersOf(params);
      const payload = buildCheaply(ExecutionPayload.defaultValue(), effect);
      return { type: "payloadBuilt", id: effect.id, payload, requests: ExecutionRequests.defaultValue() };
    }
    case "signRandao":
    case "signBlock":
      return { type: "signed", id: effect.id, signatures: [sign(effect.validatorIndex, effect.signingRoot)] };
    case "signAttestation":
    case "signSelections": {
      const signatures = effect.validatorIndices.map((index) => sign(index, effect.signingRoot));
      return { type: "signed", id: effect.id, signatures };
    }
    case "signAggregates": {
      const signatures = effect.aggregates.map(({ message, signingRoot }) =>
        sign(message.aggregatorIndex, signingRoot),
      );
      return { type: "signed", id: effect.id, signatures };
    }
    default:
      return undefined;
  }
}

let messages = 0;

function publish({ nodes, queue, bench }: EngineNetwork, from: NetworkedEngine, effect: Effect): void {
  const peer = String(nodes.indexOf(from));
  const send = (eventOf: (messageId: string, to: NetworkedEngine) => EngineEvent | undefined) => {
    const messageId = `message ${messages++}`;
    for (const to of nodes) {
      const event = to === from ? undefined : eventOf(messageId, to);
      if (event !== undefined) queue.push({ to, event });
    }
  };
  if (effect.type === "publishBlock") {
    send((messageId, { engine }) => ({
      ...{ type: "blockReceived", block: effect.block, arrivalMs: engine.nowMs },
      origin: { kind: "gossip", peer, messageId },
    }));
  } else if (effect.type === "publishAttestations") {
    const { attestations, subnet } = effect;
    send((messageId, { subnets }) =>
      subnet === undefined || subnets.has(subnet)
        ? { type: "attestationsReceived", attestations, subnet, peer, messageId }
        : undefined,
    );
  } else if (effect.type === "publishAggregates") {
    // As bytes, so that what cannot be encoded fails here.
    const { SignedAggregateAndProof } = containersOf(bench.params);
    for (const sent of effect.aggregates) {
      const bytes = SignedAggregateAndProof.serialize(sent);
      send((messageId) => ({
        type: "aggregateReceived",
        aggregate: SignedAggregateAndProof.deserialize(bytes),
        ...{ peer, messageId },
      }));
    }
  } else if (effect.type === "slashingEvidence") {
    send((messageId) => ({ type: "operationReceived", operation: effect.evidence, messageId }));
  }
}
