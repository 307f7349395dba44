/** A node's shell in the simulator: feeds the real engine, carries out its wishes in random time, and gossips. */
import type { SignedAggregateAndProof, SignedBeaconBlock } from "../../consensus/chain-containers.ts";
import type { SingleAttestation } from "../../consensus/containers.ts";
import { createEngine, type EngineStart, step } from "../../consensus/engine.ts";
import type { BlockOutcome, Effect, EngineEvent, PeerStatus } from "../../consensus/engine-events.ts";
import type { Engine } from "../../consensus/engine-state.ts";
import { engineWakeMoments } from "../../consensus/on-tick.ts";
import type { Operation } from "../../consensus/operation-pool.ts";
import { voteKey } from "../../consensus/vote-records.ts";
import type { Hash } from "../../primitives/bytes.ts";
import {
  aggregateCheaply,
  buildCheaply,
  isPayloadValid,
  signCheaply,
  verifyCheaply,
} from "../support/consensus-stand-ins.ts";
import { fetchBlock, fetchRange } from "./block-fetching.ts";
import type { Behaviour } from "./plan.ts";
import type { RandomStream } from "./random-stream.ts";
import type { SimulatedDisk } from "./simulated-disk.ts";
import type { Simulation } from "./simulation.ts";

/** A gossip message on the wire. */
export type Gossip = { readonly id: string } & (
  | { readonly kind: "block"; readonly block: SignedBeaconBlock }
  | {
      readonly kind: "votes";
      readonly attestations: readonly SingleAttestation[];
      /** Where votes are aggregated: only who listens to it hears them. */
      readonly subnet?: number | undefined;
    }
  | { readonly kind: "aggregate"; readonly aggregate: SignedAggregateAndProof }
  | { readonly kind: "operation"; readonly operation: Operation }
);

const STATUS_EVERY_SLOTS = 4;
const FORWARD_TO = 3;
/** Slowest answers to wishes, in milliseconds. */
const DELAY_MS = { signatures: 5, payload: 20, signing: 5, disk: 50 } as const;

/** How long before votes fall due a Byzantine node makes up its mind. */
const BYZANTINE_LEAD_MS = 175;

export function blockGossip(block: SignedBeaconBlock, root: Hash): Gossip {
  return { id: `block ${root}`, kind: "block", block };
}

/** Two messages with different votes have different names, also when one validator signed both. */
export function voteGossip(attestations: readonly SingleAttestation[], subnet?: number): Gossip {
  const [first] = attestations;
  const id = `votes ${first?.data.slot} ${first?.attesterIndex} ${first === undefined ? "" : voteKey(first.data)}`;
  return { id, kind: "votes", attestations, subnet };
}

export class SimulatedNode {
  readonly index: number;
  readonly disk: SimulatedDisk;
  engine: Engine;
  isOnline = true;
  /** Set for a Byzantine node. */
  behaviour: Behaviour | undefined;
  onlineSinceMs = 0;
  /** How it began; and whether its memory goes back to then. */
  readonly firstStart: EngineStart;
  hasRestarted = false;
  readonly #simulation: Simulation;
  readonly #random: RandomStream;
  readonly #clockSkewMs: number;
  readonly #seen = new Map<string, Gossip>();
  readonly #whenProcessed = new Map<Hash, (outcome: BlockOutcome) => void>();
  /** Raised at each crash: what was under way before does not reach the new engine. */
  #life = 0;
  #evidence = 0;
  /** Subnets its aggregators need. */
  #subnets: readonly number[] = [];

  constructor(simulation: Simulation, index: number, random: RandomStream, disk: SimulatedDisk) {
    this.index = index;
    this.disk = disk;
    this.#simulation = simulation;
    this.#random = random;
    this.#clockSkewMs = random.below(20);
    this.firstStart = this.#startOptions();
    this.engine = createEngine(this.firstStart);
  }

  get isHonest(): boolean {
    return this.behaviour === undefined;
  }

