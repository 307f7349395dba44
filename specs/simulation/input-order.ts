/** The order of independent inputs does not matter: a node's inputs fed again, in two other orders. See specs/simulation/invariants.md. */
import type { SignedBeaconBlock } from "../../consensus/chain-containers.ts";
import { createEngine, type EngineStart, step } from "../../consensus/engine.ts";
import type { Effect, EngineEvent } from "../../consensus/engine-events.ts";
import type { Engine } from "../../consensus/engine-state.ts";
import { getHead } from "../../consensus/fork-choice-head.ts";
import { NO_BLOCK } from "../../consensus/proto-array.ts";
import type { Hash } from "../../primitives/bytes.ts";
import { isPayloadValid, verifyCheaply } from "../support/consensus-stand-ins.ts";
import type { RandomStream } from "./random-stream.ts";
import { must } from "./violation.ts";

type Tick = Extract<EngineEvent, { readonly type: "tick" }>;
type Input = Extract<
  EngineEvent,
  { readonly type: "blockReceived" | "attestationsReceived" | "aggregateReceived" | "operationReceived" }
>;
/** What a node was told after a tick, before the next. */
type Group = { readonly tick: Tick; readonly inputs: Input[] };

/** What one node heard and said, in order. */
export class InputLog {
  readonly groups: Group[] = [];
  readonly blocks = new Map<Hash, SignedBeaconBlock>();

  noteEvent(event: EngineEvent): void {
    if (event.type === "tick") this.groups.push({ tick: event, inputs: [] });
    else if (isInput(event)) this.groups.at(-1)?.inputs.push(event);
  }

  /** Its own blocks and votes are inputs of a node without keys. */
  noteEffect(effect: Effect, nowMs: number): void {
    const inputs = this.groups.at(-1)?.inputs;
    const messageId = "own";
    if (effect.type === "storeBlock") this.blocks.set(effect.root, effect.block);
    if (effect.type === "publishBlock") {
      const { block } = effect;
      inputs?.push({ type: "blockReceived", block, arrivalMs: nowMs, origin: { kind: "own" } });
    }
    if (effect.type === "publishAttestations") {
      const { attestations, subnet } = effect;
      inputs?.push({ type: "attestationsReceived", attestations, subnet, peer: "self", messageId });
    }
    if (effect.type === "publishAggregates") {
      for (const aggregate of effect.aggregates) {
        inputs?.push({ type: "aggregateReceived", aggregate, peer: "self", messageId });
      }
    }
  }
}

function isInput(event: EngineEvent): event is Input {
  const { type } = event;
  return (
    type === "blockReceived" ||
    type === "attestationsReceived" ||
    type === "aggregateReceived" ||
    type === "operationReceived"
  );
}

/**
 * Two engines without keys hear the log, each in an order of its own, and agree after each group in which no vote is lost.
 *
 * @returns groups compared. @throws Violation 7
 */
export function checkInputOrder(
  { groups, blocks }: InputLog,
  start: EngineStart,
  random: RandomStream,
): number {
  const engines = [0, 1].map(() => createEngine({ ...start, localValidators: [] }));
  for (const { tick, inputs } of groups) {
    const texts = engines.map((engine) => {
      for (const event of [tick, ...inAnyOrder(inputs, random)]) feed(engine, event, blocks);
      return describe(engine);
    });
    if (isVoteLost(engines)) continue;
    const [first, second] = texts;
    must(
      first === second,
      7,
      `another order of messages ended in another store: ${difference(first, second)}`,
    );
  }
  return groups.length;
}

/**
 * Whether a vote is for a block that finality pruned, and came before that in one order only: in the other it was
 * ignored, and the vote before it stands, until its validator votes again.
 */
function isVoteLost(engines: readonly Engine[]): boolean {
  const isPruned = ({ store: { votes } }: Engine, voter: number): boolean =>
    (votes.blocks[voter] ?? NO_BLOCK) === NO_BLOCK;
  const [first, second] = engines as [Engine, Engine];
  return [...first.store.balances.keys()].some((voter) => isPruned(first, voter) !== isPruned(second, voter));
}

/** Feeds an event and at once every answer it leads to. */
function feed(engine: Engine, event: EngineEvent, blocks: ReadonlyMap<Hash, SignedBeaconBlock>): void {
  const events = [event];
  for (let next = events.shift(); next !== undefined; next = events.shift()) {
    for (const effect of step(engine, next)) {
      const answer = answerTo(effect, blocks);
      if (answer !== undefined) events.push(answer);
    }
  }
}

