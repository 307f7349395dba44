/** Sees every step of every node, keeps the log a run is compared by, and checks the invariants. See specs/simulation/simulation.md#invariants. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { createHash, type Hash as Digest } from "node:crypto";
import type { SignedBeaconBlock } from "../../consensus/chain-containers.ts";
import type { AttestationData } from "../../consensus/containers.ts";
import type { Effect, EngineEvent } from "../../consensus/engine-events.ts";
import type { Genesis } from "../../consensus/genesis.ts";
import type { ChainParams } from "../../consensus/params.ts";
import { getStateRoot } from "../../consensus/state.ts";
import { stateTransition } from "../../consensus/state-transition.ts";
import type { Hash } from "../../primitives/bytes.ts";
import { toHex } from "../../primitives/bytes.ts";
import { checkFinalityLinks, checkHead, checkStore, checkVote, type VoteLog } from "./invariants.ts";
import type { SimulatedNode } from "./simulated-node.ts";
import type { Scenario } from "./simulation.ts";
import type { VirtualClock } from "./virtual-clock.ts";

export type SlotView = {
  readonly slot: number;
  readonly online: number;
  /** Lowest and highest finalized epoch among online nodes; the same for head slots. */
  readonly finalized: readonly [number, number];
  readonly heads: readonly [number, number];
  /** Whether a block of this slot is in some online node's tree. */
  readonly hasBlock: boolean;
};

export type Report = {
  readonly scenario: string;
  readonly seed: number;
  /** Of the whole log: equal for equal seeds. */
  readonly hash: string;
  /** Slots from a block's proposal to its finality at node 0. */
  readonly finalitySlots: readonly number[];
  readonly slots: readonly SlotView[];
  readonly blocks: number;
  /** Blocks not on node 0's chain at the end. */
  readonly orphans: number;
  readonly checks: number;
};

type KnownBlock = { readonly block: SignedBeaconBlock; readonly slot: number; readonly parentRoot: Hash };

export class Observer {
  readonly #params: ChainParams;
  readonly #genesis: Genesis;
  readonly #clock: VirtualClock;
  readonly #digest: Digest = createHash("sha256");
  readonly #blocks = new Map<Hash, KnownBlock>();
  readonly #votes: VoteLog = new Map();
  readonly #finalized: { readonly epoch: number; readonly root: Hash }[] = [];
  readonly #finalitySlots: number[] = [];
  readonly #slots: SlotView[] = [];
  readonly #last = new Map<SimulatedNode, { justified: number; finalized: number }>();
  #checks = 0;

  constructor(params: ChainParams, genesis: Genesis, clock: VirtualClock) {
    this.#params = params;
    this.#clock = clock;
    this.#genesis = genesis;
  }

  onStep(node: SimulatedNode, event: EngineEvent, effects: readonly Effect[]): void {
    this.#digest.update(`${this.#clock.nowMs} ${node.index} ${event.type}\n`);
    for (const effect of effects) {
      if (effect.type === "publishBlock") this.#noteBlock(effect.root, effect.block);
      if (effect.type === "headChanged") this.#digest.update(`  head ${effect.root}\n`);
      if (effect.type === "finalized") this.#noteFinality(node, effect);
      ok(effect.type !== "safetyFault", "no safety fault without slashable votes");
      ok(effect.type !== "slashingEvidence", "honest nodes leave no evidence");
    }
    const { store } = node.engine;
    const before = this.#last.get(node);
    checkStore(node.engine, before);
    this.#last.set(node, { justified: store.justified.epoch, finalized: store.finalized.epoch });
    this.#checks++;
  }

  /** A restart may fall back to what was synced, but never behind its own finality on disk. */
  onResume(node: SimulatedNode): void {
    this.#last.delete(node);
    checkStore(node.engine, undefined);
  }

