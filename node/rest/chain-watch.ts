/** Turns what goes through the engine into events of the beacon API. See specs/node/rest.md#events. */
import { BitArray } from "@chainsafe/ssz";
import type { ChainContainers } from "../../consensus/chain-containers.ts";
import { SignedVoluntaryExit, SingleAttestation } from "../../consensus/containers.ts";
import type { Effect, EngineEvent } from "../../consensus/engine-events.ts";
import type { Engine } from "../../consensus/engine-state.ts";
import { getCommittees } from "../../consensus/selection.ts";
import { getStateRoot } from "../../consensus/state.ts";
import { getState } from "../../consensus/state-cache.ts";
import { computeEpochAtSlot, computeStartSlotAtEpoch } from "../../consensus/time.ts";
import { type Hash, toHex, ZERO_HASH } from "../../primitives/bytes.ts";
import type { JsonObject } from "../../rpc/json.ts";
import type { InOrder } from "../chain/in-order.ts";
import type { EventHub } from "./event-stream.ts";
import { canonicalBlockUpTo } from "./find-block.ts";
import type { Verdict } from "./pool-routes.ts";

export type ChainWatch = {
  /** Told of every event before the engine is. */
  onEvent(event: EngineEvent): void;
  /** Told of every wish when it was begun. */
  onEffect(effect: Effect): void;
  /** The verdict on a message of this id, which is about to be submitted. */
  verdictOn(messageId: string): Promise<Verdict>;
};

export type WatchParts = {
  readonly engine: Engine;
  readonly containers: ChainContainers;
  readonly events: EventHub;
  readonly inOrder: InOrder;
};

/** Gossip messages whose verdict is awaited; the oldest is given up. */
const MESSAGES_LIMIT = 1024;
/** Clients that wait for a verdict at once. */
const AWAITED_LIMIT = 256;

type Message = Extract<EngineEvent, { readonly type: "attestationsReceived" | "operationReceived" }>;

export function createChainWatch(parts: WatchParts): ChainWatch {
  const { engine, events, inOrder } = parts;
  const messages = new Map<string, Message>();
  const awaited = new Map<string, (verdict: Verdict) => void>();
  let headRoot = engine.store.headRoot;

  /** After what was stored before it: a client that hears of a block can fetch it. */
  const announce = (publish: () => void): void => inOrder.add(async () => publish());

  function onVerdict({ messageId, verdict, reason }: Extract<Effect, { type: "gossipVerdict" }>): void {
    const message = messages.get(messageId);
    messages.delete(messageId);
    awaited.get(messageId)?.({ verdict, reason });
    awaited.delete(messageId);
    if (verdict !== "accept" || message === undefined) return;
    if (message.type === "attestationsReceived") announceVotes(parts, message.attestations);
    else if (message.operation.kind === "voluntaryExit") {
      const { exit } = message.operation;
      events.publish("voluntary_exit", () => SignedVoluntaryExit.toJson(exit) as JsonObject);
    }
  }

  return {
    onEvent(event) {
      if (event.type !== "attestationsReceived" && event.type !== "operationReceived") return;
      messages.set(event.messageId, event);
      for (const oldest of messages.keys()) {
        if (messages.size <= MESSAGES_LIMIT) break;
        messages.delete(oldest);
      }
    },
    onEffect(effect) {
      switch (effect.type) {
        case "gossipVerdict":
          return onVerdict(effect);
        case "publishAttestations":
          return announceVotes(parts, effect.attestations);
        case "storeBlock": {
          const data = { slot: String(effect.slot), block: effect.root, execution_optimistic: false };
          return announce(() => events.publish("block", () => data));
        }
        case "headChanged": {
          if (effect.root === headRoot) return;
          const reorg = describeReorg(engine, headRoot, effect);
          const head = describeHead(engine, headRoot, effect);
          headRoot = effect.root;
          return announce(() => {
            if (reorg !== undefined) events.publish("chain_reorg", () => reorg);
            events.publish("head", () => head);
          });
        }
        case "finalized": {
          const data = describeFinality(effect);
          return announce(() => events.publish("finalized_checkpoint", () => data));
        }
        default:
      }
    },
    verdictOn(messageId) {
      if (awaited.size >= AWAITED_LIMIT) return Promise.resolve({ verdict: "ignore", reason: "TOO_BUSY" });
      return new Promise((resolve) => awaited.set(messageId, resolve));
    },
  };
}

