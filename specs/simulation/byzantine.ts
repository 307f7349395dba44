/** How Byzantine nodes behave. Each strategy rewrites some outputs of a node that is honest otherwise. See specs/simulation/scenarios.md#byzantine-nodes. */
import type { SignedBeaconBlock } from "../../consensus/chain-containers.ts";
import type { SingleAttestation } from "../../consensus/containers.ts";
import { getProposerIndex } from "../../consensus/state.ts";
import { getState } from "../../consensus/state-cache.ts";
import { type Hash, toHex } from "../../primitives/bytes.ts";
import { sha256 } from "../../primitives/hash.ts";
import { evidenceOf, type Forgery, forgeBlock, forgeVote } from "./forging.ts";
import type { Behaviour } from "./plan.ts";
import { blockGossip, type SimulatedNode, voteGossip } from "./simulated-node.ts";
import type { Simulation } from "./simulation.ts";

export type Strategy = (simulation: Simulation, node: number) => Behaviour;

const halves = (simulation: Simulation): ((peer: number) => boolean) => {
  const mask = simulation.conspiracy.below(2 ** 16);
  return (peer) => ((mask >> (peer % 16)) & 1) === 1;
};

const honestNodes = ({ nodes }: Simulation): SimulatedNode[] =>
  nodes.filter(({ isHonest, isOnline }) => isHonest && isOnline);

/** Two blocks a slot, two votes an epoch, each to another part of the network (Twins). */
export const equivocate: Strategy = (simulation, index) => {
  const node = simulation.nodes[index]!;
  return {
    // An engine that knows it is slashed does not propose; this one tries all the same.
    onMoment(slot, moment) {
      const { headRoot } = node.engine.store;
      const state = getState(node.engine.states, headRoot);
      if (moment !== "start" || state?.validators.getReadonly(index).slashed !== true) return;
      const proposer = getProposerIndex(state, slot, simulation.params);
      if (proposer !== index) return;
      const forged = forgeBlock(simulation, node, { parentRoot: headRoot, slot, mark: 4 });
      if (forged !== undefined) node.rush(blockGossip(forged.block, forged.root));
    },
    onBlock(block, root) {
      const isOne = halves(simulation);
      node.tell(blockGossip(block, root), isOne);
      const parentRoot = toHex(block.message.parentRoot);
      const second = forgeBlock(simulation, node, { parentRoot, slot: block.message.slot, mark: 1 });
      if (second !== undefined) node.tell(blockGossip(second.block, second.root), (peer) => !isOne(peer));
    },
    onVotes(attestations) {
      const isOne = halves(simulation);
      node.tell(voteGossip(attestations), isOne);
      const rivals = attestations.flatMap(({ attesterIndex, data }) => {
        const headRoot = node.engine.blocks.get(toHex(data.beaconBlockRoot))?.parentRoot;
        if (headRoot === undefined) return [];
        return (
          forgeVote(simulation, node, { validatorIndex: attesterIndex, slot: data.slot, headRoot }) ?? []
        );
      });
      if (rivals.length > 0) node.tell(voteGossip(rivals), (peer) => !isOne(peer));
    },
  };
};

/** Keeps votes and lets them go up to `slots` later, or never. */
export const withholdVotes =
  (slots: number): Strategy =>
  (simulation, index) => {
    const node = simulation.nodes[index]!;
    return {
      onVotes(attestations) {
        const delay = simulation.conspiracy.next() * slots * 1.25;
        if (delay > slots) return;
        simulation.clock.after(delay * 1000, () => node.tell(voteGossip(attestations)));
      },
    };
  };

/** Publishes its blocks late: after votes fell due, or slots later. */
export const proposeLate =
  (slots: number): Strategy =>
  (simulation, index) => {
    const node = simulation.nodes[index]!;
    return {
      onBlock(block, root) {
        const delayMs = 505 + simulation.conspiracy.next() * slots * 1000;
        simulation.clock.after(delayMs, () => node.tell(blockGossip(block, root)));
      },
    };
  };

/** Says that its chain is longer than anyone knows, and gives no block to anybody. */
export const lie: Strategy = (simulation) => ({
  status(honest) {
    const slot = Math.floor(simulation.clock.nowMs / 1000);
    const headRoot = toHex(sha256(new TextEncoder().encode(`no block ${simulation.conspiracy.next()}`)));
    const epoch = honest.justified.epoch + 1;
    return {
      ...honest,
      headRoot,
      headSlot: slot,
      justified: { epoch, root: headRoot },
      justifiedProofRoot: headRoot,
    };
  },
  serves: () => false,
});

/** Its own block stays at home; another one, made to order, goes out in its place. */
export function replaceBlocks(
  simulation: Simulation,
  index: number,
  order: (block: SignedBeaconBlock, node: SimulatedNode) => Forgery,
): Behaviour {
  const node = simulation.nodes[index]!;
  const hidden = new Set<Hash>();
  return {
    onBlock(block, root) {
      const forged = forgeBlock(simulation, node, order(block, node));
      if (forged === undefined) {
        node.tell(blockGossip(block, root));
        return;
      }
      hidden.add(root);
      node.rush(blockGossip(forged.block, forged.root));
      const origin = { kind: "sync", peer: String(index) } as const;
      node.feed({ type: "blockReceived", block: forged.block, arrivalMs: simulation.clock.nowMs, origin });
    },
    serves: (root) => !hidden.has(root),
  };
}

/** Proposals without any vote. */
export const omitVotes: Strategy = (simulation, index) =>
  replaceBlocks(simulation, index, ({ message }) => ({
    ...{ parentRoot: toHex(message.parentRoot), slot: message.slot, mark: 2 },
    attestations: () => [],
  }));