function answerTo(effect: Effect, blocks: ReadonlyMap<Hash, SignedBeaconBlock>): EngineEvent | undefined {
  if (effect.type === "verifySignatures") {
    return { type: "signaturesVerified", id: effect.id, valid: effect.sets.map(verifyCheaply) };
  }
  if (effect.type === "executePayload") {
    const verdict = isPayloadValid(effect.payload) ? "valid" : "invalid";
    return { type: "payloadExecuted", id: effect.id, verdict };
  }
  if (effect.type !== "loadBlocks") return undefined;
  const loaded = effect.roots.flatMap((root) => blocks.get(root) ?? []);
  return { type: "blocksLoaded", id: effect.id, blocks: loaded };
}

/** A random order in which inputs that depend on each other keep theirs. */
function inAnyOrder(inputs: readonly Input[], random: RandomStream): Input[] {
  const waiting = inputs.map((input) => ({ input, names: namesOf(input) }));
  const ordered: Input[] = [];
  while (waiting.length > 0) {
    const picked = random.below(waiting.length);
    const { names } = waiting[picked]!;
    // The first one of those that share a name with it goes before it.
    const first = waiting.findIndex((other) => other.names.some((name) => names.includes(name)));
    const at = names.length === 0 ? picked : first;
    ordered.push(waiting.splice(at, 1)[0]!.input);
  }
  return ordered;
}

/**
 * Inputs with a name in common are not independent: of two blocks of a proposer for one slot, and of two votes of a
 * validator for one epoch, the first one counts; and sync hands out a chain from its lowest block on.
 */
function namesOf(input: Input): readonly string[] {
  if (input.type === "blockReceived") {
    const { slot, proposerIndex } = input.block.message;
    return [`block ${slot} ${proposerIndex}`, ...(input.origin.kind === "sync" ? ["sync"] : [])];
  }
  if (input.type === "attestationsReceived") {
    return input.attestations.map(({ attesterIndex, data }) => `vote ${data.target.epoch} ${attesterIndex}`);
  }
  if (input.type === "aggregateReceived") {
    const { aggregatorIndex, aggregate } = input.aggregate.message;
    return [`aggregate ${aggregate.data.target.epoch} ${aggregatorIndex}`];
  }
  return [];
}

/** All that fork choice knows, in an order of its own. Of an equivocator it does not matter what it voted for. */
function describe({ store }: Engine): string {
  // Head and weights as of now: the engine computes them when it needs them next.
  const headRoot = getHead(store);
  const { tree, votes } = store;
  const rootAt = (index: number): string => tree.roots[index] ?? "none";
  const blocks = tree.roots.slice(0, tree.length).map((root, index) => {
    const weights = `${tree.freshWeights[index]} ${tree.staleWeights[index]}`;
    const parent = index === 0 ? "" : rootAt(tree.parents[index]!);
    return `${root} ${parent} ${tree.slots[index]} ${tree.justifiedEpochs[index]} ${weights}`;
  });
  const latest = [...store.balances.keys()].map((voter) => {
    const block = votes.blocks[voter] ?? NO_BLOCK;
    if (votes.equivocating[voter] === 1) return "equivocator";
    return block === NO_BLOCK ? "none" : `${votes.slots[voter]} ${rootAt(block)}`;
  });
  const queued = store.queuedVotes.flatMap(({ slot, headRoot, validatorIndices }) =>
    validatorIndices
      .filter((voter) => votes.equivocating[voter] !== 1)
      .map((voter) => `${slot} ${headRoot} ${voter}`),
  );
  const { justified, finalized, justifiedAtSlot, boostRoot } = store;
  return [
    `head ${headRoot}, boost ${boostRoot}, justified ${justified.epoch} ${justified.root} at ${justifiedAtSlot}`,
    `finalized ${finalized.epoch} ${finalized.root}`,
    `blocks ${blocks.sort().join()}`,
    `latest votes ${latest.join()}`,
    `seen ${[...store.justifiedSeen.keys()].sort().join()}`,
    `queued ${[...new Set(queued)].sort().join()}`,
  ].join("\n");
}

/** The first line that differs, by its first words. */
function difference(first = "", second = ""): string {
  const others = second.split("\n");
  const line = first.split("\n").findIndex((text, at) => text !== others[at]);
  return `${first.split("\n")[line]?.slice(0, 400)} / ${others[line]?.slice(0, 400)}`;
}
