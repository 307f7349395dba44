/** Sees every step of every node, keeps the log a run is compared by, and checks the invariants. See specs/simulation/invariants.md. */
import { createHash, type Hash as Digest } from "node:crypto";
import type { SignedBeaconBlock } from "../../consensus/chain-containers.ts";
import type { AttestationData } from "../../consensus/containers.ts";
import type { Effect, EngineEvent } from "../../consensus/engine-events.ts";
import { getProposerIndex, getStateRoot } from "../../consensus/state.ts";
import { getState } from "../../consensus/state-cache.ts";
import { type Hash, toHex } from "../../primitives/bytes.ts";
import { checkInputOrder, InputLog } from "./input-order.ts";
import {
  checkBoost,
  checkFinalityLinks,
  checkHead,
  checkNewBoost,
  checkStore,
  checkVote,
  fingerprint,
  type Memory,
  type VoteLog,
} from "./invariants.ts";
import { MessageLog } from "./message-log.ts";
import type { Plan } from "./plan.ts";
import { checkPortability } from "./portability.ts";
import { randomStream } from "./random-stream.ts";
import type { SimulatedNode } from "./simulated-node.ts";
import type { Simulation } from "./simulation.ts";
import { replayChain } from "./stake-ledger.ts";
import { must } from "./violation.ts";

export type SlotView = {
  readonly slot: number;
  readonly online: number;
  /** Lowest and highest finalized epoch among honest online nodes; the same for head slots. */
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
  /** Slots from a block's proposal to its finality at the first honest node. */
  readonly finalitySlots: readonly number[];
  readonly slots: readonly SlotView[];
  readonly blocks: number;
  /** Blocks not on the first honest node's chain at the end; those of honest nodes, by slot. */
  readonly orphans: number;
  readonly honestOrphans: readonly number[];
  /** Slots of the chain's blocks. */
  readonly chain: readonly number[];
  readonly checks: number;
  /** Who was slashed on the first honest node's chain, and who signed slashable votes. */
  readonly slashed: readonly number[];
  readonly slashableVoters: readonly number[];
  /** Two finalized checkpoints conflict, which a third of the stake can be held to account for. */
  readonly hasConflict: boolean;
  /** Honest nodes, and those of them that saw such a conflict and stopped. */
  readonly honest: number;
  readonly faulted: number;
};

export type KnownBlock = {
  readonly root: Hash;
  readonly block: SignedBeaconBlock;
  readonly slot: number;
  readonly parentRoot: Hash;
  readonly isHonest: boolean;
};

/** Evidence that honest nodes saw is in the chain before so many slots after it are final. */
const EVIDENCE_SLOTS = 12;

/** Effects that use the head. */
const HEAD_USES: ReadonlySet<Effect["type"]> = new Set(["headChanged", "signAttestation", "buildPayload"]);
/** Blocks up to which the slow rule is asked about every head in use; in larger trees one node a slot, in turn. */
const SMALL_TREE = 16;

/** Answers to verified messages may change the store for one part and not for another; these may not. */
function isFromOutside({ type }: EngineEvent): boolean {
  return type === "blockReceived" || type === "attestationsReceived" || type === "operationReceived";
}

export class Observer {
  readonly #simulation: () => Simulation;
  readonly #digest: Digest = createHash("sha256");
  readonly #blocks = new Map<Hash, KnownBlock>();
  readonly #votes: VoteLog = new Map();
  readonly #messages = new MessageLog();
  readonly #finalized: { readonly epoch: number; readonly root: Hash }[] = [];
  readonly #finalitySlots: number[] = [];
  readonly #slots: SlotView[] = [];
  readonly #inputs = new Map<SimulatedNode, InputLog>();
  readonly #memories = new Map<SimulatedNode, Memory>();
  /** By offender: the slot in which an honest node first had evidence. */
  readonly #evidence = new Map<number, number>();
  #hasConflict = false;
  #checks = 0;

  constructor(simulation: () => Simulation) {
    this.#simulation = simulation;
  }

  get messages(): MessageLog {
    return this.#messages;
  }