  #startOptions(): EngineStart {
    const { params, genesisRoot, validatorsOf, clock } = this.#simulation;
    const { anchor, justifiedAtSlot } = this.disk;
    return {
      ...{ params, genesisRoot, anchorState: anchor.state, anchorEpoch: anchor.epoch },
      ...(justifiedAtSlot === undefined ? {} : { justifiedAtSlot }),
      storedBlocks: this.disk.storedBlocks(),
      localValidators: validatorsOf(this.index),
      nowMs: clock.nowMs - this.#clockSkewMs,
      aggregateSignatures: aggregateCheaply,
    };
  }

  /** Wakes at the engine's moments of the slot, by a clock that is a little late. */
  scheduleSlot(slot: number): void {
    const { clock, params } = this.#simulation;
    for (const moment of engineWakeMoments(params)) {
      const atMs = slot * params.slotSeconds * 1000 + moment;
      // Byzantine nodes have the better clocks, and act on what they hear until shortly before votes fall due.
      const earlyMs = moment === 0 ? 0 : BYZANTINE_LEAD_MS;
      if (!this.isHonest) clock.at(atMs - earlyMs, () => this.#misbehave(slot, moment));
      clock.at(atMs + this.#clockSkewMs, () => {
        if (!this.isOnline) return;
        this.feed({ type: "tick", nowMs: clock.nowMs - this.#clockSkewMs });
        if (moment === 0 && slot % STATUS_EVERY_SLOTS === this.index % STATUS_EVERY_SLOTS) this.greet();
      });
    }
  }

  #misbehave(slot: number, moment: number): void {
    if (this.isOnline) this.behaviour?.onMoment?.(slot, moment === 0 ? "start" : "due");
  }

  feed(event: EngineEvent): void {
    const { observer } = this.#simulation;
    observer.beforeStep(this, event);
    const effects = step(this.engine, event);
    observer.onStep(this, event, effects);
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
    this.onlineSinceMs = this.#simulation.clock.nowMs;
    this.hasRestarted ||= isRestart;
    if (isRestart) this.engine = createEngine(this.#startOptions());
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

  /** A block for whoever asks, if this node has it and wants to give it. */
  serve(root: Hash): SignedBeaconBlock | undefined {
    const isGiven = this.behaviour?.serves?.(root) ?? true;
    return isGiven ? this.disk.block(root) : undefined;
  }

  #status(): PeerStatus {
    const { store, blocks } = this.engine;
    const status = {
      ...{ finalized: store.finalized, justified: store.justified },
      ...{ justifiedProofRoot: store.justifiedProof, headRoot: store.headRoot },
      headSlot: blocks.get(store.headRoot)?.slot ?? 0,
    };
    return this.behaviour?.status?.(status) ?? status;
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
        if (effect.verdict === "accept" && this.isHonest) this.#forward(effect.messageId);
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
    const { emptyPayload, observer, requestsAt, missedProposals } = this.#simulation;
    if (effect.type === "buildPayload") {
      const payload = buildCheaply(emptyPayload, effect);
      this.#answer(DELAY_MS.payload, {
        type: "payloadBuilt",
        id: effect.id,
        payload,
        requests: requestsAt(this.engine.store.nowSlot),
      });
    }
    if (effect.type === "signRandao") this.#sign(effect.id, [effect.validatorIndex], effect.signingRoot);
    if (effect.type === "signBlock") {
      const isAllowed = this.#needsNoLeave || this.disk.allowProposal(effect.validatorIndex, effect.slot);
      const isMissed = this.#random.next() < missedProposals;
      const signer = isAllowed && !isMissed ? effect.validatorIndex : undefined;
      this.#sign(effect.id, [signer], effect.signingRoot);
    }
    if (effect.type === "signAttestation") {
      const allowed = effect.validatorIndices.map((validatorIndex) => {
        const isAllowed = this.#needsNoLeave || this.disk.allowVote(validatorIndex, effect.data);
        if (!isAllowed) return undefined;
        observer.onVote(this, validatorIndex, effect.data);
        return validatorIndex;
      });
      this.#sign(effect.id, allowed, effect.signingRoot);
    }
    if (effect.type === "publishBlock") {
      if (this.behaviour?.onBlock !== undefined) this.behaviour.onBlock(effect.block, effect.root);
      else this.tell(blockGossip(effect.block, effect.root));
    }
    if (effect.type === "publishAttestations") {
      if (this.behaviour?.onVotes !== undefined) this.behaviour.onVotes(effect.attestations);
      else this.tell(voteGossip(effect.attestations, effect.subnet));
    }
    this.#runAggregation(effect);
    if (effect.type === "slashingEvidence" && this.isHonest) {
      this.tell({
        id: `evidence ${this.index} ${this.#evidence++}`,
        kind: "operation",
        operation: effect.evidence,
      });
    }
  }

  #runAggregation(effect: Effect): void {
    if (effect.type === "subnetsWanted") this.#subnets = effect.subnets;
    if (effect.type === "signSelections") {
      this.#sign(effect.id, effect.validatorIndices, effect.signingRoot);
    }
    if (effect.type === "signAggregates") {
      const { publicKeys } = this.#simulation;
      const signatures = effect.aggregates.map(({ message, signingRoot }) =>
        signCheaply(publicKeys[message.aggregatorIndex]!, signingRoot),
      );
      this.#answer(DELAY_MS.signing, { type: "signed", id: effect.id, signatures });
    }
    if (effect.type !== "publishAggregates") return;
    for (const aggregate of effect.aggregates) {
      const { aggregatorIndex, aggregate: votes } = aggregate.message;
      const id = `aggregate ${votes.data.slot} ${aggregatorIndex}`;
      this.tell({ id, kind: "aggregate", aggregate });
    }
  }

  /** Besides what its aggregators need, two subnets drawn by its name, as a real node's by its id. */
  #listensTo(gossip: Gossip): boolean {
    const subnet = gossip.kind === "votes" ? gossip.subnet : undefined;
    return subnet === undefined || subnet >> 1 === this.index || this.#subnets.includes(subnet);
  }

  /** Nobody holds a Byzantine signer back, and a node without watermarks nothing at all. */
  get #needsNoLeave(): boolean {
    return !this.isHonest || this.#simulation.isWithoutWatermark;
  }

  #sign(id: number, validatorIndices: readonly (number | undefined)[], message: Uint8Array): void {
    const { publicKeys } = this.#simulation;
    const signatures = validatorIndices.map((validatorIndex) =>
      validatorIndex === undefined ? undefined : signCheaply(publicKeys[validatorIndex]!, message),
    );
    this.#answer(DELAY_MS.signing, { type: "signed", id, signatures });
  }

  /** Sends a message to all peers, or to those picked; honest ones pass it on. */
  tell(gossip: Gossip, isPicked: (peer: number) => boolean = () => true): void {
    this.#seen.set(gossip.id, gossip);
    for (const peer of this.#simulation.nodes) {
      if (peer !== this && isPicked(peer.index) && peer.#listensTo(gossip)) this.#send(peer, gossip);
    }
  }

  /** The same at the shortest latency there is: whoever attacks has good connections. */
  rush(gossip: Gossip, isPicked: (peer: number) => boolean = () => true): void {
    const { clock, network, nodes, shortestMs } = this.#simulation;
    this.#seen.set(gossip.id, gossip);
    for (const peer of nodes) {
      if (peer === this || !isPicked(peer.index) || !network.isConnected(this.index, peer.index)) continue;
      clock.after(shortestMs, () => peer.#receive(String(this.index), gossip));
    }
  }

  #forward(messageId: string): void {
    const gossip = this.#seen.get(messageId);
    const { nodes } = this.#simulation;
    for (let i = 0; gossip !== undefined && i < FORWARD_TO; i++) {
      const peer = nodes[this.#random.below(nodes.length)];
      if (peer !== undefined && peer !== this && peer.#listensTo(gossip)) this.#send(peer, gossip);
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
    if (gossip.kind === "operation") {
      this.feed({ type: "operationReceived", operation: gossip.operation, messageId });
      return;
    }
    if (gossip.kind === "votes") {
      const { attestations, subnet } = gossip;
      this.feed({ type: "attestationsReceived", attestations, subnet, peer, messageId });
      return;
    }
    if (gossip.kind === "aggregate") {
      this.feed({ type: "aggregateReceived", aggregate: gossip.aggregate, peer, messageId });
      return;
    }
    const arrivalMs = this.#simulation.clock.nowMs;
    const origin = { kind: "gossip", peer, messageId } as const;
    this.feed({ type: "blockReceived", block: gossip.block, arrivalMs, origin });
  }
}
