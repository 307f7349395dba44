/** Justification that reaches some late, or on another branch: the counterexamples that shaped the rules. See specs/simulation/scenarios.md#withheld-proofs. */
import { type Hash, toHex } from "../../primitives/bytes.ts";
import type { Strategy } from "./byzantine.ts";
import { honestOrphansBetween, slotsToFinality } from "./findings.ts";
import { evidenceOf, type Forged, forgeBlock, forgeVote } from "./forging.ts";
import { GOOD_LINKS } from "./honest-scenarios.ts";
import type { Scenario } from "./plan.ts";
import { blockGossip, voteGossip } from "./simulated-node.ts";
import type { Simulation } from "./simulation.ts";
import { twoBranches } from "./two-branches.ts";
import { must } from "./violation.ts";

const NODES = 12;
const SLEEP_FROM = 11;

/** Who holds a proof back, when, and who sleeps meanwhile: read off the proposers, which are known two periods ahead. */
type Roles = { readonly holder: number; readonly slot: number; readonly asleep: readonly number[] };

function rolesOf({ genesis }: Simulation): Roles {
  const proposers = genesis.state.proposerLookahead.getAll();
  // It proposes nothing else meanwhile, and somebody else right after, so that the proof has a rival at once.
  let slot = SLEEP_FROM + 9;
  const isBusy = (): boolean =>
    [...proposers.slice(SLEEP_FROM, slot), proposers[slot + 1]].includes(proposers[slot]!);
  while (isBusy() && slot < proposers.length - 1) slot++;
  const needed = new Set([proposers[slot], proposers[slot - 1], proposers[slot + 1]]);
  const asleep = Array.from({ length: NODES }, (_, index) => index).filter((index) => !needed.has(index));
  return { holder: proposers[slot]!, slot, asleep: asleep.slice(0, 4) };
}

type Timing = {
  /** Slots from the block to its release; and from that until those asleep are back. */
  readonly heldSlots: number;
  readonly backSlots: number;
  /** The holder is caught for something else before the others' next block. */
  readonly isSlashed: boolean;
};

/** Silent but for one vote, kept, and one block that includes it: two thirds, where all others count seven twelfths. */
const holdProof =
  ({ heldSlots, isSlashed }: Timing): Strategy =>
  (simulation, index) => {
    const node = simulation.nodes[index]!;
    const { slot } = rolesOf(simulation);
    let proof: Forged | undefined;
    const hidden = new Set<Hash>();
    const catchHolder = (): void => {
      const headRoot = node.engine.store.headRoot;
      const parentRoot = node.engine.blocks.get(headRoot)?.parentRoot ?? headRoot;
      const votes = [headRoot, parentRoot].flatMap(
        (root) =>
          forgeVote(simulation, node, { validatorIndex: index, slot: slot - 4, headRoot: root }) ?? [],
      );
      if (votes.length < 2) return;
      const operation = { kind: "attesterSlashing", slashing: evidenceOf(votes[0]!, votes[1]!) } as const;
      for (const honest of simulation.nodes.filter(({ isHonest, isOnline }) => isHonest && isOnline)) {
        honest.feed({ type: "operationReceived", operation, messageId: "the holder's other votes" });
      }
    };
    return {
      onVotes: (attestations) => {
        if (attestations[0]!.data.slot < SLEEP_FROM) node.tell(voteGossip(attestations));
      },
      onBlock(block, root) {
        if (block.message.slot < SLEEP_FROM) {
          node.tell(blockGossip(block, root));
          return;
        }
        hidden.add(root);
        if (block.message.slot !== slot) return;
        const parentRoot = toHex(block.message.parentRoot);
        proof = forgeBlock(simulation, node, {
          ...{ parentRoot, slot, mark: 1 },
          attestations: (packed) => packed.filter(({ data }) => data.slot === slot - 1),
        });
      },
      serves: (root) => !hidden.has(root),
      onMoment(now, moment) {
        if (isSlashed && now === slot && moment === "due") catchHolder();
        if (proof === undefined || now !== slot + heldSlots || moment !== "due") return;
        // From now on whoever asks gets it, too.
        const origin = { kind: "sync", peer: String(index) } as const;
        node.feed({ type: "blockReceived", block: proof.block, arrivalMs: simulation.clock.nowMs, origin });
        node.tell(blockGossip(proof.block, proof.root));
      },
    };
  };