type Head = { readonly root: Hash; readonly slot: number };

/** The dependent roots are by epoch, as the API defines them: the last block before an epoch begins. */
function describeHead(engine: Engine, oldRoot: Hash, { root, slot }: Head): JsonObject {
  const { params, genesisRoot } = engine.chain;
  const epoch = computeEpochAtSlot(slot, params);
  const oldSlot = engine.blocks.get(oldRoot)?.slot ?? 0;
  const rootBefore = (ofEpoch: number): Hash => {
    const last = ofEpoch <= 0 ? 0 : computeStartSlotAtEpoch(ofEpoch, params) - 1;
    return (
      (last <= 0 ? undefined : canonicalBlockUpTo(engine, last)?.root) ?? genesisOrOldest(engine, genesisRoot)
    );
  };
  return {
    slot: String(slot),
    block: root,
    state: stateRootOf(engine, root),
    epoch_transition: epoch !== computeEpochAtSlot(oldSlot, params),
    previous_duty_dependent_root: rootBefore(epoch - 1),
    current_duty_dependent_root: rootBefore(epoch),
    execution_optimistic: false,
  };
}

/** What lies below the tree is final: its newest block stands for it. */
function genesisOrOldest({ settled, blocks }: Engine, genesisRoot: Hash): Hash {
  return blocks.has(genesisRoot) ? genesisRoot : settled.root;
}

/** Undefined when the old head is an ancestor of the new one: the chain only grew. */
function describeReorg(engine: Engine, oldRoot: Hash, { root, slot }: Head): JsonObject | undefined {
  const { blocks, chain } = engine;
  const old = blocks.get(oldRoot);
  // An old head that was pruned has been final, or lies on a branch that finality decided against long ago.
  if (old === undefined) return undefined;
  let ancestor = blocks.get(root);
  while (ancestor !== undefined && ancestor.slot > old.slot) ancestor = blocks.get(ancestor.parentRoot);
  if (ancestor?.root === oldRoot) return undefined;
  let other = blocks.get(oldRoot);
  while (ancestor !== undefined && other !== undefined && ancestor.root !== other.root) {
    if (ancestor.slot >= other.slot) ancestor = blocks.get(ancestor.parentRoot);
    else other = blocks.get(other.parentRoot);
  }
  const commonSlot = ancestor?.slot ?? 0;
  return {
    slot: String(slot),
    depth: String(old.slot - commonSlot),
    old_head_block: oldRoot,
    new_head_block: root,
    old_head_state: stateRootOf(engine, oldRoot),
    new_head_state: stateRootOf(engine, root),
    epoch: String(computeEpochAtSlot(slot, chain.params)),
    execution_optimistic: false,
  };
}

/** At once, and out of the scope of what is remembered: an event that holds the state keeps all of it in memory. */
function describeFinality({ checkpoint, state }: Extract<Effect, { readonly type: "finalized" }>) {
  return {
    block: checkpoint.root,
    epoch: String(checkpoint.epoch),
    execution_optimistic: false,
    state: toHex(getStateRoot(state)),
  };
}

/** Zero for a state that was thinned out meanwhile, in a long time without finality. */
function stateRootOf({ states }: Engine, root: Hash): Hash {
  const state = getState(states, root);
  return state === undefined ? ZERO_HASH : toHex(getStateRoot(state));
}

/** Each vote as it travelled, and as an attestation with one bit. */
function announceVotes(
  { engine, containers, events }: WatchParts,
  votes: readonly SingleAttestation[],
): void {
  for (const vote of votes) {
    events.publish("single_attestation", () => SingleAttestation.toJson(vote) as JsonObject);
    events.publish(
      "attestation",
      () => containers.Attestation.toJson(asAttestation(engine, vote)) as JsonObject,
    );
  }
}

function asAttestation(
  engine: Engine,
  { committeeIndex, attesterIndex, data, signature }: SingleAttestation,
) {
  const { params } = engine.chain;
  const state = getState(engine.states, engine.store.headRoot);
  const committee = state === undefined ? undefined : getCommittees(state, data.slot, params)[committeeIndex];
  const members = [...(committee ?? [attesterIndex])];
  const committeeBits = BitArray.fromBitLen(params.maxCommitteesPerSlot);
  committeeBits.set(committeeIndex, true);
  const aggregationBits = BitArray.fromBoolArray(members.map((member) => member === attesterIndex));
  return { aggregationBits, data, signature, committeeBits };
}