  onVote(node: SimulatedNode, validatorIndex: number, data: AttestationData): void {
    this.#digest.update(`  vote ${node.index} ${data.slot} ${toHex(data.beaconBlockRoot)}\n`);
    checkVote(this.#votes, validatorIndex, data);
    this.#checks++;
  }

  onSlotEnd(slot: number, nodes: readonly SimulatedNode[]): void {
    const online = nodes.filter(({ isOnline }) => isOnline);
    const finalized = online.map(({ engine }) => engine.store.finalized.epoch);
    const heads = online.map(({ engine }) => engine.blocks.get(engine.store.headRoot)?.slot ?? 0);
    this.#slots.push({
      ...{ slot, online: online.length },
      finalized: [Math.min(...finalized), Math.max(...finalized)],
      heads: [Math.min(...heads), Math.max(...heads)],
      hasBlock: [...this.#blocks.values()].some((block) => block.slot === slot),
    });
    // The slow rule is asked of one node a slot, in turn.
    const asked = nodes[slot % nodes.length];
    if (asked !== undefined) checkHead(asked.engine);
    this.#checks++;
  }

  finish(scenario: Scenario, seed: number, nodes: readonly SimulatedNode[]): Report {
    const chain = this.#chainOf(nodes[0]!.engine.store.headRoot);
    this.#replay(chain);
    return {
      ...{ scenario: scenario.name, seed, hash: this.#digest.digest("hex") },
      ...{ finalitySlots: this.#finalitySlots, slots: this.#slots },
      blocks: this.#blocks.size,
      orphans: this.#blocks.size - chain.length,
      checks: this.#checks,
    };
  }

  #noteBlock(root: Hash, block: SignedBeaconBlock): void {
    this.#digest.update(`  block ${root}\n`);
    const { slot, parentRoot } = block.message;
    this.#blocks.set(root, { block, slot, parentRoot: toHex(parentRoot) });
  }

  #noteFinality(node: SimulatedNode, effect: Effect & { type: "finalized" }): void {
    const { checkpoint, canonicalRoots, state } = effect;
    this.#digest.update(`  final ${checkpoint.epoch} ${checkpoint.root}\n`);
    const expected =
      this.#blocks.get(checkpoint.root)?.block.message.stateRoot ?? this.#genesis.block.stateRoot;
    equal(toHex(getStateRoot(state)), toHex(expected), "the state handed out is the finalized block's");
    // Any two finalized checkpoints of any nodes and times: one lies on the other's chain.
    for (const other of this.#finalized) {
      const [lower, higher] = other.epoch <= checkpoint.epoch ? [other, checkpoint] : [checkpoint, other];
      ok(this.#isAncestor(lower.root, higher.root), "finalized checkpoints do not conflict");
    }
    if (!this.#finalized.some(({ root }) => root === checkpoint.root)) {
      this.#finalized.push(checkpoint);
      checkFinalityLinks(node.engine, checkpoint, this.#params);
    }
    if (node.index !== 0) return;
    const nowSlots = this.#clock.nowMs / (this.#params.slotSeconds * 1000);
    for (const root of canonicalRoots) this.#finalitySlots.push(nowSlots - this.#blocks.get(root)!.slot);
  }

  #isAncestor(ancestor: Hash, root: Hash): boolean {
    for (let at: Hash | undefined = root; at !== undefined; at = this.#blocks.get(at)?.parentRoot) {
      if (at === ancestor) return true;
    }
    return false;
  }

  #chainOf(headRoot: Hash): KnownBlock[] {
    const chain: KnownBlock[] = [];
    for (let at = this.#blocks.get(headRoot); at !== undefined; at = this.#blocks.get(at.parentRoot))
      chain.push(at);
    return chain.reverse();
  }

  /** The chain from genesis, block by block and alone, leads to the same states. */
  #replay(chain: readonly KnownBlock[]): void {
    let state = this.#genesis.state;
    for (const { block } of chain) {
      state = stateTransition(state, block.message, this.#params);
      deepEqual(getStateRoot(state), block.message.stateRoot);
    }
    this.#checks++;
  }
}