/** Includes votes again that were included before, as often as it can, to be paid for them again. */
export const includeAgain: Strategy = (simulation, index) =>
  replaceBlocks(simulation, index, ({ message }, { engine }) => {
    const parentRoot = toHex(message.parentRoot);
    const recent = [parentRoot, engine.blocks.get(parentRoot)?.parentRoot ?? parentRoot];
    const old = recent.flatMap((root) => engine.blocks.get(root)?.attestations ?? []);
    return {
      ...{ parentRoot, slot: message.slot, mark: 3 },
      attestations: (packed) => [...packed, ...old].slice(0, 16),
    };
  });

/** Sends what nobody may accept: wrong signatures, wrong proposers, votes for targets off their chain. */
export const spam: Strategy = (simulation, index) => {
  const node = simulation.nodes[index]!;
  const broken = (signature: Uint8Array): Uint8Array => signature.map((byte) => byte ^ 1);
  return {
    onVotes(attestations) {
      node.tell(voteGossip(attestations));
      const [first] = attestations;
      if (first === undefined) return;
      const { target } = first.data;
      const fakes: SingleAttestation[] = [
        { ...first, signature: broken(first.signature) },
        { ...first, attesterIndex: (first.attesterIndex + 1) % simulation.publicKeys.length },
        { ...first, data: { ...first.data, target: { ...target, root: new Uint8Array(32).fill(3) } } },
        { ...first, data: { ...first.data, index: 1 } },
      ];
      for (const [i, fake] of fakes.entries()) {
        node.tell({ ...voteGossip([fake]), id: `fake ${i} ${index} ${first.data.slot}` });
      }
    },
    onBlock(block, root) {
      node.tell(blockGossip(block, root));
      const { message } = block;
      const fakes: SignedBeaconBlock[] = [
        { message, signature: broken(block.signature) },
        { ...block, message: { ...message, proposerIndex: message.proposerIndex + 1 } },
        { ...block, message: { ...message, stateRoot: new Uint8Array(32) } },
      ];
      for (const [i, fake] of fakes.entries()) {
        node.tell({ id: `fake block ${i} ${root}`, kind: "block", block: fake });
      }
    },
  };
};

/** Looks at all heads just before votes fall due and votes for the one with less support, to keep the network split. */
export const balance: Strategy = (simulation, index) => {
  const node = simulation.nodes[index]!;
  return {
    onVotes: () => undefined,
    onMoment(slot, moment) {
      if (moment !== "due") return;
      const support = new Map<Hash, SimulatedNode[]>();
      for (const honest of honestNodes(simulation)) {
        const { headRoot } = honest.engine.store;
        support.set(headRoot, [...(support.get(headRoot) ?? []), honest]);
      }
      const lightest = [...support].sort(([, a], [, b]) => a.length - b.length)[0];
      if (lightest === undefined) return;
      const [headRoot, followers] = lightest;
      for (const validatorIndex of simulation.validatorsOf(index)) {
        const vote = forgeVote(simulation, node, { validatorIndex, slot, headRoot });
        // Those who follow it hear it in time to stay; the others later.
        if (vote !== undefined) {
          node.rush(voteGossip([vote]), (peer) => followers.some((follower) => follower.index === peer));
        }
      }
    },
  };
};

/** Signs a vote around its last one, and is seen by a watchtower that keeps all votes. */
export const surround: Strategy = (simulation, index) => {
  const node = simulation.nodes[index]!;
  const signed: SingleAttestation[] = [];
  return {
    onVotes(attestations) {
      node.tell(voteGossip(attestations));
      const [last] = attestations;
      const [old, inner] = [signed.at(-5), signed.at(-1)];
      if (last === undefined) return;
      signed.push(last);
      if (old === undefined || inner === undefined || old.data.source.epoch >= inner.data.source.epoch)
        return;
      const { attesterIndex: validatorIndex, data } = last;
      const source = { epoch: old.data.source.epoch, root: toHex(old.data.source.root) };
      const vote = { validatorIndex, slot: data.slot, headRoot: toHex(data.beaconBlockRoot), source };
      const outer = forgeVote(simulation, node, vote);
      if (outer === undefined) return;
      const operation = { kind: "attesterSlashing", slashing: evidenceOf(outer, inner) } as const;
      for (const honest of honestNodes(simulation)) {
        const messageId = `watchtower ${validatorIndex} ${data.slot}`;
        honest.feed({ type: "operationReceived", operation, messageId });
      }
      simulation.observer.noteEvidence(validatorIndex, data.slot);
    },
  };
};

/** What a strategy does until its end; from then on the node is honest in all but name. */
export const until =
  (endSlot: number, strategy: Strategy): Strategy =>
  (simulation, index) => {
    const node = simulation.nodes[index]!;
    const behaviour = strategy(simulation, index);
    const isOver = (): boolean => simulation.clock.nowMs >= endSlot * 1000;
    return {
      onBlock(block, root) {
        if (behaviour.onBlock === undefined || isOver()) node.tell(blockGossip(block, root));
        else behaviour.onBlock(block, root);
      },
      onVotes(attestations) {
        if (behaviour.onVotes === undefined || isOver()) node.tell(voteGossip(attestations));
        else behaviour.onVotes(attestations);
      },
      status: (honest) => (isOver() ? honest : (behaviour.status?.(honest) ?? honest)),
      serves: (root) => isOver() || (behaviour.serves?.(root) ?? true),
      onMoment(slot, moment) {
        if (!isOver()) behaviour.onMoment?.(slot, moment);
      },
    };
  };