function withheldProof(name: string, summary: string, timing: Timing, isTooOld: boolean): Scenario {
  const back = (simulation: Simulation): number =>
    rolesOf(simulation).slot + timing.heldSlots + timing.backSlots;
  return {
    summary,
    plan(_seed, { slots = 44 + timing.heldSlots + timing.backSlots }) {
      let backSlot = 0;
      const asleep = (simulation: Simulation) =>
        rolesOf(simulation).asleep.map((index) => simulation.nodes[index]!);
      return {
        ...{ name, nodes: NODES, slots, links: { ...GOOD_LINKS, loss: 0 } },
        params: { periodSlots: 32, slotsPerHistoricalRoot: isTooOld ? 32 : 512, randaoMixesLength: 32 },
        parts: [
          {
            label: "the holder of the proof",
            byzantine: (simulation) => [rolesOf(simulation).holder],
            behave: holdProof(timing),
          },
          {
            label: "sleep of 4",
            steps: [
              [
                SLEEP_FROM * 1000,
                (simulation) => {
                  for (const node of asleep(simulation)) node.stop(false);
                  backSlot = back(simulation);
                  simulation.clock.at(backSlot * 1000, () => {
                    for (const node of asleep(simulation)) node.resume(false);
                  });
                },
              ],
            ],
          },
        ],
        check(report) {
          const resumed = slotsToFinality(report, backSlot);
          must(
            slots < backSlot + 14 || resumed <= (isTooOld ? 12 : 6),
            8,
            `final ${resumed} slots after the return`,
          );
          const lost = honestOrphansBetween(report, SLEEP_FROM, slots - 3);
          must(isTooOld || lost <= 1, 9, `${lost} honest blocks were lost to a late proof`);
          return `final ${resumed} slots after the return, ${lost} honest blocks lost`;
        },
      };
    },
  };
}

/** Everyone follows a script up to slot 7, then the protocol. */
function scripted(name: string, summary: string, isChained: boolean): Scenario {
  return {
    summary,
    plan: (_seed, { slots = 24 }) => ({
      ...{ name, nodes: 9, slots, links: GOOD_LINKS },
      parts: [
        {
          label: "the script",
          steps: [
            [
              0,
              ({ nodes }) =>
                nodes.forEach((node) => {
                  node.stop(false);
                }),
            ],
            [8000, (simulation) => playScript(simulation, isChained)],
          ],
        },
      ],
      check(report) {
        const resumed = slotsToFinality(report, 8);
        must(resumed <= 10, 8, `final ${resumed} slots after the script`);
        return `final ${resumed} slots after the script`;
      },
    }),
  };
}

function playScript(simulation: Simulation, isChained: boolean): void {
  const { blocks, votes } = twoBranches(simulation, isChained);
  for (const node of simulation.nodes) {
    for (const { attesterIndex, data } of votes) {
      if (attesterIndex === node.index) node.disk.allowVote(attesterIndex, data);
    }
    node.resume(false);
    for (const { block } of blocks) {
      const origin = { kind: "sync", peer: String((node.index + 1) % 9) } as const;
      node.feed({ type: "blockReceived", block, arrivalMs: 8000, origin });
    }
  }
}

export const PROOF_SCENARIOS: Readonly<Record<string, Scenario>> = {
  "withheld-proof": withheldProof(
    "withheld-proof",
    "a block that justifies is held back while a third sleeps: the chain adopts it, no block is lost",
    { heldSlots: 3, backSlots: 8, isSlashed: false },
    false,
  ),
  "slashed-holder": withheldProof(
    "slashed-holder",
    "the same, and its holder was slashed on the other branch: its vote weighs the same on both",
    { heldSlots: 1, backSlots: 8, isSlashed: true },
    false,
  ),
  "ancient-proof": withheldProof(
    "ancient-proof",
    "the same, older than votes are remembered: the valve takes the head to the proof",
    { heldSlots: 40, backSlots: 4, isSlashed: false },
    true,
  ),
  "two-branches": scripted(
    "two-branches",
    "without a fault, one branch finalizes and its sibling justifies more: the first adopts that",
    false,
  ),
  "chained-proofs": scripted(
    "chained-proofs",
    "the same, and the sibling's proof rests on a source the first branch never justified",
    true,
  ),
};
