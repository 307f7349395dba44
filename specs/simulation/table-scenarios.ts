/** The cases whose figures stand in specs/simulation/results.md, each with what it must show. */
import { quantile, slotsToFinality } from "./findings.ts";
import { awayPart, GOOD_LINKS, partitionParts } from "./honest-scenarios.ts";
import type { Part, Plan, Scenario } from "./plan.ts";
import type { LinkOptions } from "./simulated-network.ts";
import { shortPeriods } from "./simulator-params.ts";
import { twinsScenario } from "./stake-scenarios.ts";
import { must } from "./violation.ts";

const SLOTS = 60;
const NODES = 16;
const PERFECT: LinkOptions = { ...GOOD_LINKS, loss: 0, duplication: 0 };
const LAST_SIX = Array.from({ length: 6 }, (_, index) => NODES - 6 + index);

/** Half of the blocks are final after at most `p50` slots. */
function finality(name: string, p50: number, changes: Partial<Plan> = {}, slotsPerEpoch = 1): Case {
  return {
    summary: `p50 ≤ ${p50}`,
    p50,
    plan: (_seed, { slots = SLOTS, nodes = NODES }) => ({
      ...{ name, nodes, slots, links: PERFECT, parts: [] },
      params: {
        forks: [{ version: "0x6a000009", firstSlot: 0, firstEpoch: 0, slotsPerEpoch }],
        ...(slotsPerEpoch === 1 ? {} : { ...shortPeriods(256), periodSlots: 32 }),
      },
      ...changes,
      check(report) {
        const half = quantile(report.finalitySlots, 0.5);
        const isSoon = half <= p50 || (changes.missedProposals ?? 0) > 0;
        must(isSoon, 8, `half of the blocks are final in ${half.toFixed(2)} slots, not in ${p50}`);
        return `${report.chain.length} of ${slots - 1} slots have a block`;
      },
    }),
  };
}

/** A row of the table: some seeds, whose blocks are judged together where half of them must be final soon. */
export type Case = Scenario & { readonly p50?: number; readonly seeds?: number };

/**
 * A block is final with the second block from two slots after its own on: after three slots when neither proposal is
 * missing, 0.75² = 56 % of the time. So the median is three slots, but of the 45 blocks of one run often four.
 */
const missing: Case = {
  ...finality("missing", 3.3, { nodes: 8, missedProposals: 0.25 }),
  seeds: 16,
};

const linksOf = (minLatencyMs: number, maxLatencyMs: number): Partial<Plan> => ({
  links: { ...PERFECT, minLatencyMs, maxLatencyMs },
});

const [FROM, TO] = [12, 42];

/** Trouble for 30 slots: blocks but no finality, then finality of a new epoch within four slots. */
function healing(name: string, parts: readonly Part[], leastBlocks: number): Scenario {
  return {
    summary: "final ≤ 4 slots after",
    plan: (_seed, { slots = SLOTS, nodes = NODES }) => ({
      ...{ name, nodes, slots, links: PERFECT, parts },
      check(report) {
        const during = report.slots.filter(({ slot }) => slot >= FROM + 6 && slot < TO);
        must(
          during.every(({ finalized }) => finalized[1] === during[0]?.finalized[1]),
          9,
          "something is final",
        );
        const grown = report.chain.filter((slot) => slot >= FROM && slot < TO).length;
        must(grown >= leastBlocks, 9, `only ${grown} of ${TO - FROM} slots have a block`);
        const resumed = slotsToFinality(report, TO);
        must(resumed <= 4, 8, `final ${resumed} slots after`);
        return `${grown} of ${TO - FROM} slots have a block, final ${resumed} slots after`;
      },
    }),
  };
}

export const TABLE_SCENARIOS: Readonly<Record<string, Case>> = {
  "links 20 to 170 ms": finality("good", 3.2),
  "the same, 4 nodes": finality("good", 3.2, { nodes: 4 }),
  "a quarter of proposals missing": missing,
  "3 of 16 crashed": finality("crashed", 3.3, {
    parts: [awayPart("crash of 3", [13, 14, 15], 4, SLOTS + 1, true)],
  }),
  "20 % of messages late": finality("late", 4.5, { links: { ...PERFECT, late: 0.2 } }),
  "links 100 to 600 ms": finality("slow", 4.5, linksOf(100, 600)),
  "links 300 to 1300 ms": finality("too slow", 8, linksOf(300, 1300)),
  "epochs of 4 slots": finality("K=4", 11, {}, 4),
  "epochs of 8 slots": finality("K=8", 20, {}, 8),
  "6 of 16 offline for 30 slots": healing("offline", [awayPart("sleep of 6", LAST_SIX, FROM, TO)], 13),
  "halves apart for 30 slots": healing("apart", partitionParts(NODES / 2, FROM, TO), 9),
  ...Object.fromEntries(
    (
      [
        [12, 3],
        [12, 4],
        [13, 4],
        [13, 5],
        [16, 5],
        [16, 6],
      ] as const
    ).map(([keys, twins]) => [
      `twins ${twins} of ${keys}`,
      twinsScenario(`twins ${twins} of ${keys}`, keys, twins),
    ]),
  ),
};
