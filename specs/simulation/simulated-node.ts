/** A node's shell in the simulator: feeds the real engine, carries out its wishes in random time, and gossips. */
import type { SignedBeaconBlock } from "../../consensus/chain-containers.ts";
import type { SingleAttestation } from "../../consensus/containers.ts";
import { createEngine, step } from "../../consensus/engine.ts";
import type { BlockOutcome, Effect, EngineEvent, PeerStatus } from "../../consensus/engine-events.ts";
import type { Engine } from "../../consensus/engine-state.ts";
import { engineWakeMoments } from "../../consensus/on-tick.ts";
import type { Hash } from "../../primitives/bytes.ts";
import {
  aggregateCheaply,
  buildCheaply,
  isPayloadValid,
  signCheaply,
  verifyCheaply,
} from "../support/consensus-stand-ins.ts";
import { fetchBlock, fetchRange } from "./block-fetching.ts";
import type { RandomStream } from "./random-stream.ts";
import type { SimulatedDisk } from "./simulated-disk.ts";
import type { Simulation } from "./simulation.ts";

/** A gossip message on the wire. */
type Gossip = { readonly id: string } & (
  | { readonly kind: "block"; readonly block: SignedBeaconBlock }
  | { readonly kind: "votes"; readonly attestations: readonly SingleAttestation[] }
);

const STATUS_EVERY_SLOTS = 4;
const FORWARD_TO = 3;
/** Slowest answers to wishes, in milliseconds. */
const DELAY_MS = { signatures: 5, payload: 20, signing: 5, disk: 50 } as const;

export class SimulatedNode {
  readonly index: number;
  readonly disk: SimulatedDisk;
  engine: Engine;
  isOnline = true;
  readonly #simulation: Simulation;
  readonly #random: RandomStream;
  readonly #clockSkewMs: number;
  readonly #seen = new Map<string, Gossip>();
  readonly #whenProcessed = new Map<Hash, (outcome: BlockOutcome) => void>();
  /** Raised at each crash: what was under way before does not reach the new engine. */
  #life = 0;

  constructor(simulation: Simulation, index: number, random: RandomStream, disk: SimulatedDisk) {
    this.index = index;
    this.disk = disk;
    this.#simulation = simulation;
    this.#random = random;
    this.#clockSkewMs = random.below(20);
    this.engine = this.#start();
  }

