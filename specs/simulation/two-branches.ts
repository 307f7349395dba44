/** Honest votes and blocks of slots 1 to 7 that leave two branches with different proofs. See specs/simulation/scenarios.md#withheld-proofs. */
import type { Checkpoint, SingleAttestation } from "../../consensus/containers.ts";
import type { ConsensusState } from "../../consensus/state.ts";
import { fromHex } from "../../primitives/bytes.ts";
import { aggregate, type Forged, sealBlock, signVote } from "./forging.ts";
import type { Simulation } from "./simulation.ts";

type Script = { readonly blocks: readonly Forged[]; readonly votes: readonly SingleAttestation[] };
/** Nine validators in three groups. */
type Group = 0 | 1 | 2;

const GENESIS: Checkpoint = { epoch: 0, root: new Uint8Array(32) };

/**
 * ```
 * genesis ── b1 ── a4 ─┬─ A1 (slot 6: finalizes 2, justifies 4)
 *             │        └─ B1 (slot 7: justifies 5 by votes that A1 does not have)
 *             ├─ P1 (slot 2, chained only: justifies 1)
 *             └─ P  (slot 3: justifies 2)
 * ```
 * P reaches groups 0 and 1 only, P1 group 2 only; both too late to be built on. Nobody signs anything slashable.
 */
export function twoBranches(simulation: Simulation, isChained: boolean): Script {
  const { genesis } = simulation;
  const votes: SingleAttestation[] = [];
  const seal = (
    parent: ConsensusState,
    slot: number,
    included: readonly SingleAttestation[][] = [],
  ): Forged =>
    sealBlock(simulation, parent, slot, (state) =>
      included.map((group) => aggregate(simulation, state, group)),
    )!;
  /** Votes of a group at a slot without block of its own; `targetRoot` is the last block before it. */
  const vote = (group: Group, slot: number, head: Uint8Array, source: Checkpoint, targetRoot: Uint8Array) => {
    const target = { epoch: slot, root: targetRoot };
    const data = { slot, index: 0, beaconBlockRoot: head, source, target };
    const signed = [0, 1, 2].map((member) =>
      signVote(simulation, genesis.state, { committeeIndex: 0, attesterIndex: group * 3 + member, data }),
    );
    votes.push(...signed);
    return signed;
  };
  const all = [0, 1, 2] as const;
  const together = (groups: readonly SingleAttestation[][]): SingleAttestation[] => groups.flat();

  const b1 = seal(genesis.state, 1);
  const b1Root = fromHex(b1.root);
  const v1 = isChained ? all.map((group) => vote(group, 1, b1Root, GENESIS, genesis.blockRoot)) : [];
  const p1 = isChained ? seal(b1.state, 2, [together(v1)]) : undefined;
  const j1 = { epoch: 1, root: genesis.blockRoot };
  const late = isChained ? j1 : GENESIS;
  const v2 = all.map((group) => vote(group, 2, b1Root, GENESIS, b1Root));
  const v3 = all.map((group) => vote(group, 3, b1Root, group === 2 ? late : GENESIS, b1Root));
  const p = seal(b1.state, 3, [together(v2)]);
  const j2 = { epoch: 2, root: b1Root };
  const a4 = seal(b1.state, 4);
  const a4Root = fromHex(a4.root);
  const v4 = all.map((group) => vote(group, 4, a4Root, group === 2 ? late : j2, b1Root));
  const v5 = ([0, 2] as const).map((group) => vote(group, 5, a4Root, group === 2 ? late : j2, a4Root));
  // What group 2 votes from a source that branch A never justified cannot be included there.
  const ofA = (groups: SingleAttestation[][]) => (isChained ? [groups.slice(0, 2).flat()] : byData(groups));
  const a1 = seal(a4.state, 6, [together(v2), ...ofA(v3), ...ofA(v4)]);
  const first = isChained ? [together(v1)] : [];
  const b = seal(a4.state, 7, [...first, together(v2), ...byData(v3), ...byData(v5)]);
  const blocks = [b1, ...(p1 === undefined ? [] : [p1]), p, a4, a1, b];
  return { blocks, votes };
}

/** One aggregate per source. */
function byData(groups: readonly SingleAttestation[][]): SingleAttestation[][] {
  const bySource = new Map<number, SingleAttestation[]>();
  for (const vote of groups.flat()) {
    const { epoch } = vote.data.source;
    bySource.set(epoch, [...(bySource.get(epoch) ?? []), vote]);
  }
  return [...bySource.values()];
}
