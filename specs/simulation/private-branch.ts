/** A conspiracy that builds in private and lets its blocks go when that hurts most. See specs/simulation/scenarios.md#byzantine-nodes. */
import type { SignedBeaconBlock } from "../../consensus/chain-containers.ts";
import { getState } from "../../consensus/state-cache.ts";
import type { Hash } from "../../primitives/bytes.ts";
import type { Strategy } from "./byzantine.ts";
import { blockGossip, voteGossip } from "./simulated-node.ts";
import type { Simulation } from "./simulation.ts";

type Withheld = { readonly block: SignedBeaconBlock; readonly root: Hash; readonly justifiedEpoch: number };

/** Of one run, by the run: its conspirators share what they withhold. */
const branches = new WeakMap<Simulation, Withheld[]>();

/**
 * Votes and blocks go to the conspiracy only, whose engines build on them. A block that proves a justification the
 * others lack is released when they are about to justify for themselves (adaptive), now and then, and all of them
 * once the attack is over.
 */
export const buildInPrivate =
  (attackEndSlot: number): Strategy =>
  (simulation, index) => {
    const { nodes, conspiracy } = simulation;
    const node = nodes[index]!;
    const withheld = branches.get(simulation) ?? [];
    branches.set(simulation, withheld);
    const isFriend = (peer: number): boolean => !nodes[peer]!.isHonest;
    const isOver = (): boolean => simulation.clock.nowMs >= attackEndSlot * 1000;
    return {
      onBlock(block, root) {
        if (isOver()) {
          node.tell(blockGossip(block, root));
          return;
        }
        node.tell(blockGossip(block, root), isFriend);
        withheld.push({ block, root, justifiedEpoch: 0 });
      },
      onVotes(attestations) {
        node.tell(voteGossip(attestations), isOver() ? undefined : isFriend);
      },
      // Asked for what is withheld, nobody has it.
      serves: (root) => !withheld.some((one) => one.root === root),
      onMoment(slot, moment) {
        if (moment !== "due" || withheld.length === 0) return;
        const proofs = withheld.filter(({ root }) => isProof(simulation, index, root));
        const isTime = proofs.length > 0 && (isAboutToJustify(simulation) || conspiracy.next() < 0.1);
        if (!isTime && slot < attackEndSlot) return;
        // All below the proof go with it.
        const last = slot >= attackEndSlot ? withheld.length : withheld.indexOf(proofs[0]!) + 1;
        for (const { block, root } of withheld.splice(0, last)) node.tell(blockGossip(block, root));
      },
    };
  };

/** Whether the block justifies more than honest nodes know of. */
function isProof({ nodes }: Simulation, index: number, root: Hash): boolean {
  const state = getState(nodes[index]!.engine.states, root);
  const known = Math.max(
    ...nodes.filter(({ isHonest }) => isHonest).map(({ engine }) => engine.store.justified.epoch),
  );
  return state !== undefined && state.justified.epoch > known;
}

/** Whether some honest node holds votes of two thirds for an epoch it has not justified. */
function isAboutToJustify({ nodes, publicKeys }: Simulation): boolean {
  return nodes.some(({ isHonest, isOnline, engine }) => {
    if (!isHonest || !isOnline) return false;
    const byEpoch = new Map<number, number>();
    for (const { data, signatures } of engine.votePool.values()) {
      if (data.target.epoch <= engine.store.justified.epoch) continue;
      byEpoch.set(data.target.epoch, (byEpoch.get(data.target.epoch) ?? 0) + signatures.size);
    }
    return [...byEpoch.values()].some((voters) => 3 * voters >= 2 * publicKeys.length);
  });
}