  #memoryOf(node: SimulatedNode): Memory {
    let memory = this.#memories.get(node);
    if (memory === undefined) {
      memory = {
        justified: 0,
        finalized: 0,
        print: "",
        boost: undefined,
        arrivals: new Map(),
        evidence: new Set(),
      };
      this.#memories.set(node, memory);
    }
    return memory;
  }

  #inputsOf(node: SimulatedNode): InputLog {
    let log = this.#inputs.get(node);
    if (log === undefined) {
      log = new InputLog();
      this.#inputs.set(node, log);
    }
    return log;
  }

  /** What the first honest node heard since it began, unless all of them have lost their memory. @throws Violation 7 */
  checkInputOrder(seed: number): void {
    for (const [node, log] of this.#inputs) {
      if (node.hasRestarted || !node.isHonest) continue;
      checkInputOrder(log, node.firstStart, randomStream(seed, "input order"));
      return;
    }
  }

  beforeStep(node: SimulatedNode, event: EngineEvent): void {
    if (!node.isHonest) return;
    this.#inputsOf(node).noteEvent(event);
    const memory = this.#memoryOf(node);
    if (isFromOutside(event)) memory.print = fingerprint(node.engine);
    if (event.type !== "blockReceived") return;
    const { rootOf } = this.#simulation();
    const root = rootOf(event.block);
    // A block of its own comes back from others.
    const isKnown = memory.arrivals.has(root) || node.engine.store.tree.indices.has(root);
    if (!isKnown) memory.arrivals.set(root, event.arrivalMs);
  }

  onStep(node: SimulatedNode, event: EngineEvent, effects: readonly Effect[]): void {
    const { clock } = this.#simulation();
    this.#digest.update(`${clock.nowMs} ${node.index} ${event.type}\n`);
    for (const effect of effects) {
      if (effect.type === "publishBlock") this.noteBlock(effect.block, effect.root, node.isHonest);
      if (effect.type === "headChanged") this.#digest.update(`  head ${effect.root}\n`);
      if (!node.isHonest) continue;
      this.#inputsOf(node).noteEffect(effect, node.engine.nowMs);
      this.#noteEffect(node, effect);
    }
    if (!node.isHonest) return;
    const memory = this.#memoryOf(node);
    checkStore(node.engine, memory);
    checkNewBoost(node.engine, memory);
    memory.justified = node.engine.store.justified.epoch;
    memory.finalized = node.engine.store.finalized.epoch;
    this.#checkRefusal(node, event, effects, memory);
    this.#checkHeadInUse(node, effects, memory);
    this.#checks++;
  }

  /** The head that is announced, voted for or built on, in trees small enough for the slow rule. */
  #checkHeadInUse(node: SimulatedNode, effects: readonly Effect[], memory: Memory): void {
    const { tree, headRoot } = node.engine.store;
    const isUsed = effects.some(({ type }) => HEAD_USES.has(type));
    if (!isUsed || tree.length > SMALL_TREE) return;
    const { control, isJudgedByEffects } = this.#simulation();
    must(checkHead(node.engine, control, memory, isJudgedByEffects) === headRoot, 5, "a stale head is used");
    this.#checks++;
  }

  /** What was refused changed nothing. */
  #checkRefusal(node: SimulatedNode, event: EngineEvent, effects: readonly Effect[], memory: Memory): void {
    const isInvalid = effects.some(
      (effect) =>
        (effect.type === "gossipVerdict" && effect.verdict === "reject") ||
        (effect.type === "blockProcessed" && effect.outcome === "invalid"),
    );
    // A block that is imported may end the wait of a bad one.
    const isMixed = effects.some(
      (effect) => effect.type === "blockProcessed" && effect.outcome === "imported",
    );
    if (!isInvalid || isMixed || !isFromOutside(event)) return;
    must(fingerprint(node.engine) === memory.print, 12, `a refused ${event.type} changed the store`);
  }

  #noteEffect(node: SimulatedNode, effect: Effect): void {
    const { nodes } = this.#simulation();
    if (effect.type === "finalized") this.#noteFinality(node, effect);
    if (effect.type === "justified") {
      for (const other of nodes) if (other.isHonest) checkPortability(node, other, effect);
    }
    if (effect.type === "safetyFault") {
      must(this.#isAccountable(), 1, "a safety fault without a third of the stake to hold to account");
      this.#hasConflict = true;
    }
    if (effect.type === "slashingEvidence") {
      const { evidence } = effect;
      const offenders = this.#messages.offenders();
      const named =
        evidence.kind === "proposerSlashing"
          ? [evidence.slashing.signedHeader1.message.proposerIndex]
          : evidence.slashing.attestation1.attestingIndices.filter((index) =>
              evidence.slashing.attestation2.attestingIndices.includes(index),
            );
      for (const offender of named) {
        must(offenders.has(offender), 10, `evidence against ${offender}, who signed nothing slashable`);
        if (evidence.kind === "attesterSlashing") this.#memoryOf(node).evidence.add(offender);
        if (!this.#evidence.has(offender)) this.#evidence.set(offender, node.engine.store.nowSlot);
      }
    }
  }

  /** Evidence that a watchtower found and gave to everyone. */
  noteEvidence(offender: number, slot: number): void {
    if (!this.#evidence.has(offender)) this.#evidence.set(offender, slot);
  }

  /** A restart may fall back to what was synced, but never behind its own finality on disk. */
  onResume(node: SimulatedNode): void {
    this.#memories.delete(node);
    if (node.isHonest) checkStore(node.engine, undefined);
  }

  onVote(node: SimulatedNode, validatorIndex: number, data: AttestationData): void {
    this.#digest.update(`  vote ${node.index} ${data.slot} ${toHex(data.beaconBlockRoot)}\n`);
    this.#messages.noteVote(validatorIndex, data);
    must(!node.isHonest || !node.engine.isFaulted, 1, `${node.index} votes although finality conflicts`);
    if (node.isHonest && !this.#isTwin(validatorIndex)) checkVote(this.#votes, validatorIndex, data);
    this.#checks++;
  }

  /** Two honest nodes with one key make an offender together. */
  #isTwin(validatorIndex: number): boolean {
    const { nodes, validatorsOf } = this.#simulation();
    return nodes.filter(({ index }) => validatorsOf(index).includes(validatorIndex)).length > 1;
  }

  noteBlock(block: SignedBeaconBlock, root: Hash, isHonest: boolean): void {
    this.#digest.update(`  block ${root}\n`);
    const { slot, parentRoot, proposerIndex } = block.message;
    this.#messages.noteProposal(slot, proposerIndex, root);
    const known = { root, block, slot, parentRoot: toHex(parentRoot), isHonest };
    this.#blocks.set(root, known);
  }

  get slots(): readonly SlotView[] {
    return this.#slots;
  }

  onSlotEnd(slot: number): void {
    const { nodes, control, isJudgedByEffects } = this.#simulation();
    const honest = nodes.filter(({ isHonest }) => isHonest);
    const online = honest.filter(({ isOnline }) => isOnline);
    const finalized = online.map(({ engine }) => engine.store.finalized.epoch);
    const heads = online.map(({ engine }) => engine.blocks.get(engine.store.headRoot)?.slot ?? 0);
    this.#slots.push({
      ...{ slot, online: online.length },
      finalized: [Math.min(...finalized), Math.max(...finalized)],
      heads: [Math.min(...heads), Math.max(...heads)],
      hasBlock: [...this.#blocks.values()].some((block) => block.slot === slot),
    });
    for (const node of online) {
      checkBoost(node.engine, this.#memoryOf(node), control);
      this.#checkProposal(node, slot);
    }
    const asked = online[slot % online.length];
    if (asked !== undefined) checkHead(asked.engine, control, this.#memoryOf(asked), isJudgedByEffects);
    this.#checks++;
  }

  /** Whoever is awake, follows the chain and has its turn by its own look-ahead proposes, however few are awake. */
  #checkProposal({ engine, onlineSinceMs, index }: SimulatedNode, slot: number): void {
    const { params, validatorsOf, missedProposals } = this.#simulation();
    const { store, states, blocks } = engine;
    const state = getState(states, store.headRoot);
    const headSlot = blocks.get(store.headRoot)?.slot ?? 0;
    const isFresh = headSlot >= slot - params.syncToleranceSlots;
    const wasAwake = onlineSinceMs < slot * params.slotSeconds * 1000;
    if (slot === 0 || !isFresh || !wasAwake || engine.isFaulted || missedProposals > 0) return;
    const proposer = state === undefined ? undefined : getProposerIndex(state, slot, params);
    if (proposer === undefined || !validatorsOf(index).includes(proposer)) return;
    if (state?.validators.getReadonly(proposer).slashed === true) return;
    const isThere = [...this.#blocks.values()].some(
      ({ block }) => block.message.slot === slot && block.message.proposerIndex === proposer,
    );
    must(isThere, 9, `${proposer} was awake and did not propose in slot ${slot}`);
  }

  finish(plan: Plan, seed: number): Report {
    const { nodes, genesis, params, control, isJudgedByEffects } = this.#simulation();
    const node = nodes.find(({ isHonest }) => isHonest)!;
    const chain = this.#chainOf(node.engine.store.headRoot);
    replayChain(chain, genesis, { params, control, isJudgedByEffects });
    this.#checks += chain.length;
    const onChain = new Set(chain.map(({ root }) => root));
    const orphans = [...this.#blocks.values()].filter(({ root }) => !onChain.has(root));
    const slashed = this.#slashedAt(node);
    this.#checkSlashings(slashed);
    return {
      ...{ scenario: plan.name, seed, hash: this.#digest.digest("hex") },
      ...{ finalitySlots: this.#finalitySlots, slots: this.#slots, blocks: this.#blocks.size },
      orphans: orphans.length,
      honestOrphans: orphans.filter(({ isHonest }) => isHonest).map(({ slot }) => slot),
      chain: chain.map(({ slot }) => slot),
      ...{ slashed, slashableVoters: this.#messages.slashableVoters() },
      ...{ hasConflict: this.#hasConflict, checks: this.#checks },
      honest: nodes.filter(({ isHonest }) => isHonest).length,
      faulted: nodes.filter(({ isHonest, engine }) => isHonest && engine.isFaulted).length,
    };
  }

  #slashedAt({ engine }: SimulatedNode): readonly number[] {
    const state = getState(engine.states, engine.store.headRoot);
    if (state === undefined) return [];
    return state.validators.getAllReadonlyValues().flatMap(({ slashed }, index) => (slashed ? [index] : []));
  }

  /** Nobody is slashed who did nothing; who did, and was seen, is, once the chain had time for it. */
  #checkSlashings(slashed: readonly number[]): void {
    const offenders = this.#messages.offenders();
    for (const index of slashed) must(offenders.has(index), 10, `honest validator ${index} was slashed`);
    if (this.#hasConflict) return;
    const lastFinal = this.#slots.at(-1)?.finalized[0] ?? 0;
    for (const [offender, slot] of this.#evidence) {
      const hadTime = slot + EVIDENCE_SLOTS <= lastFinal;
      must(
        !hadTime || slashed.includes(offender),
        10,
        `${offender} was seen at slot ${slot} and not slashed`,
      );
    }
  }

  #noteFinality(node: SimulatedNode, effect: Effect & { type: "finalized" }): void {
    const { genesis, control, clock, nodes } = this.#simulation();
    const { checkpoint, canonicalRoots, state } = effect;
    this.#digest.update(`  final ${checkpoint.epoch} ${checkpoint.root}\n`);
    const expected = this.#blocks.get(checkpoint.root)?.block.message.stateRoot ?? genesis.block.stateRoot;
    must(
      toHex(getStateRoot(state)) === toHex(expected),
      7,
      "the state handed out is not the finalized block's",
    );
    this.#checkConflicts(checkpoint);
    if (!this.#finalized.some(({ root }) => root === checkpoint.root)) {
      this.#finalized.push(checkpoint);
      checkFinalityLinks(node.engine, checkpoint, control);
    }
    if (node !== nodes.find(({ isHonest }) => isHonest)) return;
    const nowSlots = clock.nowMs / (control.slotSeconds * 1000);
    for (const root of canonicalRoots) {
      const slot = this.#blocks.get(root)?.slot;
      if (slot !== undefined) this.#finalitySlots.push(nowSlots - slot);
    }
  }

  /** Any two finalized checkpoints of any nodes and times: one lies on the other's chain, or a third is to blame. */
  #checkConflicts(checkpoint: { readonly epoch: number; readonly root: Hash }): void {
    for (const other of this.#finalized) {
      const [lower, higher] = other.epoch <= checkpoint.epoch ? [other, checkpoint] : [checkpoint, other];
      if (this.#isAncestor(lower.root, higher.root)) continue;
      this.#hasConflict = true;
      must(
        this.#isAccountable(),
        1,
        `${lower.epoch} and ${higher.epoch} are final and conflict, with no third to blame`,
      );
    }
  }

  /** All validators of the simulator have the same stake. */
  #isAccountable(): boolean {
    return 3 * this.#messages.slashableVoters().length >= this.#simulation().publicKeys.length;
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
}