  #start(): Engine {
    const { params, genesisRoot, validatorsOf, clock } = this.#simulation;
    const { anchor, justifiedAtSlot } = this.disk;
    return createEngine({
      ...{ params, genesisRoot, anchorState: anchor.state, anchorEpoch: anchor.epoch },
      ...(justifiedAtSlot === undefined ? {} : { justifiedAtSlot }),
      storedBlocks: this.disk.storedBlocks(),
      localValidators: validatorsOf(this.index),
      nowMs: clock.nowMs - this.#clockSkewMs,
      aggregateSignatures: aggregateCheaply,
    });
  }

  /** Wakes at the engine's moments of the slot, by a clock that is a little late. */
  scheduleSlot(slot: number): void {
    const { clock, params } = this.#simulation;
    for (const moment of engineWakeMoments(params)) {
      clock.at(slot * params.slotSeconds * 1000 + moment + this.#clockSkewMs, () => {
        if (!this.isOnline) return;
        this.feed({ type: "tick", nowMs: clock.nowMs - this.#clockSkewMs });
        if (moment === 0 && slot % STATUS_EVERY_SLOTS === this.index % STATUS_EVERY_SLOTS) this.greet();
      });
    }
  }

  feed(event: EngineEvent): void {
    const effects = step(this.engine, event);
    this.#simulation.observer.onStep(this, event, effects);
    for (const effect of effects) this.#run(effect);
  }

  /** The process sleeps, or crashes and loses what was not synced. */
  stop(isCrash: boolean): void {
    this.isOnline = false;
    if (!isCrash) return;
    this.#life++;
    this.disk.crash();
    this.#seen.clear();
    this.#whenProcessed.clear();
  }

  /** Back: with the engine as it was, or a new one from the disk. */
  resume(isRestart: boolean): void {
    this.isOnline = true;
    if (isRestart) this.engine = this.#start();
    this.#simulation.observer.onResume(this);
    this.feed({ type: "tick", nowMs: this.#simulation.clock.nowMs - this.#clockSkewMs });
    this.greet();
  }

  /** Exchanges statuses with everyone in reach. */
  greet(): void {
    const { nodes, network } = this.#simulation;
    for (const peer of nodes) {
      if (peer === this) continue;
      network.send(this.index, peer.index, () => {
        peer.#onStatusOf(this);
        network.send(peer.index, this.index, () => this.#onStatusOf(peer));
      });
    }
  }

  #onStatusOf(peer: SimulatedNode): void {
    if (!peer.isOnline || !this.isOnline) return;
    this.feed({ type: "peerStatus", peer: String(peer.index), status: peer.#status() });
  }

  #status(): PeerStatus {
    const { store, blocks } = this.engine;
    return {
      ...{ finalized: store.finalized, justified: store.justified },
      ...{ justifiedProofRoot: store.justifiedProof, headRoot: store.headRoot },
      headSlot: blocks.get(store.headRoot)?.slot ?? 0,
    };
  }

  /** A callback that a crash in the meantime, or sleep, silences. */
  inThisLife<Value>(callback: (value: Value) => void): (value: Value) => void {
    const life = this.#life;
    return (value) => {
      if (life === this.#life && this.isOnline) callback(value);
    };
  }

  whenProcessed(root: Hash, callback: (outcome: BlockOutcome) => void): void {
    this.#whenProcessed.set(root, callback);
  }

  /** The answer to a wish comes as an event after a random time, so that answers overtake each other. */
  #answer(maxDelayMs: number, event: EngineEvent): void {
    const feed = this.inThisLife((answer: EngineEvent) => this.feed(answer));
    this.#simulation.clock.after(this.#random.next() * maxDelayMs, () => feed(event));
  }

  #run(effect: Effect): void {
    switch (effect.type) {
      case "verifySignatures":
        this.#answer(DELAY_MS.signatures, {
          ...{ type: "signaturesVerified", id: effect.id },
          valid: effect.sets.map(verifyCheaply),
        });
        break;
      case "executePayload":
        this.#answer(DELAY_MS.payload, {
          ...{ type: "payloadExecuted", id: effect.id },
          verdict: isPayloadValid(effect.payload) ? "valid" : "invalid",
        });
        break;
      case "gossipVerdict":
        if (effect.verdict === "accept") this.#forward(effect.messageId);
        break;
      case "requestBlock":
        fetchBlock(this.#simulation, this, effect);
        break;
      case "startRangeSync":
        fetchRange(this.#simulation, this, effect);
        break;
      case "blockProcessed":
        this.#whenProcessed.get(effect.root)?.(effect.outcome);
        this.#whenProcessed.delete(effect.root);
        break;
      case "storeBlock":
      case "loadBlocks":
      case "justified":
      case "finalized":
        this.#runDisk(effect);
        break;
      default:
        this.#runDuty(effect);
    }
  }

  #runDisk(effect: Effect): void {
    if (effect.type === "justified") this.disk.justifiedAtSlot = effect.atSlot;
    if (effect.type === "finalized") {
      this.disk.finalize({ ...effect.checkpoint, state: effect.state }, effect.prunedRoots);
    }
    if (effect.type === "loadBlocks") {
      const blocks = effect.roots.flatMap((root) => this.disk.block(root) ?? []);
      this.#answer(DELAY_MS.disk, { type: "blocksLoaded", id: effect.id, blocks });
    }
    if (effect.type !== "storeBlock") return;
    this.disk.store(effect.root, effect.block);
    const sync = this.inThisLife(() => this.disk.sync());
    this.#simulation.clock.after(this.#random.next() * DELAY_MS.disk, () => sync(undefined));
  }

  #runDuty(effect: Effect): void {
    const { emptyPayload, emptyRequests, observer } = this.#simulation;
    if (effect.type === "buildPayload") {
      const payload = buildCheaply(emptyPayload, effect);
      this.#answer(DELAY_MS.payload, {
        type: "payloadBuilt",
        id: effect.id,
        payload,
        requests: emptyRequests,
      });
    }
    if (effect.type === "signRandao") this.#sign(effect.id, [effect.validatorIndex], effect.signingRoot);
    if (effect.type === "signBlock") {
      const isAllowed = this.disk.allowProposal(effect.validatorIndex, effect.slot);
      this.#sign(effect.id, [isAllowed ? effect.validatorIndex : undefined], effect.signingRoot);
    }
    if (effect.type === "signAttestation") {
      const allowed = effect.validatorIndices.map((validatorIndex) => {
        if (!this.disk.allowVote(validatorIndex, effect.data)) return undefined;
        observer.onVote(this, validatorIndex, effect.data);
        return validatorIndex;
      });
      this.#sign(effect.id, allowed, effect.signingRoot);
    }
    if (effect.type === "publishBlock") {
      this.#publish({ id: `block ${effect.root}`, kind: "block", block: effect.block });
    }
    if (effect.type === "publishAttestations") {
      const { attestations } = effect;
      this.#publish({ id: `votes ${this.index} ${attestations[0]?.data.slot}`, kind: "votes", attestations });
    }
  }

  #sign(id: number, validatorIndices: readonly (number | undefined)[], message: Uint8Array): void {
    const { publicKeys } = this.#simulation;
    const signatures = validatorIndices.map((validatorIndex) =>
      validatorIndex === undefined ? undefined : signCheaply(publicKeys[validatorIndex]!, message),
    );
    this.#answer(DELAY_MS.signing, { type: "signed", id, signatures });
  }

  #publish(gossip: Gossip): void {
    this.#seen.set(gossip.id, gossip);
    for (const peer of this.#simulation.nodes) if (peer !== this) this.#send(peer, gossip);
  }

  #forward(messageId: string): void {
    const gossip = this.#seen.get(messageId);
    const { nodes } = this.#simulation;
    for (let i = 0; gossip !== undefined && i < FORWARD_TO; i++) {
      const peer = nodes[this.#random.below(nodes.length)];
      if (peer !== undefined && peer !== this) this.#send(peer, gossip);
    }
  }

  #send(peer: SimulatedNode, gossip: Gossip): void {
    const from = String(this.index);
    this.#simulation.network.send(this.index, peer.index, () => peer.#receive(from, gossip));
  }

  #receive(peer: string, gossip: Gossip): void {
    if (!this.isOnline || this.#seen.has(gossip.id)) return;
    this.#seen.set(gossip.id, gossip);
    const messageId = gossip.id;
    if (gossip.kind === "votes") {
      this.feed({ type: "attestationsReceived", attestations: gossip.attestations, peer, messageId });
      return;
    }
    const arrivalMs = this.#simulation.clock.nowMs;
    const origin = { kind: "gossip", peer, messageId } as const;
    this.feed({ type: "blockReceived", block: gossip.block, arrivalMs, origin });
  }
}
